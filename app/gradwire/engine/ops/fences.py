"""Calls that would kill the process, hang it, or touch memory outside of their tensors: refused by their arguments.

Each fence stands for one defect of the libraries below PyTorch. It looks at a call before it is made and raises
NoOverload, or gives the arguments that make the call safe. The keys are last names without the in-place underscore, so
that `div`, `Tensor.div_` and `special.x` share what they have in common.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import torch

from gradwire.engine.errors import NoOverload

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

Arguments: TypeAlias = tuple[list[Any], dict[str, Any]]
Fence: TypeAlias = Callable[["Op", list[Any], dict[str, Any]], None]


def fenced(name: str) -> bool:
    """Whether calls of the op `name`, or what comes out of them, are looked at."""
    return _key(name) in FENCES or _key(name) in _INDICES


@functools.cache
def _key(name: str) -> str:
    return name.rpartition(".")[2].rstrip("_") if not name.startswith("numpy.") else ""


def check(op: Op, args: list[Any], kwargs: dict[str, Any]) -> Arguments:
    """The arguments to call `op` with. Raises NoOverload for a call that must not be made."""
    fence = FENCES.get(_key(op.name))
    if fence is None:
        return args, kwargs
    args, kwargs = list(args), dict(kwargs)
    fence(op, args, kwargs)
    return args, kwargs


def after(op: Op, result: Any) -> Any:
    """What the client gets: a sparse tensor's indices as a copy."""
    return _own(result) if _key(op.name) in _INDICES else result


def argument(op: Op, args: list[Any], kwargs: dict[str, Any], name: str) -> Any:
    """The value given for the parameter `name`; None where it was left out."""
    if name in kwargs:
        return kwargs[name]
    for overload in op.overloads:
        names = [one.name for one in overload.parameters if not one.keyword_only]
        if name in names and names.index(name) < len(args):
            return args[names.index(name)]
    return None


