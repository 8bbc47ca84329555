"""Control flow over functions (contract section 3): cond, while_loop, scan, map.

Plain Python over the client's functions, so they are differentiable as plain PyTorch code is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import torch
from torch.utils import _pytree as pytree

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.budget import exceeded
from gradwire.engine.language.truth import truth
from gradwire.engine.steps import Run
from gradwire.engine.tangents import as_tensor
from gradwire.engine.transform_options import Options

Function: TypeAlias = Callable[..., Any]


def cond(run: Run, of: Mapping[str, Function], args: Sequence[Any], options: Options) -> Any:
    """`then` or `else` of the operands, by the predicate."""
    predicate, *operands = args
    return (of["then"] if truth(predicate) else of["else"])(*operands)


def while_loop(run: Run, of: Mapping[str, Function], args: Sequence[Any], options: Options) -> Any:
    """The carries once `while` of them is false: one as it is, several as a tuple."""
    ceiling = run.budget.most
    most = options.get("max_steps", ceiling)
    if type(most) is not int or not 1 <= most <= ceiling:
        raise NoOverload(f"max_steps is from 1 to {ceiling}", "max_steps", expected=f"1 to {ceiling}", got=str(most))
    carries = tuple(args)
    turns = 0
    while truth(of["while"](*carries)):
        if turns == most:
            raise exceeded(f"while_loop goes on after {most} turns", f"at most {most} turns")
        turns += 1
        run.budget.take()
        carries = _carries(of["do"](*carries), carries)
    return carries[0] if len(carries) == 1 else carries


def _carries(given: Any, before: tuple[Any, ...]) -> tuple[Any, ...]:
    """What `do` gives as so many carries as there were before."""
    count = len(before)
    if count == 1:
        alone = _is_one(given) and not _is_one(before[0])
        return (given[0] if alone else given,)
    if not isinstance(given, (list, tuple)) or len(given) != count:
        got = len(given) if isinstance(given, (list, tuple)) else 1
        raise NoOverload(f"the function `do` gives {got} of {count} carries", expected=count, got=got)
    return tuple(given)


def _is_one(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 1


def scan(run: Run, of: Function, args: Sequence[Any], options: Options) -> Any:
    """(last carry, stacked ys) of `carry, y = of(carry, x)` over the first dimension of xs."""
    carry = args[0]
    xs = as_tensor(args[1]) if len(args) > 1 else None
    length = _length("scan", xs, options.get("length"))
    run.budget.take(length)
    ys = []
    for x in range(length) if xs is None else _rows(xs, length):
        given = of(carry, x)
        if not isinstance(given, (list, tuple)) or len(given) != 2:
            raise NoOverload("the function of scan returns two values: the next carry, and y", expected="[carry, y]")
        carry, y = given
        ys.append(y)
    return carry, _stacked("scan", ys)


def map_(run: Run, of: Function, args: Sequence[Any], options: Options) -> Any:
    """`of(x, *operands)` over the first dimension of xs, stacked."""
    xs = as_tensor(args[0])
    length = _length("map", xs, None)
    run.budget.take(length)
    return _stacked("map", [of(x, *args[1:]) for x in _rows(xs, length)])


def _length(op: str, xs: Any, wanted: Any) -> int:
    """How many steps there are."""
    if wanted is not None and (type(wanted) is not int or wanted < 0):
        raise NoOverload("length is a number of steps", "length", expected="an integer from 0", got=str(wanted)[:64])
    leaves = [] if xs is None else pytree.tree_leaves(xs)
    if not leaves:
        if wanted is None:
            raise NoOverload(f"{op} needs xs" + (", or the option 'length'" if op == "scan" else ""), expected="xs")
        return int(wanted)
    if not all(isinstance(one, torch.Tensor) and one.dim() > 0 for one in leaves):
        raise NoOverload(f"xs of {op} are tensors with at least one dimension", 1 if op == "scan" else 0)
    lengths = {one.shape[0] for one in leaves} | ({wanted} if wanted is not None else set())
    if len(lengths) > 1:
        raise NoOverload(f"xs of {op} differ in length: {sorted(lengths)}", 1 if op == "scan" else 0)
    return int(lengths.pop())


def _rows(xs: Any, length: int) -> Iterator[Any]:
    """xs step by step, as Python goes through a tensor: one backward step gathers the gradients of all rows."""
    leaves, structure = pytree.tree_flatten(xs)
    columns = [leaf.unbind(0) for leaf in leaves]
    for step in range(length):
        yield pytree.tree_unflatten([column[step] for column in columns], structure)


def _stacked(op: str, ys: Sequence[Any]) -> Any:
    """The ys of all steps along a new first dimension, leaf by leaf."""
    if not ys:
        raise NoOverload(f"{op} over nothing has no y that a shape could be known of", expected="at least one step")
    leaves, structure = pytree.tree_flatten(ys[0])
    rows = [leaves]
    for y in ys[1:]:
        more, other = pytree.tree_flatten(y)
        if other != structure:
            raise NoOverload(f"the function of {op} returns ys of one structure", expected=str(structure)[:200])
        rows.append(more)
    return pytree.tree_unflatten([_stack(column) for column in zip(*rows, strict=True)], structure)


def _stack(column: Sequence[Any]) -> Any:
    if all(one is None for one in column):
        return None
    return torch.stack([one if isinstance(one, torch.Tensor) else torch.tensor(one) for one in column])


# By op: the roles of its functions (none: one function without a role), its options, how many arguments at least.
ROLES: dict[str, tuple[str, ...]] = {"cond": ("then", "else"), "while_loop": ("while", "do")}
OPTIONS: dict[str, frozenset[str]] = {"while_loop": frozenset(("max_steps",)), "scan": frozenset(("length",))}
LEAST: dict[str, int] = {"cond": 1, "while_loop": 1, "scan": 1, "map": 1}
CONTROL: dict[str, Callable[..., Any]] = {"cond": cond, "while_loop": while_loop, "scan": scan, "map": map_}
