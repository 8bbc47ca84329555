"""Text is what Python, PyTorch and NumPy make of a value, with 0x0 for addresses: print, str, repr, format and %."""

from __future__ import annotations

import functools
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from pythons import Ours, Plain, outcome, same_as_python

from gradwire.engine.errors import NoOverload
from gradwire.engine.functions import Code, Function
from gradwire.engine.language import functions, text

X = torch.ones(2, 2, requires_grad=True)

VALUES = [
    0,
    -5,
    2**4000,
    1.0,
    0.1,
    1e300,
    -0.0,
    float("nan"),
    True,
    None,
    1 + 2j,
    "it's",
    'a"b\n\u2028',
    [],
    [1, [2.5, "x"], (None,)],
    (),
    (1,),
    {"a": [1], 2: (3, 4)},
    {},
    range(3),
    range(0, 10, 2),
    slice(1, None),
    Ellipsis,
    torch.Size([2, 3]),
    torch.Size([]),
    torch.float32,
    torch.device("cpu"),
    torch.strided,
    torch.channels_last,
    torch.finfo(torch.float16),
    torch.tensor(1),
    torch.tensor([1.5, float("inf")]),
    torch.tensor([1e10, 1.0]),
    torch.tensor([True, False]),
    torch.tensor([1 + 2j]),
    torch.arange(2000),
    torch.zeros(100, 100),
    torch.zeros(3, 0),
    torch.zeros(10**9, 0),
    torch.zeros(1).expand(10**12),
    torch.zeros(2, dtype=torch.float64),
    torch.zeros(2, dtype=torch.bfloat16),
    torch.zeros(2, dtype=torch.uint8),
    torch.eye(2).to_sparse(),
    torch.eye(2).to_sparse_csr(),
    X,
    (X + 1),
    (X + 1).sum(),
    [X.sum(), X],
    X.sum().grad_fn,
    (X + 1).grad_fn.next_functions,
    torch.max(torch.tensor([[1.0, 2.0]]), 1),
    torch.linalg.svd(torch.eye(1)),
    np.linalg.svd(np.eye(1)),
    np.ones((2, 2)),
    np.zeros(2000),
    np.zeros((10**9, 0)),
    np.float32(1.5),
    [np.float64(1.5), np.int64(3), np.bool_(True)],
    np.dtype("float32"),
    [np.ones(2)],
    {"w": X}.items(),
    {"a": 1}.keys(),
    {"a": 1}.values(),
    zip([1]),
    reversed([1]),
    reversed((1,)),
    reversed(range(3)),
    int,
    torch.Tensor,
    torch.dtype,
    np.ndarray,
    type(None),
    len,
    math.sqrt,
    torch.sin,
    torch.nn.functional.relu,
    torch.Tensor.sum,
    functools.partial(torch.sin, X, out=None),
    functools.partial(functools.partial(max, 1), key=abs),
    [len, int],
    int | str,
]


def plainly(value: str) -> str:
    return re.sub(r"0x[0-9a-f]{6,}", "0x0", value)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_str_and_repr(value):
    if isinstance(value, zip):
        value, shown = Ours().zip([1]), "<zip object at 0x0>"
        assert (text.str_of(value), text.repr_of([value])) == (shown, f"[{shown}]")
    else:
        assert text.str_of(value) == plainly(str(value))
        assert text.repr_of(value) == plainly(repr(value))
        assert text.repr_of({"k": [value]}) == plainly(repr({"k": [value]}))


def test_functions_modules_and_lazy_values():
    def shown(value):
        return text.str_of(value)

    function = Function(Code("f", "f", [], []), [], {})
    ours = Ours()
    assert shown(function) == "<function f at 0x0>"
    assert shown([function]) == "[<function f at 0x0>]"
    assert shown(torch) == "<module 'torch'>"
    assert shown(torch.nn.functional) == "<module 'torch.nn.functional'>"
    assert shown(ours.len) == "<built-in function len>"
    assert shown(ours.map(ours.len, [])) == "<map object at 0x0>"
    assert shown(ours.enumerate([])) == "<enumerate object at 0x0>"
    assert shown(ours.partial(function, 2, k=ours.len)) == (
        "functools.partial(<function f at 0x0>, 2, k=<built-in function len>)"
    )
    assert functions.type_of(function).__name__ == "function"


@pytest.mark.parametrize("value", [object(), SimpleNamespace(), {1}, b"x", iter([]), (n for n in ()), slice(X, None)])
def test_other_values_have_no_text(value):
    for wrapped in (value, [value], {"a": value}):
        with pytest.raises(NoOverload, match="cannot be turned to text"):
            text.str_of(wrapped)


PRINTS = [
    lambda p: p.print(),
    lambda p: p.print(1, "a", None),
    lambda p: p.print(1, 2, sep=", "),
    lambda p: p.print(1, end=""),
    lambda p: p.print(1, 2, sep="", end="\n\n"),
    lambda p: p.print(1, sep=None, end=None),
    lambda p: p.print([1.0, "a"], (X,), {"x": X.sum()}),
    lambda p: p.print("loss:", X.sum(), X.dtype, X.shape),
    lambda p: p.print(1, sep=5),
    lambda p: p.print(1, end=X),
    lambda p: p.print(torch.tensor(0.1).item()),
    lambda p: p.print(np.arange(3), np.arange(3)),
]