def _divides(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """The smallest integer divided by -1 and truncated overflows the processor's division: SIGFPE."""
    if kwargs.get("rounding_mode") != "trunc":
        return
    left, right = argument(op, args, kwargs, "input"), argument(op, args, kwargs, "other")
    left = args[0] if left is None and args else left
    if not isinstance(left, (torch.Tensor, int)) or not isinstance(right, (torch.Tensor, int)):
        return
    common = torch.result_type(left, right)
    if common not in (torch.int32, torch.int64):  # narrower ones are divided as int32
        return
    smallest = _holds(left, torch.iinfo(common).min)
    if smallest is None or (minus_one := _holds(right, -1)) is None:
        return
    try:
        fatal = bool(torch.logical_and(smallest, minus_one).any())
    except RuntimeError:  # shapes that do not broadcast: PyTorch says so better
        return
    if fatal:
        raise NoOverload(
            f"{op.last}: the smallest {common} divided by -1 has no result in that dtype".replace("torch.", ""),
            hint="convert one of them to a floating dtype or a wider one first",
        )


def _holds(value: torch.Tensor | int, wanted: int) -> torch.Tensor | None:
    """Where `value` is `wanted`; None for a tensor that cannot be looked at."""
    if isinstance(value, torch.Tensor):
        return value.detach() == wanted if _is_readable(value) else None
    return torch.tensor(value == wanted)


def _is_readable(value: torch.Tensor) -> bool:
    return value.layout is torch.strided and not value.is_meta and not value.is_nested and not value.is_quantized


def _eigenvalues(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """LAPACK's geev runs away on NaN and infinity: SIGSEGV in float32. (eig and eigh look themselves.)"""
    matrix = args[0] if args else kwargs.get("A", kwargs.get("input"))
    if isinstance(matrix, torch.Tensor) and _is_readable(matrix) and not bool(torch.isfinite(matrix).all()):
        raise NoOverload(f"{op.last}: the matrix holds NaN or infinity", 0, expected="finite numbers")


def _ldl_solve(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """LAPACK's sytrs trusts its pivots: outside of 1 … n, or -n … -1 for a block of two rows, it aborts or worse."""
    matrix, pivots = argument(op, args, kwargs, "LD"), argument(op, args, kwargs, "pivots")
    if not isinstance(matrix, torch.Tensor) or not isinstance(pivots, torch.Tensor) or matrix.dim() < 2:
        return
    if pivots.numel() and not pivots.is_floating_point():
        size = matrix.shape[-1]
        wrong = (pivots == 0) | (pivots > size) | (pivots < -size)
        if bool(wrong.any()) or not _blocks_are_pairs(pivots):
            message = f"{op.last}: pivots are what ldl_factor gives, from 1 to {size}, or negative ones in equal pairs"
            raise NoOverload(message, 1)


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


def _matrix_power(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """-n overflows for the smallest integer, and the loop never ends."""
    power = argument(op, args, kwargs, "n")
    if isinstance(power, int) and abs(power) >= 2**63:
        raise NoOverload(f"{op.last}: 'n' must lie between -(2^63 - 1) and 2^63 - 1", 1, got=str(power))


def _ctc_loss(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Targets index the classes, and lengths the targets, without a check."""
    probabilities, targets = argument(op, args, kwargs, "log_probs"), argument(op, args, kwargs, "targets")
    if not isinstance(probabilities, torch.Tensor) or not isinstance(targets, torch.Tensor) or probabilities.dim() < 2:
        return
    classes = probabilities.shape[-1]
    if targets.numel() and bool(((targets < 0) | (targets >= classes)).any()):
        raise NoOverload(f"{op.last}: a target is outside of 0 … {classes - 1}", _at(op, "targets", args, kwargs))
    blank = argument(op, args, kwargs, "blank")
    if isinstance(blank, int) and not 0 <= blank < classes:
        raise NoOverload(f"{op.last}: 'blank' is outside of 0 … {classes - 1}", _at(op, "blank", args, kwargs))
    _ctc_lengths(op, args, kwargs, targets, probabilities.shape[0])


def _ctc_lengths(op: Op, args: list[Any], kwargs: dict[str, Any], targets: torch.Tensor, longest: int) -> None:
    for name, most in (("target_lengths", targets.shape[-1] if targets.dim() else 0), ("input_lengths", longest)):
        lengths = argument(op, args, kwargs, name)
        if isinstance(lengths, torch.Tensor):
            lengths = lengths.reshape(-1).tolist()
        if not isinstance(lengths, (list, tuple)) or not all(isinstance(one, int) for one in lengths):
            continue
        total = sum(lengths) if targets.dim() == 1 and name == "target_lengths" else max(lengths, default=0)
        if total > most or min(lengths, default=0) < 0:
            raise NoOverload(f"{op.last}: '{name}' reaches beyond {most}", _at(op, name, args, kwargs))


def _at(op: Op, name: str, args: list[Any], kwargs: dict[str, Any]) -> int | str | None:
    """Where the argument `name` stands in the call."""
    if name in kwargs:
        return name
    for overload in op.overloads:
        names = [one.name for one in overload.parameters if not one.keyword_only]
        if name in names and names.index(name) < len(args):
            return names.index(name)
    return None


def _checks_invariants(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """A sparse tensor with indices outside of its shape reads and writes foreign memory."""
    if kwargs.get("is_coalesced"):
        raise NoOverload(f"{op.last}: 'is_coalesced' is not taken on trust", "is_coalesced", hint="call coalesce")
    if kwargs.get("check_invariants") is False:
        raise NoOverload(f"{op.last}: the invariants are always checked", "check_invariants", hint="leave it out")
    kwargs["check_invariants"] = True
    # The tensor would share the indices with the one they came from, which can be changed in place after the check.
    for name in ("indices", "crow_indices", "ccol_indices", "col_indices", "row_indices", *_COMPRESSED):
        place = _at(op, name, args, kwargs)
        if isinstance(place, str):
            kwargs[place] = _own(kwargs[place])
        elif place is not None:
            args[place] = _own(args[place])


def _own(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _segment_reduce(op: Op, args: list[Any], kwargs: dict[str, Any]) -> None:
    """unsafe=True reads beyond the data; indices are not implemented but not checked either."""
    if argument(op, args, kwargs, "unsafe"):
        raise NoOverload(f"{op.last}: 'unsafe' leaves out the checks of 'lengths'", _at(op, "unsafe", args, kwargs))
    data, offsets = argument(op, args, kwargs, "data"), argument(op, args, kwargs, "offsets")
    if isinstance(data, torch.Tensor) and isinstance(offsets, torch.Tensor) and offsets.numel():
        size = data.shape[argument(op, args, kwargs, "axis") or 0] if data.dim() else 0
        steps = offsets.diff(dim=-1)
        if bool((offsets < 0).any()) or bool((offsets > size).any()) or bool((steps < 0).any()):
            raise NoOverload(f"{op.last}: 'offsets' must rise from 0 to {size}", _at(op, "offsets", args, kwargs))


# Methods that hand out a sparse tensor's own indices; changed in place, these would point outside of it.
_INDICES = frozenset(("indices", "crow_indices", "ccol_indices", "col_indices", "row_indices"))
_COMPRESSED = ("compressed_indices", "plain_indices")
_SPARSE = ("sparse_coo_tensor", "sparse_csr_tensor", "sparse_csc_tensor", "sparse_bsr_tensor", "sparse_bsc_tensor")

FENCES: dict[str, Fence] = {
    **dict.fromkeys(("div", "divide"), _divides),
    "eigvals": _eigenvalues,
    "ldl_solve": _ldl_solve,
    "matrix_power": _matrix_power,
    "ctc_loss": _ctc_loss,
    **dict.fromkeys((*_SPARSE, "sparse_compressed_tensor"), _checks_invariants),
    "segment_reduce": _segment_reduce,
}
