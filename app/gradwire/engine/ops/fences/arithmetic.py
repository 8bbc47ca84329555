"""Arithmetic: a division that the processor traps, and loops that run as often as a number says."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Fence, Given, is_readable

# The polynomials of these families are worked out term by term: a degree beyond this takes many seconds an element.
MOST_TERMS = 2**31


def divides(given: Given) -> None:
    """The smallest integer divided by -1 and truncated overflows the processor's division: SIGFPE."""
    if given.get("rounding_mode") != "trunc":
        return
    left, right = given.get("input"), given.get("other")
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
        name = str(common).removeprefix("torch.")
        hint = "convert one of them to a floating dtype or a wider one first"
        raise given.refusal(None, f"the smallest {name} divided by -1 has no result in that dtype", hint=hint)


def _holds(value: torch.Tensor | int, wanted: int) -> torch.Tensor | None:
    """Where `value` is `wanted`; None for a tensor that cannot be looked at."""
    if isinstance(value, torch.Tensor):
        return value.detach() == wanted if is_readable(value) else None
    return torch.tensor(value == wanted)


def polynomial(given: Given) -> None:
    """Laguerre's and Legendre's polynomials take a step of a loop per degree: up to 2^63 of them."""
    degree = given.get("n")
    most: float | None = None
    if is_readable(degree) and degree.numel() and not degree.is_complex():
        most = degree.detach().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).max().item()
    elif isinstance(degree, (int, float)):
        most = degree
    if most is not None and MOST_TERMS < most < 2**63:
        raise given.refusal("n", f"a degree beyond {MOST_TERMS} takes too long", got=str(most))


def binomial(given: Given) -> None:
    """The sampler waits for a number that NaN never gives."""
    for name in ("count", "prob"):
        value = given.tensor(name)
        if value is not None and value.is_floating_point() and bool(torch.isnan(value).any()):
            raise given.refusal(name, f"'{name}' holds NaN", expected="numbers")


FENCES: dict[str, Fence] = {
    **dict.fromkeys(("div", "divide", "true_divide"), divides),
    **dict.fromkeys(("laguerre_polynomial_l", "legendre_polynomial_p"), polynomial),
    "binomial": binomial,
}
