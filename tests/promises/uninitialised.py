"""Every known way to memory that an op has not written, each as the nodes of a graph that ends in `y`.

`count` is how many float32 elements are asked for. Whatever of it is not written must be filled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from service import node

Nodes = list[dict[str, Any]]
ONE = node("ones", 1, id="one")

WAYS: dict[str, Callable[[int], Nodes]] = {
    "empty": lambda count: [node("empty", count, id="y")],
    "empty of int32": lambda count: [node("empty", count, dtype="int32", id="y")],
    "empty of uint8": lambda count: [node("empty", 4 * count, dtype="uint8", id="y")],
    "empty of bool": lambda count: [node("empty", 4 * count, dtype="bool", id="b"),
                                    node("view", "$b", dtype="uint8", id="y")],
    "empty of float64": lambda count: [node("empty", count // 2, dtype="float64", id="y")],
    "empty of complex64": lambda count: [node("empty", count // 2, dtype="complex64", id="c"),
                                         node("view_as_real", "$c", id="y")],
    "empty_like": lambda count: [ONE, node("expand", "$one", count, id="x"),
                                 node("empty_like", "$x", memory_format="contiguous_format", id="y")],
    "new_empty": lambda count: [ONE, node("new_empty", "$one", [count], id="y")],
    "empty_permuted": lambda count: [node("empty_permuted", [2, count // 2], [1, 0], id="p"), node("t", "$p", id="y")],
    "empty into another": lambda count: [node("empty", 0, id="o"), node("empty", count, out="$o", id="y")],
    "the gaps of empty_strided": lambda count: [node("empty_strided", [count // 64], [64], id="e"),
                                                node("fill_", "$e", 1),
                                                node("as_strided", "$e", [count - 64], [1], id="y")],
    "the gaps of new_empty_strided": lambda count: [
        ONE, node("new_empty_strided", "$one", [count // 64], [64], id="e"), node("fill_", "$e", 1),
        node("as_strided", "$e", [count - 64], [1], id="y")],
    "resize_": lambda count: [ONE, node("resize_", "$one", [count], id="y")],
    "resize_as_": lambda count: [ONE, node("ones", 1, id="z"), node("expand", "$z", count, id="x"),
                                 node("resize_as_", "$one", "$x", id="y")],
    "shrunk and regrown": lambda count: [node("ones", count // 2, id="x"), node("resize_", "$x", [1]),
                                         node("resize_", "$x", [count // 2]), node("resize_", "$x", [count], id="y")],
    "grown in steps": lambda count: [ONE, *(node("resize_", "$one", [count // step]) for step in (64, 16, 4)),
                                     node("resize_", "$one", [count], id="y")],
    "a clone of a resized one": lambda count: [ONE, node("resize_", "$one", [count], id="r"),
                                               node("clone", "$r", id="y")],
    "as_strided of a resized one": lambda count: [
        ONE, node("resize_", "$one", [count]), node("resize_", "$one", [1], id="r"),
        node("as_strided", "$r", [count], [1], id="y")],
    "set_ apart and resized": lambda count: [node("ones", 4, id="x"), node("getitem", "$x", "1:", id="v"),
                                             node("resize_", "$v", [count], id="y")],
    "a NumPy empty": lambda count: [node("numpy.empty", count, dtype="float32", id="a"),
                                    node("from_numpy", "$a", id="y")],
    "a NumPy empty_like": lambda count: [node("numpy.ones", count, dtype="float32", id="x"),
                                         node("numpy.empty_like", "$x", id="a"), node("from_numpy", "$a", id="y")],
    "a ufunc with where": lambda count: [
        node("numpy.ones", count, dtype="float32", id="x"), node("numpy.zeros", count, dtype="bool", id="w"),
        node("numpy.add", "$x", "$x", where="$w", id="a"), node("from_numpy", "$a", id="y")],
    "a unary ufunc with where": lambda count: [
        node("numpy.ones", count, dtype="float32", id="x"), node("numpy.zeros", count, dtype="bool", id="w"),
        node("numpy.sqrt", "$x", where="$w", id="a"), node("from_numpy", "$a", id="y")],
    # Refused, all of them; should one be callable one day, it is looked at.
    "Tensor.new": lambda count: [ONE, node("Tensor.new", "$one", count, id="y")],
    "FloatTensor": lambda count: [node("FloatTensor", count, id="y")],
    "Tensor": lambda count: [node("Tensor", count, id="y")],
    "as_strided beyond the end": lambda count: [ONE, node("as_strided", "$one", [count], [1], id="y")],
    "set_ beyond the end": lambda count: [ONE, node("Tensor.set_", "$one", "$one", 0, [count], [1], id="y")],
    "a NumPy resize in place": lambda count: [node("numpy.ones", 1, id="x"), node("numpy.ndarray.resize", "$x", count),
                                              node("from_numpy", "$x", id="y")],
    "numpy.ndarray": lambda count: [node("numpy.ndarray", [count], id="a"), node("from_numpy", "$a", id="y")],
    "UntypedStorage": lambda count: [node("UntypedStorage", count, id="y")],
    "from_file": lambda count: [node("from_file", "/dev/zero", size=count, id="y")],
}  # fmt: skip
REFUSED = {
    "Tensor.new", "FloatTensor", "as_strided beyond the end", "set_ beyond the end", "a NumPy resize in place",
    "numpy.ndarray", "UntypedStorage", "from_file", "Tensor",
}  # fmt: skip