FORMATS = [
    ("{:.3f} {!r} {name}", (1.23456, "x"), {"name": 3}),
    ("{0} {1} {0}", (1, 2), {}),
    ("{{}} {}", (1,), {}),
    ("{:>{}}|{:{w}.{p}f}", ("a", 5, 1.5), {"w": 8, "p": 2}),
    ("{!s:>5}", (None,), {}),
    ("{!a}", ("é",), {}),
    ("{!x}", (1,), {}),
    ("{} {}", (1,), {}),
    ("{0} {}", (1, 2), {}),
    ("{} {0}", (1, 2), {}),
    ("{a}", (), {}),
    ("{", (), {}),
    ("}", (), {}),
    ("{:{:{}}}", (1, 2, 3), {}),
    ("{99999999999999999999}", (1,), {}),
    ("{:d}", (1.5,), {}),
    ("{:.2f}", ("a",), {}),
    ("{:,}", (1234567,), {}),
    ("{:_d} {:#x} {:b} {:08.3e} {:+d} {:%}", (1000, 255, 5, 1234.5, 7, 0.25), {}),
    ("{:g} {:n} {:c} {:z.1f}", (1e20, 5, 65, -0.01), {}),
    ("{:^9}|{:<5}|{:*>7}", ("ab", "c", "d"), {}),
    ("{:5}", (True,), {}),
    ("{:>5}", (None,), {}),
    ("{:>5}", ([1],), {}),
    ("{}", ([1, "a"],), {}),
    ("{}", (None,), {}),
    ("{:.2f}", (torch.tensor(1.234),), {}),
    ("{:.2f}", (X.sum(),), {}),
    ("{}", (torch.tensor(1.5),), {}),
    ("{}", (X,), {}),
    ("{:.2f}", (X,), {}),
    ("{!r:>30}", (torch.tensor(1.5),), {}),
    ("{:d}", (torch.tensor(3),), {}),
    ("{:.3f}", (np.float32(0.1),), {}),
    ("{:.3f}", (np.float64(0.1),), {}),
    ("{:5d}", (np.int64(3),), {}),
    ("{}", (np.ones(2),), {}),
    ("{:.1f}", (np.ones(2),), {}),
    ("{:.1f}", (np.array(1.25),), {}),
    ("{}", (X.shape,), {}),
    ("{:>20}", (X.shape,), {}),
    ("{:>20}", (torch.float32,), {}),
    ("{} {}", (torch.float32, torch.device("cpu")), {}),
    ("{:.2f}", (1 + 2j,), {}),
    ("{:999d}", (1,), {}),
    ("{:0>5}", (3,), {}),
    ("{:9<5}", (3,), {}),
    ("{:<<5}", (3,), {}),
    ("{:q}", (3,), {}),
]

PERCENTS = [
    ("%d%% of %s", (5, "x")),
    ("%s", 5),
    ("%s", [1, 2]),
    ("%s", ((1, 2),)),
    ("%r %a", ("é", "é")),
    ("%5.2f|%-6d|%+d|%05d|%x|%#o|%e|%g", (1.234, 5, 6, 7, 255, 8, 1.5, 1e10)),
    ("%(a)s %(b)d", {"a": 1, "b": 2}),
    ("%(a)s", {"b": 1}),
    ("%(a)s", 5),
    ("%c%c", (65, "b")),
    ("%d", "a"),
    ("%d", 1.9),
    ("%.2f", torch.tensor(1.234)),
    ("%d", torch.tensor(3)),
    ("%s", X),
    ("%s and %s", (1,)),
    ("%s", (1, 2)),
    ("abc", 5),
    ("abc", ()),
    ("abc", [5]),
    ("abc", {"a": 1}),
    ("abc", X),
    ("abc", "x"),
    ("%", 5),
    ("%5", 5),
    ("%q", 5),
    ("ab %y", 5),
    ("%i %u", (1, 2)),
    ("%.3s", "abcdef"),
    ("%10s|%-10s|", ("a", "b")),
    ("%ld", 5),
    ("%s", None),
    ("%%", ()),
]


@pytest.mark.parametrize("program", PRINTS)
def test_print(program):
    same_as_python(program)


@pytest.mark.parametrize(("template", "args", "kwargs"), FORMATS, ids=[one[0] for one in FORMATS])
def test_format(template, args, kwargs):
    same_as_python(lambda p: p.format(template, *args, **kwargs))


@pytest.mark.parametrize(("template", "values"), PERCENTS, ids=[str(one[0]) for one in PERCENTS])
def test_percent(template, values):
    same_as_python(lambda p: p.operator.mod(template, values))
    same_as_python(lambda p: p.operator.imod(template, values))


def test_str_and_repr_as_builtins():
    for program in (
        lambda p: p.str(),
        lambda p: p.str(1.0),
        lambda p: p.repr("a"),
        lambda p: p.repr(),
        lambda p: p.repr(1, 2),
    ):
        assert outcome(program, Ours()) == outcome(program, Plain())


@pytest.mark.parametrize("template", ["{x.y}", "{0.__class__}", "{x[0]}", "{0[a]}", "{.real}", "{[0]}", "{:{x.y}}"])
def test_fields_have_no_attribute_or_index(template):
    with pytest.raises(NoOverload, match="a field is empty, a number or a name"):
        Ours().format(template, 1, x=[1])


def test_print_writes_nowhere_else():
    with pytest.raises(NoOverload, match="print takes no 'file' here"):
        Ours().print(1, file=None)
    Ours().print(1, flush=True)


def test_vmap_and_dual_values_print_as_in_pytorch():
    shown = []

    def look(x):
        shown.append((text.str_of(x), str(x)))
        return x

    torch.func.vmap(look)(torch.ones(3, 2))
    torch.func.grad(lambda x: look(x).sum())(torch.ones(2))
    torch.func.jvp(look, (torch.ones(2),), (torch.ones(2),))
    assert len(shown) == 3
    for ours, theirs in shown:
        assert ours == theirs
