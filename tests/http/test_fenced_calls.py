"""Calls that would kill a worker, hang it or touch foreign memory: 422 at the argument, and no worker is lost.

One row per fence and way around it; docs/fences.md says what each call does in plain PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from service import Json, Node, Service, node


@dataclass(frozen=True)
class Fenced:
    """A graph whose last node is refused at `pointer`, relative to that node."""

    name: str
    last: Node
    pointer: str
    inputs: dict[str, Json] = field(default_factory=dict)
    before: tuple[Node, ...] = ()


def ints(*values: Any, dtype: str = "int64") -> Json:
    return {"data": list(values), "dtype": dtype}


def floats(*values: Any, grad: bool = False, shape: list[int] | None = None) -> Json:
    made: dict[str, Json] = {"data": list(values), "dtype": "float32"}
    return made | ({"requires_grad": True} if grad else {}) | ({"shape": shape} if shape is not None else {})


EYE = floats([2.0, 0.0], [0.0, 2.0])
LSTM = {
    "x": floats([[1.0, 2.0, 3.0]]),
    "state": floats([[0.0, 0.0]]),
    "wide": floats([[0.0] * 900]),
    "w": {"data": [[0.5] * 3] * 8},
    "u": {"data": [[0.5] * 2] * 8},
    "b": {"data": [0.5] * 8},
    "short": floats(0.5),
}
RNN = {"x": floats([1.0], [2.0]), "none": ints(), "h": floats([[0.0], [0.0]]), "w": floats([0.5])}
FLAGS = [False, 1, 0.0, False, False]


def lstm(states: list[str], weights: list[str]) -> Node:
    return node("lstm", "$x", states, weights, len(weights) == 4, 1, 0.0, False, False, False)


DIVISION = [
    Fenced(
        f"the smallest {dtype} by -1 through {op}",
        node(op, "$x", "$y", rounding_mode="trunc"),
        "",
        {"x": ints(str(-(2 ** (bits - 1))), 5, dtype=dtype), "y": ints(-1, 1, dtype=dtype)},
    )
    for op in ("div", "divide", "Tensor.div", "div_", "divide_")
    for dtype, bits in (("int32", 32), ("int64", 64))
]
LINEAR_ALGEBRA = [
    Fenced("eigvals of NaN", node("linalg.eigvals", "$m"), "/args/0", {"m": floats(["NaN", 1.0], [1.0, 1.0])}),
    Fenced(
        "eigvals of infinity", node("linalg.eigvals", "$m"), "/args/0", {"m": floats(["Infinity", 1.0], [1.0, 1.0])}
    ),
    Fenced(
        "eigvals of a complex NaN",
        node("linalg.eigvals", "$m"),
        "/args/0",
        {"m": {"data": [[["NaN", 0]]], "dtype": "complex64", "shape": [1, 1]}},
    ),
    Fenced("eigvals by keyword", node("linalg.eigvals", input="$m"), "/kwargs/input", {"m": floats(["NaN"])}),
    Fenced(
        "a NaN that only comes while running",
        node("linalg.eigvals", "$q"),
        "/args/0",
        {"m": floats([0.0])},
        (node("div", "$m", "$m", id="q"),),
    ),
    Fenced(
        "pivots of ldl_solve beyond the matrix",
        node("linalg.ldl_solve", "$m", "$p", "$m"),
        "/args/1",
        {"m": EYE, "p": ints(1, 900, dtype="int32")},
    ),
    Fenced(
        "a negative pivot alone",
        node("linalg.ldl_solve", "$m", "$p", "$m"),
        "/args/1",
        {"m": EYE, "p": ints(1, -1, dtype="int32")},
    ),
    Fenced("matrix_power", node("linalg.matrix_power", "$m", -(2**63)), "/args/1", {"m": EYE}),
    Fenced("matrix_power without linalg", node("matrix_power", "$m", -(2**63)), "/args/1", {"m": EYE}),
    Fenced("Tensor.matrix_power", node("Tensor.matrix_power", "$m", n=-(2**63)), "/kwargs/n", {"m": EYE}),
    Fenced("lu_unpack without pivots", node("lu_unpack", "$m", "$p"), "/args/1", {"m": EYE, "p": ints(dtype="int32")}),
    Fenced(
        "lu_unpack with pivots for more matrices",
        node("lu_unpack", "$m", "$p"),
        "/args/1",
        {"m": EYE, "p": ints([1, 2], [1, 2], dtype="int32")},
    ),
    *(
        Fenced(
            f"{op} of no points with a gradient",
            node(op, "$x"),
            "/args/0",
            {"x": {"data": [], "shape": [0, 5], "dtype": "float32", "requires_grad": True}},
        )
        for op in ("pdist", "nn.functional.pdist")
    ),
]
LOOPS = [
    *(
        Fenced(f"the 10^12th {op}", node(f"special.{op}", "$x", "$n"), "/args/1", {"x": floats(0.5), "n": floats(1e12)})
        for op in ("laguerre_polynomial_l", "legendre_polynomial_p")
    ),
    Fenced("a number as degree", node("special.laguerre_polynomial_l", "$x", 1e12), "/args/1", {"x": floats(0.5)}),
    Fenced("binomial of NaN", node("binomial", "$n", "$p"), "/args/0", {"n": floats("NaN"), "p": floats(0.5)}),
    Fenced("binomial with a NaN", node("binomial", "$n", "$p"), "/args/1", {"n": floats(9.0), "p": floats("NaN")}),
]
CTC = {
    "p": {"data": [[[-1.0] * 3]] * 4},
    "far": ints([1, 10**12]),
    "below": ints([1, -1]),
    "fine": ints([1, 2]),
    "four": ints(4),
    "two": ints(2),
    "nine": ints(9),
}
SEGMENTS = [
    *(
        Fenced(f"ctc_loss: {name}", node("nn.functional.ctc_loss", "$p", *args), pointer, CTC)
        for name, args, pointer in (
            ("a target beyond the classes", ("$far", "$four", "$two"), "/args/1"),
            ("a target below 0", ("$below", "$four", "$two"), "/args/1"),
            ("too long a target", ("$fine", "$four", "$nine"), "/args/3"),
            ("too long an input", ("$fine", "$nine", "$two"), "/args/2"),
            ("the blank", ("$fine", "$four", "$two", -5), "/args/4"),
        )
    ),
    Fenced("ctc_loss with lengths as lists", node("ctc_loss", "$p", "$fine", [4], [9]), "/args/3", CTC),
    Fenced(
        "segment_reduce unsafe",
        node("segment_reduce", "$x", "sum", lengths="$n", unsafe=True),
        "/kwargs/unsafe",
        {"x": floats(1.0, 2.0), "n": ints(2)},
    ),
    Fenced(
        "segment_reduce with offsets beyond the data",
        node("segment_reduce", "$x", "sum", offsets="$n"),
        "/kwargs/offsets",
        {"x": floats(1.0, 2.0), "n": ints(0, 10**9)},
    ),
    Fenced(
        "segment_reduce with lengths for fewer rows",
        node("segment_reduce", "$x", "sum", lengths="$n", axis=1),
        "/kwargs/lengths",
        {"x": floats([1.0, 2.0], [3.0, 4.0]), "n": ints([2])},
    ),
    *(
        Fenced(
            f"{op} with offsets that fall",
            node(op, *args, "$o"),
            "/args/2",
            {"w": EYE, "i": ints(1, 0, 1, 1), "o": ints(0, 3, 1, 2)},
        )
        for op, args in (("embedding_bag", ("$w", "$i")), ("nn.functional.embedding_bag", ("$i", "$w")))
    ),
    *(
        Fenced(
            f"{name} with repeats that overflow",
            made,
            pointer,
            {"r": ints(*[str(2**62)] * 4, 5), "x": floats(*[1.0] * 5)},
        )
        for name, made, pointer in (
            ("repeat_interleave", node("repeat_interleave", "$x", "$r"), "/args/1"),
            ("repeat_interleave of repeats alone", node("repeat_interleave", "$r"), "/args/0"),
            ("Tensor.repeat_interleave", node("Tensor.repeat_interleave", "$x", repeats="$r"), "/kwargs/repeats"),
        )
    ),
]
SIZES = [
    *(
        Fenced(
            f"max_pool1d with {name} {value}", node(op, "$x", *args), f"/args/{len(args)}", {"x": floats([[1.0] * 4])}
        )
        for op in ("max_pool1d", "nn.functional.max_pool1d")
        for name, value, args in (
            ("a kernel of", 2**62, (2**62,)),
            ("a kernel of", 2**63 - 1, ([2**63 - 1],)),
            ("a stride of", 2**40, (2, 2**40)),
            ("a dilation of", 2**62, (5, 1, 0, 2**62)),
        )
    ),
    Fenced(
        "native_batch_norm without statistics",
        node("native_batch_norm", "$x", None, None, None, None, False, 0.1, 1e-5),
        "/args/3",
        {"x": EYE},
    ),
    *(
        Fenced(
            f"native_batch_norm with a short {name}",
            node("native_batch_norm", "$x", *("$s" if one == place else None for one in range(4)), True, 0.1, 1e-5),
            f"/args/{place + 1}",
            {"x": EYE, "s": floats(1.0)},
        )
        for place, name in enumerate(("weight", "bias", "running_mean", "running_var"))
    ),
    Fenced(
        "batch_norm_update_stats with short statistics",
        node("batch_norm_update_stats", "$x", "$s", "$s", 0.1),
        "/args/1",
        {"x": EYE, "s": floats(1.0)},
    ),
    Fenced(
        "fused_moving_avg_obs_fake_quant with statistics of one channel",
        node("fused_moving_avg_obs_fake_quant", "$x", "$on", "$on", "$s", "$s", "$s", "$z", 0.1, 0, 255, 0, True),
        "/args/3",
        {"x": EYE, "on": ints(1), "s": floats(1.0), "z": ints(0, dtype="int32")},
    ),
    Fenced(
        "fused_moving_avg_obs_fake_quant with empty statistics",
        node("fused_moving_avg_obs_fake_quant", "$x", "$on", "$on", "$s", "$s", "$s", "$z", 0.1, 0, 255, 0),
        "/args/3",
        {"x": EYE, "on": ints(1), "s": floats(), "z": ints(dtype="int32")},
    ),
]
RECURRENT = [
    Fenced("lstm with wide states", lstm(["$wide", "$wide"], ["$w", "$u"]), "/args/1", LSTM),
    Fenced("lstm with one wide state", lstm(["$state", "$wide"], ["$w", "$u"]), "/args/1", LSTM),
    Fenced("lstm with short biases", lstm(["$state", "$state"], ["$w", "$u", "$short", "$short"]), "/args/2", LSTM),
    Fenced("lstm with weights for other features", lstm(["$state", "$state"], ["$u", "$u"]), "/args/2", LSTM),
    Fenced(
        "lstm with empty batch sizes", node("lstm", "$x", "$none", ["$h", "$h"], ["$w", "$w"], *FLAGS), "/args/1", RNN
    ),
    *(
        Fenced(f"{op} with empty batch sizes", node(op, "$x", "$none", "$h", ["$w", "$w"], *FLAGS), "/args/1", RNN)
        for op in ("gru", "rnn_tanh", "rnn_relu")
    ),
]
NORMS = {"x": EYE, "w": floats(1.0, 1.0), "s": floats(1.0)}
NATIVE = [
    *(
        Fenced(f"native_group_norm: {name}", node("native_group_norm", "$x", *args, 1e-5), f"/args/{place}", NORMS)
        for name, args, place in (
            ("no groups", ("$w", "$w", 2, 2, 1, 0), 6),
            ("groups that do not divide", ("$w", "$w", 2, 2, 1, 3), 6),
            ("counts for more", ("$w", "$w", 2, 2, 9, 1), 3),
            ("negative counts", ("$w", "$w", -2, -2, 1, 1), 3),
            ("a short weight", ("$s", "$w", 2, 2, 1, 1), 1),
            ("a short bias", ("$w", "$s", 2, 2, 1, 1), 2),
        )
    ),
    Fenced(
        "native_group_norm: an expanded bias",
        node("native_group_norm", "$x", "$w", "$e", 2, 2, 1, 1, 1e-5),
        "/args/2",
        NORMS,
        (node("expand", "$s", 2, id="e"),),
    ),
    *(
        Fenced(
            f"{op} along an expanded dimension",
            node(op, "$e", 0),
            "/args/0",
            NORMS,
            (node("expand", "$w", 3, 2, id="e"),),
        )
        for op in ("median", "nanmedian", "Tensor.median", "Tensor.nanmedian")
    ),
    *(
        Fenced(
            f"choose_qparams_optimized with {name}", node("choose_qparams_optimized", "$x", 4, *args, 8), pointer, NORMS
        )
        for name, args, pointer in (("negative bins", (-1, 0.5), "/args/2"), ("a ratio beyond 1", (9, 1e38), "/args/3"))
    ),
    Fenced(
        "choose_qparams_optimized with many bins",
        node("choose_qparams_optimized", "$x", 4, 10**12, 0.5, 8),
        "/args/2",
        NORMS,
    ),
]
GRID = {
    "x": {"data": [[[[1.0, 2.0]]]]},
    "g": {"data": [[[[0.0, 0.0]]]]},
    "x3": {"data": [[[[[1.0, 2.0]]]]]},
    "g3": {"data": [[[[[0.0, 0.0, 0.0]]]]]},
}
SAMPLING = [
    *(
        Fenced(f"{op} with {name}", node(op, *tensors, *modes, True), f"/args/{place}", GRID)
        for op, tensors in (
            ("grid_sampler", ("$x", "$g")),
            ("grid_sampler_2d", ("$x", "$g")),
            ("grid_sampler_3d", ("$x3", "$g3")),
        )
        for name, modes, place in (("an unknown interpolation", (3, 0), 2), ("an unknown padding", (0, -(2**31)), 3))
    ),
    Fenced("grid_sampler_3d, bicubic", node("grid_sampler_3d", "$x3", "$g3", 2, 0, True), "/args/2", GRID),
    *(
        Fenced(f"{op} with a negative window", node(op, x, -(2**31), 1), "/args/1", GRID)
        for op, x in (("nn.functional.fractional_max_pool2d", "$x"), ("nn.functional.fractional_max_pool3d", "$x3"))
    ),
]
SPARSE_NUMBER = (
    node("tensor", [1.0, 2.0], id="v"),
    node("to_sparse", "$v", id="s"),
    node("zeros", [], layout="sparse_coo", id="nothing"),
)
PRODUCTS = [
    *(
        Fenced(f"{op} by a sparse number without an element", node(op, "$s", "$nothing"), "/args/1", {}, SPARSE_NUMBER)
        for op in ("mul", "multiply", "mul_", "operator.mul", "operator.imul")
    ),
    Fenced("the same by keyword", node("mul", "$s", other="$nothing"), "/kwargs/other", {}, SPARSE_NUMBER),
    Fenced("the same the other way round", node("mul", "$nothing", "$s"), "/args/0", {}, SPARSE_NUMBER),
    *(
        Fenced(f"{op} of all of a sparse tensor", node(op, "$s", 1.0, True), "/args/0", {}, SPARSE_NUMBER)
        for op in ("dropout", "dropout_", "feature_dropout", "nn.functional.dropout")
    ),
]
INTEGERS = [
    Fenced(
        "as_strided_ with a stride that wraps around",
        node("as_strided_", "$x", [3, 4], [3, 2**63 - 1], 1),
        "/args/2",
        {"x": floats(*[1.0] * 12)},
    ),
    Fenced("lcm of the smallest integer", node("lcm", "$x", "$y"), "/args/0", {"x": ints(str(-(2**63))), "y": ints(5)}),
    Fenced("lcm_ of it", node("lcm_", "$x", "$y"), "/args/0", {"x": ints(str(-(2**63))), "y": ints(-7)}),
    Fenced("an inclusive range of integers by fractions", node("range", 2, 5, 0.1, dtype="int32"), "/args/2"),
    Fenced("the same into a tensor", node("range", 2, 5, 0.1, out="$x"), "/args/2", {"x": ints(0)}),
]
ARRAYS = [
    Fenced(
        f"{op} with repeats that overflow",
        node(op, "$a", "$r"),
        "/args/1",
        {"a": floats(*[1.0] * 4), "r": ints(*[str(2**62)] * 4)},
    )
    for op in ("numpy.repeat", "numpy.ndarray.repeat")
]
ARRAYS += [
    *(
        Fenced(f"{op} from before the array", node(op, "$m", -(2**31)), "/args/1", {"m": EYE})
        for op in ("numpy.diagonal", "numpy.trace", "numpy.diag", "numpy.ndarray.diagonal", "numpy.ndarray.trace")
    ),
    *(
        Fenced(f"{op} from before the array", node(op, "$m", offset=-(2**31)), "/kwargs/offset", {"m": EYE})
        for op in ("numpy.linalg.diagonal", "numpy.linalg.trace")
    ),
    *(
        Fenced(f"{op} of infinity", node(op, "$m", *more), "/args/0", {"m": floats(["Infinity", 1.0], [1.0, 1.0])})
        for op, more in (("numpy.linalg.svd", ()), ("numpy.linalg.pinv", ()), ("numpy.linalg.lstsq", ("$m",)))
    ),
    Fenced(
        "numpy.polyfit with infinite powers",
        node("numpy.polyfit", [1e300, 2.0, 3.0], [1.0, 2.0, 3.0], 2),
        "/args/0",
    ),
]
SPARSE = [
    Fenced(
        "a coalesced tensor on trust",
        node("sparse_coo_tensor", "$i", "$v", [2], is_coalesced=True),
        "/kwargs/is_coalesced",
        {"i": ints([0, 9]), "v": floats(1.0, 2.0)},
    ),
    Fenced(
        "a sparse tensor without checks",
        node("sparse_csr_tensor", "$c", "$i", "$v", [2, 2], check_invariants=False),
        "/kwargs/check_invariants",
        {"c": ints(0, 1, 2), "i": ints(0, 9), "v": floats(1.0, 2.0)},
    ),
]

CASES = [
    *DIVISION,
    *LINEAR_ALGEBRA,
    *LOOPS,
    *SEGMENTS,
    *SIZES,
    *RECURRENT,
    *NATIVE,
    *SAMPLING,
    *PRODUCTS,
    *INTEGERS,
    *ARRAYS,
    *SPARSE,
]


@pytest.fixture(scope="module", autouse=True)
def _no_worker_is_lost(service: Service) -> Any:
    before = service.client.get("/v1/server").json()["workers"]
    yield
    after = service.client.get("/v1/server").json()["workers"]
    assert after["lost"] == before["lost"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_that_would_kill_is_refused(service: Service, case: Fenced) -> None:
    nodes = [*case.before, {**case.last, "id": "last"}]
    problem = service.refused({"inputs": case.inputs, "nodes": nodes})
    assert (problem["status"], problem["code"]) == (422, "invalid_argument")
    (error,) = problem["errors"]
    assert error["pointer"] == f"/nodes/{len(nodes) - 1}{case.pointer}"
    assert error["node"] == "last"


def test_the_same_call_as_a_single_op(service: Service) -> None:
    body = {"args": [{"data": [str(-(2**63))], "dtype": "int64"}, -1], "kwargs": {"rounding_mode": "trunc"}}
    problem = service.refused(body, "/v1/ops/div")
    assert problem["code"] == "invalid_argument"
    problem = service.refused({"args": [{"data": [["NaN"]], "dtype": "float32"}]}, "/v1/ops/linalg.eigvals")
    assert problem["errors"][0]["pointer"] == "/args/0"


def test_sparse_indices_are_checked_by_pytorch(service: Service) -> None:
    inputs = {"i": ints([0, 9]), "v": floats(1.0, 2.0)}
    problem = service.refused({"inputs": inputs, "nodes": [node("sparse_coo_tensor", "$i", "$v", [2])]})
    assert problem["code"] == "op_failed"
    assert "size is inconsistent with indices" in problem["errors"][0]["message"]


@pytest.mark.parametrize(
    "made",
    [
        node("device", "meta", id="d"),
        node("operator.add", "me", "ta", id="d"),
    ],
    ids=["made by device", "put together"],
)
def test_a_device_that_comes_up_while_running_must_be_present(service: Service, made: Node) -> None:
    for last in (node("ones", 3, device="$d"), node("to", "$x", "$d"), node("Tensor.to", "$x", device="$d")):
        problem = service.refused({"inputs": {"x": floats(1.0)}, "nodes": [made, last]})
        assert problem["code"] == "unavailable_device"
    reply = service.value(node("operator.add", "cp", "u", id="d"), node("ones", 1, device="$d"))
    assert reply["data"] == [1.0]


def test_numpy_wraps_far_indices_at_once(service: Service) -> None:
    inputs = {"a": floats(1.0, 2.0, 3.0), "i": ints(str(-(2**63)), 10**12)}
    for op in ("numpy.take", "numpy.ndarray.take"):
        for mode in ("wrap", 1):
            taken = service.value(node(op, "$a", "$i", mode=mode), inputs=inputs)
            assert taken["data"] == [float((-(2**63)) % 3 + 1), float(10**12 % 3 + 1)]
    chosen = service.value(node("numpy.choose", "$i", [5, 6, 7], mode="wrap"), inputs=inputs)
    assert chosen["data"] == [5 + (-(2**63)) % 3, 5 + 10**12 % 3]
    put = [node("numpy.array", "$a", id="b"), node("numpy.put", "$b", "$i", 9, mode="wrap"), node("numpy.sort", "$b")]
    assert service.value(*put, inputs=inputs)["data"] == [1.0, 3.0, 9.0]  # both are 1 modulo 3
