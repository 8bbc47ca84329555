"""Methods of Python's own types do what Python's do; those of tensors and arrays are the registry's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pythons import Ours, same_as_python

from gradwire.engine.errors import NoOverload
from gradwire.engine.language import methods, names
from gradwire.findings import Refusal

T = torch.tensor([[3.0, 1.0], [2.0, 4.0]])
A = np.array([[3.0, 1.0], [2.0, 4.0]])


def changed(value, name, *args, **kwargs):
    """A program that calls a method and gives its result and what became of the value."""

    def program(p):
        mine = value.copy()
        return p.method(mine, name, *args, **kwargs), mine

    return program


CHANGES = [
    changed([1], "append", 2),
    changed([1], "append"),
    changed([1], "append", 1, 2),
    changed([1], "extend", "ab"),
    changed([1], "extend", range(3)),
    changed([1], "extend", T),
    changed([1], "extend", 5),
    changed([1], "extend"),
    changed([1, 2], "insert", 1, 9),
    changed([1, 2], "insert", -100, 9),
    changed([1, 2], "insert", "x", 9),
    changed([1, 2], "pop"),
    changed([1, 2], "pop", 0),
    changed([1, 2], "pop", 5),
    changed([], "pop"),
    changed([1, 2, 1], "remove", 1),
    changed([1], "remove", 5),
    changed([1, 2, 1], "index", 2),
    changed([1, 2, 1], "index", 1, 1),
    changed([1, 2, 1], "index", 7),
    changed([1, 2, 1.0, True], "count", 1),
    changed([[1], [2]], "index", [2]),
    changed([3, 1, 2], "sort"),
    changed([3, 1, 2], "sort", reverse=True),
    changed([3, -1, 2], "sort", reverse=1),
    changed([3, "a"], "sort"),
    changed([3, 1], "sort", 1),
    changed([3, 1, 2], "reverse"),
    changed([3, 1, 2], "copy"),
    changed([3, 1, 2], "clear"),
    changed({"a": 1}, "get", "a"),
    changed({"a": 1}, "get", "b"),
    changed({"a": 1}, "get", "b", 7),
    changed({"a": 1}, "get", []),
    changed({"a": 1}, "get"),
    changed({"a": 1}, "keys"),
    changed({"a": 1}, "values"),
    changed({"a": 1}, "items"),
    changed({"a": 1}, "pop", "a"),
    changed({"a": 1}, "pop", "b"),
    changed({"a": 1}, "pop", "b", None),
    changed({"a": 1}, "popitem"),
    changed({"a": 1}, "setdefault", "b", []),
    changed({"a": 1}, "update", {"b": 2}, c=3),
    changed({"a": 1}, "update", [("b", 2)]),
    changed({"a": 1}, "update", b=2),
    changed({"a": 1}, "update", [1]),
    changed({"a": 1}, "update", 5),
    changed({"a": 1}, "update", {}, {}),
    changed({"a": 1}, "copy"),
    changed({"a": 1}, "clear"),
]

READS = [
    ("ab c", "upper"),
    ("AB", "lower"),
    ("ab cd", "title"),
    ("ab", "capitalize"),
    ("Ab", "swapcase"),
    ("  a ", "strip"),
    ("xax", "strip", "x"),
    ("xax", "lstrip", "x"),
    ("xax", "rstrip", "x"),
    ("a,b,,c", "split", ","),
    ("a b  c", "split"),
    ("a b c", "split", None, 1),
    ("a", "split", ""),
    ("a b c", "rsplit", " ", 1),
    ("a\nb\r\nc", "splitlines"),
    (", ", "join", ["a", "b"]),
    (",", "join", "abc"),
    (",", "join", ["a", 1]),
    (",", "join", 5),
    (",", "join"),
    ("aab", "replace", "a", "xy"),
    ("aab", "replace", "", "-"),
    ("aab", "replace", "a", "xy", 1),
    ("aab", "replace", "a"),
    ("aab", "replace", "a", 5),
    ("aab", "startswith", "aa"),
    ("aab", "startswith", ("x", "a")),
    ("aab", "endswith", "b"),
    ("aab", "find", "b"),
    ("aab", "rfind", "a"),
    ("aab", "index", "z"),
    ("aab", "rindex", "a"),
    ("aab", "count", "a"),
    ("aab", "count", ""),
    ("7", "zfill", 3),
    ("-7", "zfill", 5),
    ("a", "ljust", 3, "."),
    ("a", "rjust", 3),
    ("a", "center", 4, "*"),
    ("a", "center", 4, "**"),
    ("a", "center", "4"),
    ("a", "center"),
    ("a\tb", "expandtabs", 4),
    ("a\tb", "expandtabs"),
    ("12", "isdigit"),
    ("12", "isnumeric"),
    ("ab", "isalpha"),
    ("", "isspace"),
    ("Ab", "istitle"),
    ("abc", "partition", "b"),
    ("abc", "rpartition", "z"),
    ("abc", "removeprefix", "a"),
    ("abc", "removesuffix", "c"),
    ("{} {x}", "format", 1),
    ((1, 2, 1), "index", 2),
    ((1, 2, 1), "index", 5),
    ((1, 2, 1), "count", 1),
    (torch.Size([2, 3]), "numel"),
    (torch.Size([2, 3]), "index", 3),
    (range(0, 10, 2), "index", 4),
    (range(0, 10, 2), "count", 3),
    (range(0, 10, 2), "index", 3),
    (1.5, "is_integer"),
    (1.5, "as_integer_ratio"),
    (1.5, "hex"),
    (10, "bit_length"),
    (True, "bit_length"),
    (1 + 2j, "conjugate"),
    (5, "append", 1),
    ("a", "append", 1),
    (None, "sum"),
    ([1], "upper"),
    (T, "sum"),
    (T, "sum", 0),
    (T, "argmax", 1),
    (T, "tolist"),
    (T, "size"),
    (T, "append", 1),
    (torch.tensor(3), "item"),
    (T, "item"),
    (A, "mean"),
    (A, "tolist"),
    (A, "upper"),
    (np.float32(2.5), "item"),
    (np.float64(2.5), "mean"),
    (np.float64(2.5), "upper"),
    (np.float64(2.0), "is_integer"),
    (torch.float32, "to_complex"),
]


@pytest.mark.parametrize("program", CHANGES)
def test_methods_that_change(program):
    same_as_python(program)


@pytest.mark.parametrize("call", READS, ids=lambda call: call[1])
def test_methods_that_read(call):
    same_as_python(lambda p: p.method(*call))


def test_sort_takes_a_key():
    same_as_python(lambda p: changed([3, -1, 2], "sort", key=p.abs)(p))


def test_a_tensor_has_the_registrys_methods():
    x = torch.ones(2, requires_grad=True)
    ours = Ours()
    y = ours.method(x, "sum")
    assert ours.method(y, "backward") is None
    assert x.grad.tolist() == [1.0, 1.0]
    with pytest.raises(RuntimeError, match=r"requires grad. Use tensor.detach\(\).numpy\(\)"):
        ours.method(x, "numpy")
    z = torch.zeros(2)
    assert ours.method(z, "add_", 1) is z
    assert ours.method(z, "requires_grad_") is z
    assert z.requires_grad
    op = methods.op_of(z, "add_")
    assert op is not None
    assert (op.name, op.in_place) == ("Tensor.add_", True)
    assert methods.op_of([1], "append") is None


@pytest.mark.parametrize("name", ["storage", "data_ptr", "register_hook", "apply_", "share_memory_"])
def test_excluded_methods_of_tensors_are_refused_with_the_reason(name):
    with pytest.raises(Refusal) as refused:
        Ours().method(T, name)
    (finding,) = refused.value.findings
    assert finding.code == "excluded_op"
    assert finding.message.startswith(f"Tensor.{name} cannot be called: it ")


def test_fences_hold_for_methods():
    smallest = torch.tensor([-(2**31)], dtype=torch.int32)
    with pytest.raises(NoOverload, match="the smallest int32 divided by -1"):
        Ours().method(smallest, "div", torch.tensor([-1], dtype=torch.int32), rounding_mode="trunc")
    with pytest.raises(Refusal, match="meta"):
        Ours().method(T, "to", "meta")


def test_arrays_leave_out_what_the_registry_leaves_out():
    for name in ("tofile", "resize", "setflags"):
        with pytest.raises(Refusal):
            Ours().method(A, name)


@pytest.mark.parametrize(
    "name",
    [
        ".__class__",
        "._base",
        ".__reduce__",
        ".＿_class__",
        ".",
        "..sum",
        ".a.b",
        ".no_such_method",
        "." + "a" * 10**6,
        ". ",
    ],
)
def test_other_names_are_none(name):
    assert names.find(name) is None


@pytest.mark.parametrize(("value", "name"), [("a", "encode"), ("a", "translate"), ("a", "format_map"), (1, "to_bytes")])
def test_methods_that_python_has_and_a_program_has_not(value, name):
    with pytest.raises((NoOverload, AttributeError)):
        methods.call_method(name, Ours().run, value)


def test_words_of_the_table():
    for word in ("builtins.eval", "builtins.open", "builtins.getattr", "builtins.vars", "eval", "math.__loader__"):
        assert names.find(word) is None
    assert names.constant("math.pi") == 3.141592653589793
    assert names.constant("math.sqrt") is None
    assert names.constant("pi") is None
    assert names.value(Ours().run, "builtins.float") is float
    assert names.value(Ours().run, "format") is None
