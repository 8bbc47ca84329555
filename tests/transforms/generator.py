"""Random well-typed functions for hypothesis: each step is tried on a sample as it is drawn, so shapes always fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from hypothesis import strategies as st
from programs import Applied, Index, Op, Outer, Program, Step, Var

Draw = Callable[[st.SearchStrategy[Any]], Any]
SHAPES = [(), (1,), (2,), (3,), (2, 2), (1, 2), (2, 1), (3, 1)]
KINDS = ("elementwise", "broadcasting", "reduction", "indexing", "shape", "linear algebra", "control flow", "call")
_UNARY = "sin cos tanh sigmoid atan exp square erf nn.functional.softplus nn.functional.silu asinh neg sinc".split()
_MOST_ELEMENTS = 24
_MOST = 1e4


@dataclass(frozen=True)
class Sample:
    """A random function of two arguments, the sample that it was tried on, and the input that it closes over."""

    program: Program
    args: tuple[torch.Tensor, torch.Tensor]
    outer: Outer


@dataclass
class Builder:
    """One function in the making: `values` are those of its parameters and steps for the sample."""

    draw: Draw
    outer: Outer
    name: str
    values: list[Any]
    depth: int = 0
    params: int = 0
    steps: list[Step] = field(default_factory=list)
    inner: int = 0

    def __post_init__(self) -> None:
        self.params = len(self.values)

    # ---- choices

    def pick(self, options: Any) -> Any:
        """One of `options`."""
        return self.draw(st.sampled_from(list(options)))

    def var(self, fits: Callable[[torch.Tensor], bool] = lambda tensor: True) -> Var | None:
        """A tensor for which `fits` holds, the later ones first in hypothesis' eyes; None where there is none."""
        able = [Var(place) for place, one in enumerate(self.values) if _is_floating(one) and fits(one)]
        return self.pick(reversed(able)) if able else None

    def at(self, var: Var) -> torch.Tensor:
        """The sample's value."""
        value = var.of(self.values)
        assert isinstance(value, torch.Tensor)
        return value

    def add(self, step: Step) -> Var | None:
        """Take the step where its value is one to go on with."""
        try:
            value = step.run(self.values)
        except RuntimeError:
            return None
        for one in value if isinstance(value, tuple) else (value,):
            if not 0 < one.numel() <= _MOST_ELEMENTS or (
                one.is_floating_point() and not bool((one.abs() < _MOST).all())
            ):
                return None
        self.steps.append(step)
        self.values.append(value)
        return Var(len(self.values) - 1)

    def done(self, returns: Var | list[Var] | None = None) -> Program:
        """The function; it returns its last value unless another is said."""
        return Program(self.name, self.params, self.steps, returns or Var(len(self.values) - 1))

    # ---- steps

    def elementwise(self) -> Var | None:
        """A function of each element."""
        var = self.var()
        return self.add(Op("elementwise", self.pick(_UNARY), [var])) if var else None

    def broadcasting(self) -> Var | None:
        """Two operands, or one and a number, or one and what the function closes over."""
        left = self.var()
        right: Any = self.pick(["var", "number", "outer"])
        right = {"var": self.var(), "number": self.pick([0.5, -1.5, 2]), "outer": self.outer}[right]
        op = self.pick("add sub mul maximum atan2 where".split())
        if op in ("maximum", "atan2") and not isinstance(right, Var):
            op = "mul"
        if op == "where":
            mask = self.add(Op("broadcasting", "gt", [left, 0.1]))
            return self.add(Op("broadcasting", "where", [mask, left, right])) if mask else None
        args = [left, right] if self.draw(st.booleans()) or op == "atan2" else [right, left]
        return self.add(
            Op("broadcasting", op, args if isinstance(args[0], Var) or op in ("add", "mul") else args[::-1])
        )

    def reduction(self) -> Var | None:
        """Over one dimension, or over all."""
        var = self.var(lambda tensor: tensor.dim() > 0)
        if var is None:
            return None
        op = self.pick("sum mean logsumexp prod amax var norm".split())
        dim = self.draw(st.integers(-self.at(var).dim(), self.at(var).dim() - 1))
        keep = {"keepdim": True} if self.draw(st.booleans()) else {}
        if op == "var":
            return self.add(Op("reduction", "var", [var, dim], {"correction": 0, **keep}))
        if op == "norm":
            return self.add(Op("reduction", "linalg.vector_norm", [var, 3], {"dim": dim, **keep}))
        return self.add(Op("reduction", op, [var, dim], keep))

    def indexing(self) -> Var | None:
        """Integers, slices, lists of integers and new dimensions."""
        var = self.var(lambda tensor: tensor.dim() > 0)
        if var is None:
            return None
        size = self.at(var).shape[0]
        at = self.draw(st.integers(-size, size - 1))
        index = self.pick(
            [
                Index(at, at),
                Index([{"slice": [None, None, 2]}], (slice(None, None, 2),)),
                Index([[at, 0, at]], ([at, 0, at],)),
                Index([None, {"ellipsis": True}, 0], (None, ..., 0)),
                Index([{"ellipsis": True}, {"slice": [1, None]}], (..., slice(1, None))),
            ]
        )
        return self.add(Op("indexing", "getitem", [var, index]))

    def shape(self) -> Var | None:
        """The same elements, laid out otherwise."""
        var = self.var()
        assert var is not None
        dims = self.at(var).dim()
        made = [
            Op("shape", "reshape", [var, [-1]]),
            Op("shape", "unsqueeze", [var, 0]),
            Op("shape", "stack", [[var, var]]),
        ]
        if dims:
            other = self.var(lambda tensor: tensor.shape == self.at(var).shape)
            made += [Op("shape", name, [var, 0]) for name in ("cumsum", "flip", "softmax")]
            made[-2] = Op("shape", "flip", [var, [0]])
            made += [Op("shape", "cat", [[var, other], 0]), Op("shape", "roll", [var, 1, 0])]
        if dims > 1:
            made += [Op("shape", "transpose", [var, 0, 1]), Op("shape", "tril", [var])]
        return self.add(self.pick(made))

    def linear_algebra(self) -> Var | None:
        """Products, and what is done with a square matrix that has an inverse for sure."""
        var = self.var(lambda tensor: tensor.dim() > 0)
        if var is None:
            return None
        vector = self.add(Op("shape", "reshape", [var, [-1]]))
        assert vector is not None
        op = self.pick("dot outer matmul einsum solve inv det cholesky".split())
        if op == "dot":
            return self.add(Op("linear algebra", "dot", [vector, vector]))
        if op == "matmul":
            return self._matmul()
        outer = self.add(Op("linear algebra", "outer", [vector, vector]))
        if outer is None or op == "outer":
            return outer
        if op == "einsum":
            return self.add(Op("linear algebra", "einsum", ["ij,j->i", outer, vector]))
        return self._of_matrix(op, outer, vector)

    def _matmul(self) -> Var | None:
        left = self.var(lambda tensor: tensor.dim() > 0)
        assert left is not None
        inner = self.at(left).shape[-1]
        right = self.var(lambda tensor: tensor.dim() > 0 and tensor.shape[max(tensor.dim() - 2, 0)] == inner)
        return self.add(Op("linear algebra", "matmul", [left, right])) if right else None

    def _of_matrix(self, op: str, outer: Var, vector: Var) -> Var | None:
        size = self.at(vector).numel()
        eye = self.add(Op("linear algebra", "eye", [size], {"dtype": "float64"}))
        matrix = self.add(Op("linear algebra", "add", [outer, eye])) if eye else None
        if matrix is None:
            return None
        if op == "solve":
            return self.add(Op("linear algebra", "linalg.solve", [matrix, vector]))
        return self.add(Op("linear algebra", f"linalg.{op}", [matrix]))

    # ---- functions inside

    def function(self, values: list[Any], steps: int) -> Builder:
        """A function of its own for the sample `values`, with some steps that keep the shape of the first."""
        self.inner += 1
        made = Builder(self.draw, self.outer, f"{self.name}_{self.inner}", values, self.depth + 1)
        last: Var = Var(0)
        for _ in range(steps):
            last = made.same_shape(last) or last
        if not made.steps:
            made.add(Op("elementwise", "tanh", [Var(0)]))
        return made

    def same_shape(self, var: Var) -> Var | None:
        """A step that keeps the shape of `var`."""
        if self.draw(st.booleans()):
            return self.add(Op("elementwise", self.pick(("sin", "tanh", "sigmoid", "atan")), [var]))
        return self.add(Op("broadcasting", self.pick(("mul", "add")), [var, self.pick([0.75, -1.25, var])]))

    def call(self) -> Var | None:
        """Another function of the same arguments."""
        var = self.var()
        assert var is not None
        inner = self.function([self.at(var)], 2).done()
        return self.add(Applied("call", "call", {"": inner}, [var]))

    def control_flow(self) -> Var | None:
        """cond, while_loop, scan or map."""
        var = self.var(lambda tensor: tensor.dim() > 0)
        if var is None:
            return None
        return {"cond": self._cond, "while": self._while, "scan": self._scan, "map": self._map}[
            self.pick(["cond", "while", "scan", "map"])
        ](var)

    def _cond(self, var: Var) -> Var | None:
        total = self.add(Op("reduction", "sum", [var]))
        test = self.add(Op("control flow", "gt", [total, 0.25])) if total else None
        if test is None:
            return None
        of = {role: self.function([self.at(var)], 2).done() for role in ("then", "else")}
        return self.add(Applied("control flow", "cond", of, [test, var]))

    def _while(self, var: Var) -> Var | None:
        do = self.function([self.at(var), 0], 1)
        carry = Var(len(do.values) - 1)
        do.steps.append(Op("control flow", "add", [Var(1), 1]))
        self.inner += 1
        test = Program(f"{self.name}_{self.inner}", 2, [Op("control flow", "lt", [Var(1), 3])], Var(2))
        return self._loop(var, do, carry, test)

    def _loop(self, var: Var, do: Builder, carry: Var, test: Program) -> Var | None:
        count = self.add(Op("control flow", "zeros", [[]], {"dtype": "int64"}))
        body = Program(do.name, 2, do.steps, [carry, Var(len(do.steps) + 1)])
        turns = self.draw(st.integers(3, 5))
        of = {"while": test, "do": body}
        made = self.add(Applied("control flow", "while_loop", of, [var, count], {"max_steps": turns}))
        return self._item(made)

    def _scan(self, var: Var) -> Var | None:
        first = self.at(var)[0]
        body = self.function([first, first], 1)
        carry = Var(len(body.values) - 1)
        sum_ = body.add(Op("broadcasting", "mul", [carry, Var(1)]))
        if sum_ is None:
            return None
        start = self.add(Op("indexing", "getitem", [var, Index(0, 0)]))
        if start is None:
            return None
        return self._item(self.add(Applied("control flow", "scan", {"": body.done([sum_, carry])}, [start, var])))

    def _map(self, var: Var) -> Var | None:
        inner = self.function([self.at(var)[0], self.at(var)], 2).done()
        return self.add(Applied("control flow", "map", {"": inner}, [var, var]))

    def _item(self, made: Var | None) -> Var | None:
        """One of the values of a tuple, by itself."""
        if made is None:
            return None
        item = self.draw(st.integers(0, 1))
        if not self.values[made.index][item].is_floating_point():
            item = 0
        return self.add(Op("elementwise", "tanh", [Var(made.index, item)]))


@st.composite
def samples(draw: Draw) -> Sample:
    """A random function of two tensors with up to seven steps drawn, and where to take its derivatives."""
    args = tuple(_tensor(draw, draw(st.sampled_from(SHAPES))) for _ in range(2))
    outer = Outer("outer", _tensor(draw, draw(st.sampled_from([(), (1,), (2,)]))))
    made = Builder(draw, outer, "f", list(args))
    last: Var | None = None
    for _ in range(draw(st.integers(2, 7))):
        kind = draw(st.sampled_from(KINDS))
        last = getattr(made, kind.replace(" ", "_"))() or last
    if last is None or not made.at(last).is_floating_point():
        last = made.add(Op("broadcasting", "mul", [Var(0), Var(1)])) or made.add(Op("elementwise", "sin", [Var(0)]))
    return Sample(made.done(last), (args[0], args[1]), outer)


def _is_floating(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _tensor(draw: Draw, shape: tuple[int, ...]) -> torch.Tensor:
    """Random elements, none of them at a corner of a function by chance."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))
    return torch.rand(shape, generator=generator, dtype=torch.float64) * 3 - 1.5
