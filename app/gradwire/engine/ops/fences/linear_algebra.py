"""Linear algebra: what LAPACK takes on trust."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Fence, Given


def eigenvalues(given: Given) -> None:
    """LAPACK's geev runs away on NaN and infinity: SIGSEGV. (eig and eigh look themselves.)"""
    matrix = given.tensor("input")
    if matrix is not None and not bool(torch.isfinite(matrix).all()):
        raise given.refusal("input", "the matrix holds NaN or infinity", expected="finite numbers")


def ldl_solve(given: Given) -> None:
    """LAPACK's sytrs trusts its pivots: outside of 1 … n, or -n … -1 for a block of two rows, it aborts or worse."""
    matrix, pivots = given.get("LD"), given.tensor("pivots")
    if not isinstance(matrix, torch.Tensor) or pivots is None or matrix.dim() < 2:
        return
    if given.get("pivots").shape != matrix.shape[:-1]:  # PyTorch says so
        return
    if pivots.numel() and not pivots.is_floating_point() and not pivots.is_complex():
        size = matrix.shape[-1]
        wrong = (pivots == 0) | (pivots > size) | (pivots < -size)
        if bool(wrong.any()) or not _blocks_are_pairs(pivots):
            message = f"pivots are what ldl_factor gives, from 1 to {size}, or negative ones in equal pairs"
            raise given.refusal("pivots", message)


def _blocks_are_pairs(pivots: torch.Tensor) -> bool:
    """A negative pivot stands twice in a row: a block of two rows."""
    for row in pivots.reshape(-1, pivots.shape[-1]).tolist():
        index = 0
        while index < len(row):
            if row[index] < 0:
                if index + 1 >= len(row) or row[index + 1] != row[index]:
                    return False
                index += 1
            index += 1
    return True


def matrix_power(given: Given) -> None:
    """-n overflows for the smallest integer, and the loop never ends."""
    power = given.integer("n")
    if power is not None and abs(power) >= 2**63:
        raise given.refusal("n", "'n' must lie between -(2^63 - 1) and 2^63 - 1", got=str(power))


def lu_unpack(given: Given) -> None:
    """The kernel reads min(m, n) pivots of every matrix, whatever the shape of the pivots."""
    matrix, pivots = given.get("LU_data"), given.get("LU_pivots")
    if not isinstance(matrix, torch.Tensor) or not isinstance(pivots, torch.Tensor) or matrix.dim() < 2:
        return
    wanted = (*matrix.shape[:-2], min(matrix.shape[-2:]))
    if tuple(pivots.shape) != wanted and given.get("unpack_pivots", True):
        message = f"for matrices of shape {list(matrix.shape)} the pivots have the shape {list(wanted)}"
        raise given.refusal("LU_pivots", message, expected=list(wanted), got=list(pivots.shape))


def pdist(given: Given) -> None:
    """The gradient for no points at all reads the distance of the first two: SIGSEGV, or SIGFPE."""
    points = given.get("input")
    if isinstance(points, torch.Tensor) and points.requires_grad and points.dim() == 2 and points.shape[0] == 0:
        raise given.refusal("input", "there is no gradient for no points", hint="call it under no_grad, or detached")


FENCES: dict[str, Fence] = {
    "eigvals": eigenvalues,
    "ldl_solve": ldl_solve,
    "matrix_power": matrix_power,
    "lu_unpack": lu_unpack,
    "pdist": pdist,
}
