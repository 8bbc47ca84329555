"""A graph is one Python-like program: views and other names see changes in place, and no memory of others is seen."""

from __future__ import annotations

import pytest
import torch

from service import Service, node
from tensor_json import document, same_bits, same_tensor

X = torch.arange(6, dtype=torch.float32).view(2, 3)
INPUTS = {"x": document(X)}

VIEWS = {
    "view": node("view", "$x", 3, 2, id="v"),
    "T": node("t", "$x", id="v"),
    "getitem": node("getitem", "$x", ":, 1", id="v"),
    "select": node("select", "$x", 0, 1, id="v"),
    "expand": node("expand", "$x", 4, 2, 3, id="v"),
    "detach": node("detach", "$x", id="v"),
    "unsqueeze": node("unsqueeze", "$x", 0, id="v"),
    "as_strided": node("as_strided", "$x", [2, 2], [1, 1], id="v"),
    "numpy": node("numpy", "$x", id="v"),
    "flatten": node("flatten", "$x", id="v"),
    "itself": node("requires_grad_", "$x", False, id="v"),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_sees_what_happens_to_its_base(service: Service, name: str) -> None:
    nodes = [VIEWS[name], node("clone", "$x", id="copy"), node("mul_", "$x", 10)]
    outputs = service.run(nodes, ["x", "v", "copy"], INPUTS, describe="full")
    local = X.clone()
    views = {"view": local.view(3, 2), "T": local.t(), "getitem": local[:, 1], "select": local.select(0, 1),
             "expand": local.expand(4, 2, 3), "as_strided": local.as_strided([2, 2], [1, 1]), "unsqueeze": local[None],
             "flatten": local.flatten()}  # fmt: skip
    local.mul_(10)
    same_bits(outputs["v"], views.get(name, local))
    same_bits(outputs["copy"], X)
    if name != "numpy":
        assert outputs["v"]["storage"] == outputs["x"]["storage"] != outputs["copy"]["storage"]


def test_values_are_read_when_the_graph_has_ended(service: Service) -> None:
    nodes = [
        node("add", "$x", 1, id="y"),
        node("sum", "$y", id="before"),
        node("zero_", "$y"),
        node("fill_", "$x", 7),
    ]
    outputs = service.run(nodes, ["x", "y", "before"], INPUTS)
    same_tensor(outputs["x"], torch.full([2, 3], 7.0))
    same_tensor(outputs["y"], torch.zeros(2, 3))
    assert outputs["before"]["data"] == 21.0


def test_an_in_place_op_gives_its_tensor_itself(service: Service) -> None:
    nodes = [node("add_", "$x", 1, id="y"), node("mul_", "$y", 2, id="z"), node("neg_", "$x")]
    outputs = service.run(nodes, ["x", "y", "z"], INPUTS, describe="full")
    for output in outputs.values():
        same_tensor(output, -((X + 1) * 2))
        assert (output["storage"], output["version"]) == (outputs["x"]["storage"], 3)


def test_describe_full_tells_strides_offset_storage_and_version(service: Service) -> None:
    nodes = [
        node("getitem", "$x", ":, 1:", id="part"),
        node("add_", "$part", 1),
        node("t", "$x", id="turned"),
        node("expand", "$w", 2, 3, id="wide"),
    ]
    outputs = service.run(
        nodes, ["x", "part", "turned", "wide"], INPUTS | {"w": {"data": [[1.0], [2.0]]}}, describe="full"
    )
    described = {
        name: [output[key] for key in ("strides", "storage_offset", "version")] for name, output in outputs.items()
    }
    assert described == {
        "x": [[3, 1], 0, 1], "part": [[3, 1], 1, 1], "turned": [[1, 3], 0, 1], "wide": [[1, 0], 0, 0],
    }  # fmt: skip
    assert (
        outputs["x"]["storage"]
        == outputs["part"]["storage"]
        == outputs["turned"]["storage"]
        != outputs["wide"]["storage"]
    )
    assert isinstance(outputs["x"]["storage"], int)


def test_out_may_be_a_view_or_several(service: Service) -> None:
    nodes = [
        node("zeros", 2, 3, id="z"),
        node("getitem", "$z", "0", id="row"),
        node("getitem", "$x", "1", id="x1"),
        node("mul", "$x1", 2, out="$row"),
        node("empty", 0, id="values"),
        node("empty", 0, dtype="int64", id="indices"),
        node("max", "$x", 1, out={"tuple": ["$values", "$indices"]}, id="m"),
    ]
    outputs = service.run(nodes, ["z", "values", "indices", "m"], INPUTS)
    assert outputs["z"]["data"] == [[6.0, 8.0, 10.0], [0.0, 0.0, 0.0]]
    assert (outputs["values"]["data"], outputs["indices"]["data"]) == ([2.0, 5.0], [2, 2])
    assert [item["data"] for item in outputs["m"]["items"]] == [[2.0, 5.0], [2, 2]]


def test_no_grad_holds_for_its_node_alone(service: Service) -> None:
    x = {"x": document(X, requires_grad=True)}
    nodes = [
        node("mul", "$x", 2, id="a") | {"no_grad": True},
        node("mul", "$x", 2, id="b"),
        node("mul", "$x", 2, id="c") | {"no_grad": False},
        node("add_", "$x", 1) | {"no_grad": True},
    ]
    outputs = service.run(nodes, ["a", "b", "c", "x"], x)
    assert [outputs[name]["grad_fn"] for name in "abc"] == [None, "MulBackward0", "MulBackward0"]
    assert [outputs[name]["requires_grad"] for name in "abcx"] == [False, True, True, True]
    assert outputs["x"]["is_leaf"] is True
    same_bits(outputs["x"], X + 1)


def test_a_training_step(service: Service) -> None:
    """Gradient, update under no_grad, gradient dropped: twice, as in Python."""
    step = [
        node("mv", "$x", "$w", id="p"), node("nn.functional.mse_loss", "$p", "$t", id="l"), node("backward", "$l"),
        node("sub_", "$w", "$w.grad", alpha=0.1) | {"no_grad": True}, node("setattr", "$w", "grad", None),
    ]  # fmt: skip
    second = [{**made, **({"id": made["id"] + "2"} if "id" in made else {})} for made in step]
    for made in second:
        made["args"] = [arg + "2" if arg in ("$p", "$l") else arg for arg in made["args"]]
    inputs = INPUTS | {"w": {"data": [1.0, 0.0, -1.0], "requires_grad": True}, "t": [1.0, 2.0]}
    outputs = service.run([*step, *second], ["w", "l", "l2", "w.grad"], inputs)
    w, t = torch.tensor([1.0, 0.0, -1.0], requires_grad=True), torch.tensor([1.0, 2.0])
    losses = []
    for _ in range(2):
        loss = torch.nn.functional.mse_loss(X.mv(w), t)
        loss.backward()
        losses.append(loss)
        with torch.no_grad():
            w.sub_(w.grad, alpha=0.1)
        w.grad = None
    same_tensor(outputs["w"], w)
    same_tensor(outputs["l"], losses[0])
    same_tensor(outputs["l2"], losses[1])
    assert outputs["w.grad"] == {"kind": "none", "value": None}


def test_setattr_assigns_a_gradient(service: Service) -> None:
    nodes = [
        node("setattr", "$w", "grad", "$g"),
        node("mul_", "$g", 2),
        node("sum", "$w", id="s"),
        node("backward", "$s"),
    ]
    inputs = {"w": {"data": [1.0, 2.0], "requires_grad": True}, "g": [10.0, 20.0]}
    outputs = service.run(nodes, ["w.grad", "g"], inputs)
    assert outputs["w.grad"]["data"] == outputs["g"]["data"] == [21.0, 41.0]


def test_numpy_arrays_share_memory_along_a_chain(service: Service) -> None:
    nodes = [
        node("numpy.arange", 6, dtype="float32", id="a"),
        node("numpy.ndarray.reshape", "$a", [2, 3], id="b"),
        node("from_numpy", "$b", id="t"),
        node("getitem", "$t", "1", id="row"),
        node("numpy", "$row", id="c"),
        node("np.multiply", "$c", 100, out="$c"),
        node("numpy.sum", "$a", id="s"),
        node("numpy.ndarray.max", "$b", id="m"),
        node("getitem", "$b", "0, 1:", id="d"),
    ]
    outputs = service.run(nodes, ["a", "b", "t", "c", "s", "m", "d"])
    assert outputs["a"]["data"] == [0.0, 1.0, 2.0, 300.0, 400.0, 500.0]
    assert outputs["b"]["data"] == outputs["t"]["data"] == [[0.0, 1.0, 2.0], [300.0, 400.0, 500.0]]
    assert outputs["c"]["data"] == [300.0, 400.0, 500.0]
    assert outputs["d"]["data"] == [1.0, 2.0]
    assert [outputs[name]["kind"] for name in "abcd"] == ["ndarray"] * 4
    assert outputs["s"].get("value", outputs["s"].get("data")) == 1203.0
    assert outputs["m"].get("value", outputs["m"].get("data")) == 500.0


NAN, LARGEST = "NaN", 2**31 - 1
UNINITIALISED = {
    "empty": ([node("empty", 3, id="y")], [NAN] * 3),
    "empty int": ([node("empty", 2, dtype="int32", id="y")], [LARGEST] * 2),
    "empty uint8": ([node("empty", 2, dtype="uint8", id="y")], [255] * 2),
    "empty bool": ([node("empty", 2, dtype="bool", id="y")], [True] * 2),
    "empty complex": ([node("empty", 1, dtype="complex64", id="y")], [[NAN, NAN]]),
    "empty float16": ([node("empty", 1, dtype="float16", id="y")], [NAN]),
    "empty_like": ([node("empty_like", "$x", id="y")], [[NAN] * 3] * 2),
    "new_empty": ([node("new_empty", "$x", 2, id="y")], [NAN] * 2),
    "new_empty_strided": ([node("new_empty_strided", "$x", [2], [3], id="y")], [NAN] * 2),
    "empty_permuted": ([node("empty_permuted", [1, 2], [1, 0], id="y")], [[NAN, NAN]]),
    "empty out": ([node("zeros", 0, id="o"), node("empty", 2, out="$o", id="y")], [NAN] * 2),
    "the gaps of empty_strided": (
        [node("empty_strided", [2], [3], id="e"), node("fill_", "$e", 5), node("as_strided", "$e", [4], [1], id="y")],
        [5.0, NAN, NAN, 5.0],
    ),
    "resize_": ([node("ones", 2, id="y"), node("resize_", "$y", 4)], [1.0, 1.0, NAN, NAN]),
    "resize_as_": ([node("ones", 2, id="y"), node("resize_as_", "$y", "$x")], [[1.0, 1.0, NAN], [NAN] * 3]),
    "shrunk and regrown": (
        [node("ones", 4, id="y"), node("resize_", "$y", 1), node("resize_", "$y", 4), node("resize_", "$y", 6)],
        [1.0, 1.0, 1.0, 1.0, NAN, NAN],
    ),
    "numpy.empty": ([node("numpy.empty", 2, id="y")], [NAN] * 2),
    "numpy.empty_like": ([node("numpy", "$x", id="a"), node("numpy.empty_like", "$a", id="y")], [[NAN] * 3] * 2),
    "a ufunc with where": ([node("numpy.ones", 2, id="a"),
                            node("numpy.add", "$a", "$a", where=[True, False], id="y")], [2.0, NAN]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNINITIALISED)
def test_uninitialised_memory_is_filled(service: Service, name: str) -> None:
    nodes, expected = UNINITIALISED[name]
    dirty = [node("full", [4096], 1234.5, id="d")]
    service.run(dirty, [])
    assert service.run(nodes, ["y"], INPUTS)["y"]["data"] == expected


def test_empty_int64_is_filled_with_the_largest(service: Service) -> None:
    assert service.op("empty", 1, dtype="int64")["data"] == ["9223372036854775807"]
