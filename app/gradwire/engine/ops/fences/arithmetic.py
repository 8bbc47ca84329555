"""Arithmetic: a division that the processor traps, and loops that run as often as a number says."""

from __future__ import annotations

import math
from typing import Any

import torch

from gradwire.engine.ops.fences.given import Concern, Fence, Given, readable

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
    if _meet(left, torch.iinfo(common).min, right, -1):
        name = str(common).removeprefix("torch.")
        hint = "convert one of them to a floating dtype or a wider one first"
        raise given.refusal(None, f"the smallest {name} divided by -1 has no result in that dtype", hint=hint)


def _meet(left: torch.Tensor | int, first: int, right: torch.Tensor | int, second: int) -> bool:
    """Whether `left` is `first` where `right` is `second`."""
    ours, theirs = _holds(left, first), _holds(right, second)
    if ours is None or theirs is None or not bool(ours.any()):
        return False
    try:
        return bool(torch.logical_and(ours, theirs).any())
    except RuntimeError:  # shapes that do not broadcast, in plain view or only within vmap
        return bool(theirs.any()) and _are_wrapped(left, right)


def _are_wrapped(*values: Any) -> bool:
    return any(isinstance(one, torch.Tensor) and torch._C._functorch.is_functorch_wrapped_tensor(one) for one in values)


def _holds(value: torch.Tensor | int, wanted: int) -> torch.Tensor | None:
    """Where `value` is `wanted`; None for a tensor that cannot be looked at."""
    if isinstance(value, torch.Tensor):
        plain = readable(value)
        return None if plain is None else plain == wanted
    return torch.tensor(value == wanted)


def least_common_multiple(given: Given) -> None:
    """It divides the smallest integer by a greatest common divisor that came out as -1: SIGFPE."""
    left, right = given.get("input"), given.get("other")
    if not isinstance(left, torch.Tensor) or not isinstance(right, torch.Tensor):
        return
    common = torch.result_type(left, right)
    ours, theirs = readable(left), readable(right)
    if common not in (torch.int32, torch.int64) or ours is None or theirs is None:
        return
    smallest = ours == torch.iinfo(common).min
    if not bool(smallest.any()):
        return
    try:
        fatal = bool((smallest & (torch.gcd(ours.to(common), theirs.to(common)) == -1)).any())
    except RuntimeError:  # shapes that do not broadcast, in plain view or only within vmap
        fatal = _are_wrapped(left, right)
    if fatal:
        name = str(common).removeprefix("torch.")
        raise given.refusal("input", f"the smallest {name} has no absolute value", hint="convert it to a wider dtype")


def inclusive_range(given: Given) -> None:
    """A fraction as step of an integer range becomes 0, and the length is divided by it: SIGFPE."""
    step, out = given.get("step", 1), given.get("out")
    dtype = given.get("dtype") or (out.dtype if isinstance(out, torch.Tensor) else None)
    whole = isinstance(dtype, torch.dtype) and not dtype.is_floating_point and not dtype.is_complex
    if whole and isinstance(step, (int, float)) and math.isfinite(step) and int(step) == 0 and step != 0:
        raise given.refusal("step", "the step of a range of integers is a whole number", got=str(step))


def polynomial(given: Given) -> None:
    """Laguerre's and Legendre's polynomials take a step of a loop per degree: up to 2^63 of them."""
    degree, number = given.tensor("n"), given.get("n")
    most: float = 0
    if degree is not None and degree.numel() and not degree.is_complex():
        most = degree.double().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0).max().item()
    elif isinstance(number, (int, float)):
        most = number
    if MOST_TERMS < most < 2**63:
        raise given.refusal("n", f"a degree beyond {MOST_TERMS} takes too long", got=str(most))


def binomial(given: Given) -> None:
    """The sampler waits for a number that NaN never gives."""
    for name in ("count", "prob"):
        value = given.tensor(name)
        if value is not None and value.is_floating_point() and bool(torch.isnan(value).any()):
            raise given.refusal(name, f"'{name}' holds NaN", expected="numbers")


FENCES: dict[str, Fence] = {
    **dict.fromkeys(("div", "divide"), divides),
    **dict.fromkeys(("laguerre_polynomial_l", "legendre_polynomial_p"), polynomial),
    "binomial": binomial,
    "lcm": least_common_multiple,
    "range": inclusive_range,
}

# Which calls of an op that is much used are worth a look at all; asked before anything else is done.
CONCERNS: dict[str, Concern] = dict.fromkeys(("div", "divide"), lambda args, kwargs: "rounding_mode" in kwargs)
