"""Comparing derivatives with finite differences, as torch.autograd.gradcheck and gradgradcheck do.

Central differences: (f(x + eps) - f(x - eps)) / (2 eps) for each element of each input, against one backward pass for
each element of the output. A complex output is two real ones. A complex input is moved along the real and along the
imaginary axis; the derivative is df/da + i df/db, as gradcheck has it and as PyTorch's gradients are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from gradwire.engine.derivatives.asked import Asked, Derivatives
from gradwire.engine.derivatives.function import GraphFunction, Recorded
from gradwire.engine.derivatives.tapes import Tensors, gradients

MOST_FAILURES = 100
_PRECISE = (torch.float64, torch.complex128)
# More elements than anybody waits for; each takes memory twice, and a share of a pass.
MOST_ELEMENTS = 10_000_000


def gradcheck(function: GraphFunction, asked: Asked) -> Derivatives:
    """Whether all derivatives of order `asked.order` agree, and where they do not."""
    checked = _Checked(function, asked.order)
    ran = function.record()
    parts = checked.parts(ran)
    _check_size(function, parts, ran.leaves)
    failures: list[dict[str, Any]] = []
    failed = 0
    for name, analytic, numerical in _pairs(checked, ran, parts, asked.eps):
        wrong = ~torch.isclose(analytic, numerical.to(analytic.dtype), rtol=asked.rtol, atol=asked.atol)
        failed += int(wrong.sum())
        for place in wrong.nonzero()[: MOST_FAILURES - len(failures)].tolist():
            failures.append(_failure(name, place, analytic, numerical, checked, ran, parts))
    steady = checked.is_steady(ran, parts)
    members: dict[str, Any] = {"passed": failed == 0 and steady, "failures": failures, "failed": failed}
    members |= {"deterministic": steady, "order": asked.order, "value": ran.output}
    return Derivatives(members, {**function.unused(ran), **_too_coarse(function, ran)})


class _Checked:
    """What is differentiated: the output or, for order 2, its gradients for a cotangent drawn from the seed."""

    def __init__(self, function: GraphFunction, order: int) -> None:
        self.function = function
        self.order = order
        self._cotangent: torch.Tensor | None = None

    def parts(self, ran: Recorded) -> Tensors:
        """Real tensors; a complex one has a last dimension of its real and imaginary part."""
        if self.order == 1:
            return (_as_real(ran.output),)
        if self._cotangent is None:
            self._cotangent = torch.randn_like(ran.output)
        found = gradients((ran.output,), ran.leaves, (self._cotangent,), create_graph=True)
        return tuple(map(_as_real, found))

    def at(self, values: Tensors) -> torch.Tensor:
        """All parts for other values of the inputs, in one row."""
        leaves = tuple(value.detach().clone().requires_grad_() for value in values)
        parts = self.parts(Recorded(self.function(*leaves), leaves))
        return torch.cat([part.detach().flatten() for part in parts])

    def is_steady(self, ran: Recorded, parts: Tensors) -> bool:
        """Whether a second run gives the same bits, and a second backward pass too."""
        again = self.function.record()
        pairs = list(zip(parts, self.parts(again), strict=True))
        for one, other in list(pairs):
            pairs += zip(_of_ones(one, ran.leaves), _of_ones(other, again.leaves), strict=True)
        return all(torch.allclose(one, other, rtol=0, atol=0, equal_nan=True) for one, other in pairs)


def _of_ones(part: torch.Tensor, leaves: Tensors) -> Tensors:
    return gradients((part,), leaves, (torch.ones_like(part),))


def _as_real(tensor: torch.Tensor) -> torch.Tensor:
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def _pairs(
    checked: _Checked, ran: Recorded, parts: Tensors, eps: float
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """For each input its name, and both Jacobians of all parts: (elements of the parts, elements of the input)."""
    analytic = _analytic(parts, ran.leaves)
    values = tuple(leaf.detach().clone() for leaf in ran.leaves)
    for name, value, rows in zip(checked.function.names, values, analytic, strict=True):
        columns = [
            _numerical(checked, values, value.view(-1)[place : place + 1], eps) for place in range(value.numel())
        ]
        numerical = torch.stack(columns, dim=1) if columns else rows
        yield name, rows, numerical


def _analytic(parts: Tensors, leaves: Tensors) -> Tensors:
    """The Jacobian of all parts by each leaf, by a backward pass for each element."""
    rows: list[Tensors] = []
    for part in parts:
        for place in range(part.numel()):
            cotangent = torch.zeros_like(part)
            cotangent.view(-1)[place] = 1
            rows.append(gradients((part,), leaves, (cotangent,)))
    if not rows:
        return tuple(leaf.new_zeros((0, leaf.numel())) for leaf in leaves)
    return tuple(torch.stack([one.flatten() for one in column]) for column in zip(*rows, strict=True))


def _numerical(checked: _Checked, values: Tensors, element: torch.Tensor, eps: float) -> torch.Tensor:
    """The derivatives of all parts by `element`, which is a view into one of `values`."""
    real = _difference(checked, values, element, eps, eps)
    if not element.is_complex():
        return real
    return torch.complex(real, _difference(checked, values, element, eps * 1j, eps))


def _difference(checked: _Checked, values: Tensors, element: torch.Tensor, step: complex, eps: float) -> torch.Tensor:
    before = element.clone()
    element.copy_(before - step)
    low = checked.at(values)
    element.copy_(before + step)
    high = checked.at(values)
    element.copy_(before)
    return (high - low) / (2 * eps)


def _failure(
    name: str,
    place: list[int],
    analytic: torch.Tensor,
    numerical: torch.Tensor,
    checked: _Checked,
    ran: Recorded,
    parts: Tensors,
) -> dict[str, Any]:
    row, column = place
    names = checked.function.names
    found, expected = analytic[row, column].item(), numerical[row, column].item()
    leaf = ran.leaves[names.index(name)]
    failure = {"input": name, "index": _index(column, leaf), "analytic": found, "numerical": expected}
    failure["difference"] = abs(found - expected)
    for part, of in zip(parts, names if checked.order == 2 else [""], strict=True):
        if row < part.numel():
            failure["output_index"] = _index(row, part)
            return failure | ({"gradient_of": of} if of else {})
        row -= part.numel()
    raise AssertionError("a row of no part")


def _index(place: int, tensor: torch.Tensor) -> list[int]:
    return [int(one) for one in torch.unravel_index(torch.tensor(place), tensor.shape)] if tensor.dim() else []


def _check_size(function: GraphFunction, parts: Tensors, leaves: Tensors) -> None:
    count = sum(part.numel() for part in parts) * sum(leaf.numel() for leaf in leaves)
    if count > MOST_ELEMENTS:
        message = f"gradcheck would compare {count} derivatives"
        hint = "check a smaller case: fewer elements, or fewer inputs in `wrt`"
        raise function.refuse("limit_exceeded", message, got=count, expected=f"at most {MOST_ELEMENTS}", hint=hint)


def _too_coarse(function: GraphFunction, ran: Recorded) -> dict[str, str]:
    """A note on each input whose dtype has too few digits for finite differences."""
    return {
        name: f"{str(leaf.dtype).removeprefix('torch.')} is too coarse for finite differences: a check that fails "
        "says little; send float64 or complex128"
        for name, leaf in zip(function.names, ran.leaves, strict=True)
        if leaf.dtype not in _PRECISE
    }
