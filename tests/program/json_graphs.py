"""Graphs as JSON clients write them, one or more for each kind of node: what /v1/graphs/python turns into PyTorch."""

from __future__ import annotations

from typing import Any

X = {"x": {"data": [[1, 2], [3, 4]], "dtype": "float32", "requires_grad": True}}
V = {"x": {"data": [0.5, 1.5, -2.0], "dtype": "float32"}}
SQUARE = {"f": {"params": ["t"], "nodes": [{"id": "s", "op": "mul", "args": ["$t", "$t"]}], "returns": "s"}}
SCALAR = {
    "f": {
        "params": ["t"],
        "nodes": [{"id": "s", "op": "sin", "args": ["$t"]}, {"id": "u", "op": "sum", "args": ["$s"]}],
        "returns": "u",
    }
}


def one(op: str, *args: Any, inputs: dict[str, Any] = V, **more: Any) -> dict[str, Any]:
    """A graph of one node, `y`."""
    return {"inputs": inputs, "nodes": [{"id": "y", "op": op, "args": list(args), **more}]}


GRAPHS: dict[str, dict[str, Any]] = {
    "tutorial": {
        "inputs": X,
        "nodes": [
            {"id": "y", "op": "add", "args": ["$x", 2]},
            {"id": "yy", "op": "mul", "args": ["$y", "$y"]},
            {"id": "z", "op": "mul", "args": ["$yy", 3]},
            {"id": "out", "op": "mean", "args": ["$z"]},
            {"op": "backward", "args": ["$out"]},
        ],
    },
    "function_of_a_namespace": one("nn.functional.relu", "$x"),
    "short_namespace": one("F.gelu", "$x", kwargs={"approximate": "tanh"}),
    "leading_torch": one("torch.exp", "$x"),
    "method_by_bare_name": one("view", "$x", 3, 1),
    "method_with_its_class": one("Tensor.add_", "$x", 1),
    "dotted_method": one(".sum", "$x", 0),
    "linalg": one("linalg.norm", "$x"),
    "fft": one("fft.fft", "$x"),
    "special": one("special.erf", "$x"),
    "operator_add": one("operator.add", 2, "$x"),
    "operator_matmul": one("operator.matmul", "$x", "$x"),
    "operator_neg": one("operator.neg", "$x"),
    "operator_lt": one("operator.lt", "$x", 1.0),
    "operator_contains": one("operator.contains", "$x", 0.5),
    "operator_iadd": one("operator.iadd", "$x", 1),
    "operator_abs": one("operator.abs", "$x"),
    "operator_not": one("operator.not_", 0),
    "numbers_that_become_a_tensor": one("add", "$x", [1, 2, 3]),
    "number_that_becomes_a_tensor": one("exp", 1.5),
    "list_of_references": one("cat", ["$x", "$x"]),
    "tensor_in_the_arguments": one("mul", "$x", {"tensor": {"data": [2, 0, 1], "dtype": "int64"}}),
    "dtype_by_word": one("zeros", [2, 2], kwargs={"dtype": "float64"}),
    "dtype_in_an_object": one("to", "$x", {"dtype": "int32"}),
    "size_literal": one("ones", {"size": [2, 1]}),
    "float_words": one("full", [3], {"float": "-Infinity"}),
    "float_nan": one("full", [3], {"float": "NaN"}),
    "complex_number": one("mul", "$x", {"complex": [1, -2]}),
    "big_integer": one("operator.add", {"int": "123456789012345678901"}, 1),
    "index_text": one("getitem", "$x", "1:, None"),
    "index_text_with_a_list": one("getitem", "$x", "[0, 2]"),
    "index_text_with_a_reference": {
        "inputs": V,
        "nodes": [
            {"id": "i", "op": "tensor", "args": [1]},
            {"id": "y", "op": "getitem", "args": ["$x", "$i"]},
            {"id": "z", "op": "getitem", "args": ["$x", "$i:"]},
        ],
    },
    "index_typed": one("getitem", "$x", [{"slice": [None, None, 2]}, None]),
    "index_typed_list": one("getitem", "$x", [[2, 0]]),
    "index_ellipsis": one("getitem", "$x", [{"ellipsis": True}, -1]),
    "setitem": {
        "inputs": V,
        "nodes": [{"id": "y", "op": "clone", "args": ["$x"]}, {"id": "z", "op": "setitem", "args": ["$y", "0", 9]}],
    },
    "setattr_grad": {
        "inputs": X,
        "nodes": [
            {"id": "y", "op": "sum", "args": ["$x"]},
            {"op": "backward", "args": ["$y"]},
            {"op": "setattr", "args": ["$x", "grad", None]},
        ],
    },
    "out_argument": {
        "inputs": V,
        "nodes": [
            {"id": "r", "op": "empty", "args": [3]},
            {"id": "y", "op": "add", "args": ["$x", "$x"], "kwargs": {"out": "$r"}},
        ],
    },
    "named_tuple_paths": {
        "inputs": X,
        "nodes": [
            {"id": "m", "op": "max", "args": ["$x"], "kwargs": {"dim": 1}},
            {"id": "a", "op": "add", "args": ["$m.values", "$m.1"]},
            {"id": "s", "value": "$x.shape"},
            {"id": "n", "value": "$x.shape.0"},
            {"id": "t", "op": "mul", "args": ["$x.T", 2]},
        ],
    },
    "dict_paths": {
        "inputs": V,
        "nodes": [
            {"id": "d", "value": {"dict": {"a": "$x", "b": [1, "$x"]}}},
            {"id": "y", "op": "add", "args": ["$d.a", 1]},
            {"id": "z", "op": "add", "args": ["$d.b.1", 1]},
        ],
    },
    "no_grad_node": {
        "inputs": X,
        "nodes": [
            {"id": "y", "op": "mul", "args": ["$x", 2], "no_grad": True},
            {"op": "sub_", "args": ["$x", 1], "no_grad": True},
        ],
    },
    "names_that_python_lacks": {
        "inputs": {"my x": V["x"], "class": V["x"], "torch": V["x"]},
        "nodes": [
            {"id": "a.b", "op": "add", "args": ["$my x", "$class"]},
            {"id": "a b", "op": "add", "args": ["$a.b", "$torch"]},
            {"id": "1", "op": "neg", "args": ["$a b"]},
            {"id": "100%", "op": "neg", "args": ["$1"]},
            {"id": "é", "op": "add", "args": ["$100%", "$a.b.real"]},
            {"id": "np", "op": "numpy.ones", "args": [2]},
        ],
    },
    "numpy": {
        "nodes": [
            {"id": "a", "op": "numpy.ones", "args": [5], "kwargs": {"dtype": "float32"}},
            {"id": "b", "op": "from_numpy", "args": ["$a"]},
            {"op": "numpy.add", "args": ["$a", 1], "kwargs": {"out": "$a"}},
            {"id": "c", "op": ".astype", "args": ["$a", "int64"]},
        ],
    },
    "seeded": {
        "seed": 7,
        "nodes": [
            {"id": "a", "op": "randn", "args": [3]},
            {"op": "manual_seed", "args": [3]},
            {"id": "b", "op": "rand", "args": [3]},
        ],
    },
    "autograd_grad": {
        "inputs": X,
        "nodes": [
            {"id": "y", "op": "pow", "args": ["$x", 3]},
            {"id": "s", "op": "sum", "args": ["$y"]},
            {"id": "g", "op": "autograd.grad", "args": ["$s", ["$x"]], "kwargs": {"create_graph": True}},
            {"id": "h", "op": "autograd.grad", "args": [["$g.0"], "$x"], "kwargs": {"grad_outputs": ["$x"]}},
        ],
    },
    "call": {"inputs": V, "functions": SQUARE, "nodes": [{"id": "y", "op": "call", "of": "f", "args": ["$x"]}]},
    "function_that_gives_a_dict": {
        "inputs": V,
        "functions": {
            "f": {
                "params": ["t"],
                "nodes": [{"id": "s", "op": "add", "args": ["$t", "$x"]}],
                "returns": {"sum": "s", "both": ["t", "s"]},
            }
        },
        "nodes": [
            {"id": "r", "op": "call", "of": "f", "args": ["$x"]},
            {"id": "y", "op": "mul", "args": ["$r.sum", "$r.both.0"]},
        ],
    },
    "grad": {
        "inputs": V,
        "functions": SCALAR,
        "nodes": [{"id": "y", "op": "func.grad", "of": "f", "args": ["$x"], "options": {"argnums": [0]}}],
    },
    "hessian": {
        "inputs": V,
        "functions": SCALAR,
        "nodes": [{"id": "y", "op": "func.hessian", "of": "f", "args": ["$x"]}],
    },
    "transform_of_a_transform": {
        "inputs": V,
        "functions": SCALAR,
        "nodes": [
            {"id": "y", "op": "func.vmap", "of": {"op": "func.grad", "of": "f"}, "args": [[[1.0, 2.0], [3.0, 4.0]]]}
        ],
    },
    "transform_without_arguments": {
        "inputs": V,
        "functions": SCALAR,
        "nodes": [
            {"id": "g", "op": "func.grad", "of": "f"},
            {"id": "y", "op": "call", "of": "$g", "args": ["$x"]},
        ],
    },
    "named_function_as_callee": {
        "inputs": V,
        "nodes": [{"id": "y", "op": "func.jacrev", "of": {"function": "sin"}, "args": ["$x"]}],
    },
    "vjp": {
        "inputs": V,
        "functions": SQUARE,
        "nodes": [{"id": "y", "op": "func.vjp", "of": "f", "args": ["$x"], "options": {"cotangents": "$x"}}],
    },
    "vjp_with_numbers": {
        "inputs": V,
        "functions": SQUARE,
        "nodes": [{"id": "y", "op": "func.vjp", "of": "f", "args": ["$x"], "options": {"cotangents": [1, 0, 2]}}],
    },
    "jvp": {
        "inputs": V,
        "functions": SQUARE,
        "nodes": [{"id": "y", "op": "func.jvp", "of": "f", "args": ["$x"], "options": {"tangents": ["$x"]}}],
    },
    "linearize": {
        "inputs": V,
        "functions": SQUARE,
        "nodes": [{"id": "y", "op": "func.linearize", "of": "f", "args": ["$x"], "options": {"tangents": "$x"}}],
    },
    "autograd_functional": {
        "inputs": V,
        "functions": SCALAR,
        "nodes": [
            {"id": "j", "op": "autograd.functional.jacobian", "of": "f", "args": ["$x"]},
            {"id": "h", "op": "autograd.functional.hvp", "of": "f", "args": ["$x"], "options": {"v": "$x"}},
        ],
    },
    "cond": {
        "inputs": V,
        "functions": SQUARE | {"g": {"params": ["t"], "nodes": [], "returns": "t"}},
        "nodes": [
            {"id": "p", "op": "any", "args": ["$x"]},
            {"id": "y", "op": "cond", "of": {"then": "f", "else": "g"}, "args": ["$p", "$x"]},
        ],
    },
    "while_loop": {
        "inputs": V,
        "functions": {
            "c": {"params": ["i", "v"], "nodes": [{"id": "t", "op": "operator.lt", "args": ["$i", 3]}], "returns": "t"},
            "d": {
                "params": ["i", "v"],
                "nodes": [
                    {"id": "j", "op": "operator.add", "args": ["$i", 1]},
                    {"id": "w", "op": "mul", "args": ["$v", 2]},
                ],
                "returns": ["j", "w"],
            },
        },
        "nodes": [{"id": "y", "op": "while_loop", "of": {"while": "c", "do": "d"}, "args": [0, "$x"]}],
    },
    "scan": {
        "inputs": V,
        "functions": {
            "f": {
                "params": ["c", "v"],
                "nodes": [{"id": "n", "op": "add", "args": ["$c", "$v"]}, {"id": "m", "op": "mul", "args": ["$n", 2]}],
                "returns": ["n", "m"],
            }
        },
        "nodes": [
            {"id": "zero", "op": "zeros", "args": [[]]},
            {"id": "y", "op": "scan", "of": "f", "args": ["$zero", "$x"]},
        ],
    },
    "map": {"inputs": V, "functions": SQUARE, "nodes": [{"id": "y", "op": "map", "of": "f", "args": ["$x"]}]},
    "blocks": {
        "inputs": V,
        "nodes": [
            {"let": "total", "value": 0},
            {
                "op": "for",
                "let": ["i", "v"],
                "in": [{"tuple": [1, 2]}, {"tuple": [3, 4]}],
                "body": [{"let": "total", "op": "operator.add", "args": ["$total", "$v"]}, {"op": "continue"}],
            },
            {
                "op": "while",
                "before": [{"id": "c", "op": "operator.gt", "args": ["$total", 1]}],
                "test": "$c",
                "body": [{"let": "total", "op": "operator.floordiv", "args": ["$total", 2]}],
            },
            {"op": "if", "test": "$total", "then": [{"op": "print", "args": ["one", "$total"]}], "else": []},
            {"op": "with", "of": "no_grad", "args": [], "body": [{"let": "w", "op": "mul", "args": ["$x", 2]}]},
            {
                "op": "def",
                "let": "f",
                "params": ["a", ["k", 2]],
                "keyword_only": [["b", 1.0]],
                "body": [
                    {"id": "m", "op": "mul", "args": ["$a", "$k"]},
                    {"id": "s", "op": "operator.add", "args": ["$m", "$b"]},
                    {"op": "return", "value": "$s"},
                ],
            },
            {"id": "y", "op": "call", "of": "$f", "args": ["$x"], "kwargs": {"b": 0.5}},
            {"let": ["p", ["q", "*r"]], "value": [1, [2, 3, 4]]},
            {"op": "print", "args": [{"star": "$r"}, "$p"], "kwargs": {"sep": ", "}},
            {"id": "t", "op": "format", "args": ["{:.2f} {!r}", 1.5, "a"]},
            {"op": "del", "names": ["w"]},
        ],
    },
    "sub_tensors_of_every_kind": {
        "inputs": {
            "half": {"dtype": "float16", "shape": [2], "data": [0.1, "NaN"]},
            "brain": {"dtype": "bfloat16", "shape": [2], "data": [0.1, -0.0]},
            "tiny": {"dtype": "float8_e4m3fn", "shape": [3], "data": [0.5, 448, -1]},
            "payload": {"dtype": "float32", "shape": [3], "data": ["0x7fc00001", "-NaN", "-Infinity"]},
            "big": {"dtype": "uint64", "shape": [2], "data": ["18446744073709551615", 0]},
            "z": {"dtype": "complex64", "shape": [2], "data": [[1, -0.0], ["NaN", 2]]},
            "flags": {"dtype": "bool", "data": [[True, False]]},
            "nothing": {"dtype": "int16", "shape": [0, 3], "data": []},
            "scalar": {"dtype": "float64", "data": 0.1, "requires_grad": True},
            "empty": {"dtype": "float32", "shape": [0], "data": []},
        },
        "nodes": [{"id": "y", "op": "neg", "args": ["$scalar"]}],
    },
}
