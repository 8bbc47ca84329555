"""A function that exists twice: as a list of steps that prints itself as JSON, and that PyTorch runs in Python.

The Python side knows nothing of the service: ops are found by their names in torch, control flow is Python's own.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Protocol

import torch

Json = Any
Env = list[Any]


@dataclass(frozen=True)
class Var:
    """A value by its number in the function: parameters first, then one for each step; `item` of it, if any."""

    index: int
    item: int | None = None

    def json(self) -> Json:
        """As a reference."""
        return f"$v{self.index}" if self.item is None else f"$v{self.index}.{self.item}"

    def of(self, env: Env) -> Any:
        """Its value."""
        return env[self.index] if self.item is None else env[self.index][self.item]


@dataclass(frozen=True)
class Outer:
    """An input of the graph that a function closes over."""

    name: str
    tensor: torch.Tensor

    def json(self) -> Json:
        """As a reference."""
        return f"${self.name}"

    def of(self, env: Env) -> Any:
        """Its value, the same for every call."""
        return self.tensor


@dataclass(frozen=True)
class Index:
    """An index: its JSON, and what Python puts between the brackets."""

    typed: Json
    local: Any

    def json(self) -> Json:
        """As a typed index."""
        return self.typed

    def of(self, env: Env) -> Any:
        """As Python has it."""
        return self.local


def _json(value: Any) -> Json:
    if isinstance(value, (Var, Outer, Index)):
        return value.json()
    return [_json(one) for one in value] if isinstance(value, list) else value


def _local(value: Any, env: Env) -> Any:
    if isinstance(value, (Var, Outer, Index)):
        return value.of(env)
    return [_local(one, env) for one in value] if isinstance(value, list) else value


class Step(Protocol):
    """One node of a function. `kind` is what it is there to try."""

    kind: str

    def json(self) -> dict[str, Json]:
        """The node, without its id."""

    def run(self, env: Env) -> Any:
        """Its value in Python."""

    def inner(self) -> list[Program]:
        """The functions that it uses."""


@dataclass
class Op:
    """A call of one of PyTorch's functions."""

    kind: str
    name: str
    args: list[Any]
    kwargs: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Json]:
        """The node."""
        made: dict[str, Json] = {"op": self.name, "args": [_json(one) for one in self.args]}
        return made | ({"kwargs": self.kwargs} if self.kwargs else {})

    def run(self, env: Env) -> Any:
        """What PyTorch gives."""
        function = operator.getitem if self.name == "getitem" else reduce(getattr, self.name.split("."), torch)
        kwargs = {word: getattr(torch, one) if word == "dtype" else one for word, one in self.kwargs.items()}
        return function(*[_local(one, env) for one in self.args], **kwargs)

    def inner(self) -> list[Program]:
        """None."""
        return []


@dataclass
class Applied:
    """A call of another function, or control flow over functions, by role."""

    kind: str
    name: str
    of: dict[str, Program]
    args: list[Any]
    options: dict[str, Any] = field(default_factory=dict)

    def json(self) -> dict[str, Json]:
        """The node."""
        names = {role: one.name for role, one in self.of.items()}
        of = names.get("", names)
        made: dict[str, Json] = {"op": self.name, "of": of, "args": [_json(one) for one in self.args]}
        return made | ({"options": self.options} if self.options else {})

    def run(self, env: Env) -> Any:
        """What plain Python does."""
        args = [_local(one, env) for one in self.args]
        return _CONTROL[self.name](self.of, args, self.options)

    def inner(self) -> list[Program]:
        """The functions, and those that they use."""
        return [more for one in self.of.values() for more in (*one.inner(), one)]


def _call(of: dict[str, Program], args: list[Any], options: dict[str, Any]) -> Any:
    return of[""](*args)


def _cond(of: dict[str, Program], args: list[Any], options: dict[str, Any]) -> Any:
    return of["then" if args[0] else "else"](*args[1:])


def _while(of: dict[str, Program], args: list[Any], options: dict[str, Any]) -> Any:
    while of["while"](*args):
        args = list(of["do"](*args))
    return tuple(args)


def _scan(of: dict[str, Program], args: list[Any], options: dict[str, Any]) -> Any:
    carry, ys = args[0], []
    for x in args[1] if len(args) > 1 else range(options["length"]):
        carry, y = of[""](carry, x)
        ys.append(y)
    return carry, torch.stack(ys)


def _map(of: dict[str, Program], args: list[Any], options: dict[str, Any]) -> Any:
    return torch.stack([of[""](x, *args[1:]) for x in args[0]])


_CONTROL = {"call": _call, "cond": _cond, "while_loop": _while, "scan": _scan, "map": _map}


@dataclass
class Program:
    """One function. `returns` is a value, or several as a tuple."""

    name: str
    params: int
    steps: list[Step]
    returns: Var | list[Var]

    def __call__(self, *args: Any) -> Any:
        env = list(args)
        for step in self.steps:
            env.append(step.run(env))
        if isinstance(self.returns, list):
            return tuple(one.of(env) for one in self.returns)
        return self.returns.of(env)

    def inner(self) -> list[Program]:
        """The functions that it uses."""
        return [one for step in self.steps for one in step.inner()]

    def kinds(self) -> set[str]:
        """The kinds of its steps and of those of the functions that it uses."""
        return {step.kind for one in (self, *self.inner()) for step in one.steps}

    def json(self) -> dict[str, Json]:
        """An entry of `functions`."""
        nodes = [{"id": f"v{self.params + place}", **step.json()} for place, step in enumerate(self.steps)]
        return {"params": [f"v{place}" for place in range(self.params)], "nodes": nodes, "returns": _json(self.returns)}


def functions(programs: Sequence[Program]) -> dict[str, Json]:
    """The `functions` of a graph."""
    return {one.name: one.json() for program in programs for one in (*program.inner(), program)}
