"""Jacobians and Hessians of a graph: which mode, how much at a time, and the matrices by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from gradwire.engine.derivatives import jacobians
from gradwire.engine.derivatives.asked import Asked, Derivatives
from gradwire.engine.derivatives.function import GraphFunction, Recorded
from gradwire.engine.derivatives.modes import NO_RULE, in_mode, may_be_of_the_mode
from gradwire.engine.derivatives.tapes import Tensors, reach
from gradwire.findings import Refusal, Source, refuse

# Forward mode holds values and tangents, and a backward pass that can be differentiated again its own tape.
_TWO_OF_EACH = 2
# The share of a worker's memory that the passes made at a time may take: one in four.
_SHARE = 4

Matrices: TypeAlias = tuple[list[Tensors], int]


def jacobian(function: GraphFunction, asked: Asked) -> Derivatives:
    """The Jacobian by each input; `auto` is forward mode where there are more outputs than inputs."""
    ran = function.record()
    rows, columns = ran.output.numel(), _columns(ran)
    _check_room(function, asked, rows * columns, ran)
    mode = "reverse" if columns >= rows or _is_complex(ran) else "auto"
    (found, chunk), mode = in_mode(
        mode if asked.mode == "auto" else asked.mode,
        lambda: _forward(function, lambda *values: (function(*values),), ran, asked),
        lambda: _reverse(function, ran, asked),
    )
    members = {"value": ran.output, "jacobian": function.named(found[0]), "mode": mode, "chunk_size": chunk}
    return Derivatives(members, function.unused(ran))


def hessian(function: GraphFunction, asked: Asked) -> Derivatives:
    """The Hessian by each pair of inputs: a Jacobian, by default in forward mode, of the gradient in reverse mode."""
    ran = function.record()
    _check_room(function, asked, ran.output.numel() * _columns(ran) ** 2, ran)
    if asked.mode == "forward" and function.holds_back:
        raise _would_ignore_no_grad()
    gradient = torch.func.jacrev(function, argnums=tuple(range(len(ran.leaves))))
    mode = "reverse" if function.holds_back or _is_complex(ran) else "auto"
    (found, chunk), mode = in_mode(
        mode if asked.mode == "auto" else asked.mode,
        lambda: _forward(function, gradient, ran, asked),
        lambda: _reverse_twice(gradient, ran, asked),
    )
    named = function.named([function.named(part) for part in found])
    members = {"value": ran.output, "hessian": named, "mode": mode, "chunk_size": chunk}
    return Derivatives(members, function.unused(ran))


def _columns(ran: Recorded) -> int:
    return sum(leaf.numel() for leaf in ran.leaves)


def _is_complex(ran: Recorded) -> bool:
    """Whether the modes differ: forward mode gives a derivative, reverse mode its conjugate, as `.grad` is."""
    return any(one.is_complex() for one in (ran.output, *ran.leaves))


def _forward(function: GraphFunction, of: Callable[..., Tensors], ran: Recorded, asked: Asked) -> Matrices:
    count = _columns(ran)
    chunk = _chunk(asked, count, _TWO_OF_EACH * _pass_bytes(ran))
    with function.forward_mode():
        found = jacobians.forward(of, tuple(leaf.detach() for leaf in ran.leaves), chunk)
    return found, min(chunk or count, count)


def _reverse(function: GraphFunction, ran: Recorded, asked: Asked) -> Matrices:
    rows = _Rows(ran.output.numel(), _TWO_OF_EACH * _pass_bytes(ran), ran, asked)
    return rows.found(lambda *values: (function(*values),), lambda: (ran.output,))


def _reverse_twice(gradient: Callable[..., Tensors], ran: Recorded, asked: Asked) -> Matrices:
    rows = _Rows(_columns(ran), _TWO_OF_EACH**2 * _pass_bytes(ran), ran, asked)
    return rows.found(gradient, lambda: jacobians.recorded((ran.output,), ran.leaves, None)[0])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Jacobians in reverse mode: `count` rows, of which each takes `each` bytes."""

    count: int
    each: int
    ran: Recorded
    asked: Asked

    def found(self, function: Callable[..., Tensors], outputs: Callable[[], Tensors]) -> Matrices:
        """The Jacobians of `function`. Where it cannot be run inside of a transform, those of the recorded `outputs`;
        one row at a time where vmap has no rule for an op and the choice is ours."""
        asked, leaves = self.asked, self.ran.leaves
        chunk = _chunk(asked, self.count, self.each)
        tries: list[tuple[int | None, Callable[[], list[Tensors]]]] = [
            (chunk, lambda: jacobians.reverse(function, tuple(leaf.detach() for leaf in leaves), chunk)),
            (chunk, lambda: jacobians.recorded(outputs(), leaves, chunk)),
        ]
        if asked.chunk_size == "auto" and chunk != 1:
            tries.append((1, lambda: jacobians.recorded(outputs(), leaves, 1)))
        for taken, compute in tries[:-1]:
            try:
                return compute(), min(taken or self.count, self.count)
            except (Refusal, *NO_RULE) as error:
                if not may_be_of_the_mode(error):
                    raise
        taken, compute = tries[-1]
        return compute(), min(taken or self.count, self.count)


def _pass_bytes(ran: Recorded) -> int:
    """What one backward pass takes: all the gradients on its way."""
    return reach(ran.output).bytes + sum(leaf.nbytes for leaf in ran.leaves)


def _chunk(asked: Asked, count: int, each: int) -> int | None:
    """How many of `count` passes of `each` bytes to make at a time; None for all."""
    if isinstance(asked.chunk_size, int):
        return asked.chunk_size
    fitting = max(1, asked.memory // _SHARE // max(1, each))
    return None if fitting >= count or asked.chunk_size == "all" else fitting


def _check_room(function: GraphFunction, asked: Asked, count: int, ran: Recorded) -> None:
    """Refuse a result that cannot be held or written, before it is computed."""
    itemsize = max(one.element_size() for one in (ran.output, *ran.leaves))
    # At the least a number is written `0.0,`, or in base64 with four characters for three bytes.
    shortest = min(4, itemsize * 4 // 3)
    if count * itemsize <= asked.memory and count * shortest <= asked.text:
        return
    raise function.refuse(
        "limit_exceeded",
        f"the result has {count} elements, more than a reply holds",
        got=count,
        expected=f"a reply of at most {asked.text} bytes",
        hint="ask for products with vectors (vjp, jvp, hvp), or name fewer inputs in `wrt`",
    )


def _would_ignore_no_grad() -> Exception:
    return refuse(
        "invalid_argument",
        "forward mode over reverse mode would differentiate what the graph computes without gradients",
        Source("/mode"),
        got="forward",
        expected=["auto", "reverse"],
    )
