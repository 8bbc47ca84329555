"""Tensors as bytes, in and out: the same bits as in JSON and base64, for every dtype."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import safetensors.torch
import torch
from binary import (
    DTYPES,
    MULTIPART,
    NPZ,
    NUMPY,
    SAFETENSORS,
    WORDS,
    any_bytes,
    file_of,
    multipart,
    opened,
    part,
    post,
)

from service import RUN, Service

SHAPES = [(), (3, 5), (257,), (0,), (2, 0, 3)]
COPY = [{"id": "y", "op": "clone", "args": ["$x"]}]


def copied(service: Service, dtype: str, shape: tuple[int, ...], data: bytes, accept: str) -> bytes | object:
    """The tensor of a part, copied by a graph: its bytes in a reply of the media type `accept`, or JSON's data."""
    graph = {"inputs": {"x": part("x", dtype, shape)}, "nodes": COPY}
    reply = post(service, multipart(graph, x=data), accept=accept)
    if accept != "application/json":
        document, tensors = opened(reply)
        assert list(tensors) == ["y"]
        described = document["outputs"]["y"]
        assert (described["dtype"], described["shape"]) == (dtype, list(shape))
        assert described["encoding"] == "part"
        assert "data" not in described
        return tensors["y"]
    return reply.json()["outputs"]["y"]["data"]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_part_has_the_bits_of_base64_and_of_json(service: Service, dtype: str, shape: tuple[int, ...]) -> None:
    data = any_bytes(dtype, shape)
    document = {"dtype": dtype, "shape": list(shape), "encoding": "base64", "data": base64.b64encode(data).decode()}
    known = service.run(COPY, inputs={"x": document})["y"]
    assert copied(service, dtype, shape, data, "application/json") == known["data"]
    again = service.run(COPY, {"y": {"ref": "y", "encoding": "base64"}}, {"x": known})["y"]
    assert base64.b64decode(again["data"]) == data


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("accept", "dtype"), [(SAFETENSORS, dtype) for dtype in WORDS] + [(NPZ, dtype) for dtype in sorted(NUMPY)]
)
def test_a_file_has_the_bits_that_came(service: Service, accept: str, dtype: str, shape: tuple[int, ...]) -> None:
    data = any_bytes(dtype, shape, seed=1)
    assert copied(service, dtype, shape, data, accept) == data


@pytest.mark.parametrize("dtype", WORDS)
def test_a_whole_body_of_tensors_has_its_bits(service: Service, dtype: str) -> None:
    # The first tensor puts the others at places that no dtype of theirs is aligned to.
    tensors = {
        "odd": ("uint8", (3,), b"\1\2\3"),
        **{f"x{place}": (dtype, shape, any_bytes(dtype, shape, place)) for place, shape in enumerate(SHAPES)},
    }
    graph = {"nodes": [], "returns": list(tensors), "encoding": "base64"}
    reply = post(service, file_of(graph, **tensors), SAFETENSORS)
    assert reply.status_code == 200, reply.text
    for name, (said, shape, data) in tensors.items():
        found = reply.json()["outputs"][name]
        assert (found["dtype"], found["shape"]) == (said, list(shape))
        assert base64.b64decode(found["data"]) == data


@pytest.mark.parametrize("size", [1, 31, 1000, 4096])
def test_where_a_tensor_lay_in_the_body_changes_no_bit_of_a_result(service: Service, size: int) -> None:
    x = torch.randn(size, generator=torch.Generator().manual_seed(size))
    for before in range(1, 9):
        graph = {"nodes": [{"id": "y", "op": "sum", "args": ["$x"]}, {"id": "e", "op": "exp", "args": ["$x"]}]}
        body = file_of(
            graph | {"returns": ["y", "e"]},
            odd=("uint8", (before,), bytes(before)),
            x=("float32", (size,), x.numpy().tobytes()),
        )
        _, tensors = opened(post(service, body, SAFETENSORS, accept=SAFETENSORS))
        assert tensors["y"] == x.sum().numpy().tobytes()
        assert tensors["e"] == x.exp().numpy().tobytes()


def test_the_formats_own_libraries_read_and_write_what_is_sent(service: Service) -> None:
    x, w = torch.arange(6.0).reshape(2, 3), torch.randn(3, 3).to(torch.bfloat16)
    request = json.dumps({"nodes": [{"id": "t", "op": "max", "args": ["$x"], "kwargs": {"dim": 1}}], "returns": "tw"})
    request = request.replace('"tw"', '["t", "w"]')
    body = safetensors.torch.save({"x": x, "w": w}, metadata={"request": request})
    reply = post(service, body, SAFETENSORS, accept=SAFETENSORS)
    found = safetensors.torch.load(reply.content)
    assert set(found) == {"t.values", "t.indices", "w"}
    assert torch.equal(found["t.values"], x.max(1).values)
    assert torch.equal(found["t.indices"], x.max(1).indices)
    assert torch.equal(found["w"].view(torch.int16), w.view(torch.int16))
    reply = post(service, body.replace(b'\\"t\\", \\"w\\"', b'\\"x\\", \\"t\\"'), SAFETENSORS, accept=NPZ)
    with np.load(io.BytesIO(reply.content), allow_pickle=False) as archive:
        assert archive.files == ["x", "t.values", "t.indices", "reply.json"]
        assert archive["x"].dtype == np.float32
        assert archive["x"].tolist() == x.tolist()
        assert json.loads(archive["reply.json"])["outputs"]["t"]["names"] == ["values", "indices"]


def test_a_long_body_and_a_long_reply_come_whole(service: Service) -> None:
    for size in (2**18 - 64, 2**18 + 1, 3_000_001):
        data = any_bytes("int32", (size,), size)
        graph = {"inputs": {"x": part("x", "int32", (size,))}, "nodes": [{"id": "y", "op": "neg", "args": ["$x"]}]}
        for accept in (SAFETENSORS, NPZ):
            _, tensors = opened(post(service, multipart(graph, x=data), accept=accept))
            assert tensors["y"] == (-np.frombuffer(data, np.int32)).tobytes()
    # In JSON too, whose long bodies go the same way.
    numbers = list(range(400_000))
    reply = service.run([{"id": "y", "op": "neg", "args": ["$x"]}], inputs={"x": numbers})
    assert reply["y"]["data"] == [-number for number in numbers]


def test_replies_as_files_are_compressed_as_others_are(service: Service) -> None:
    graph = {"nodes": [{"id": "y", "op": "zeros", "args": [5000]}]}
    reply = service.post(RUN, graph, accept=SAFETENSORS, **{"accept-encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert opened(reply)[1]["y"] == bytes(20_000)


def test_one_op_and_a_short_form_take_parts_and_give_files(service: Service) -> None:
    x = np.array([1.0, 2.0, 3.0], np.float32)
    body = multipart({"args": [part("a", "float32", (3,)), 2]}, a=x.tobytes())
    document, tensors = opened(post(service, body, MULTIPART, "/v1/ops/mul", accept=NPZ))
    assert tensors == {"result": (x * 2).tobytes()}
    assert document["result"]["encoding"] == "part"
    graph = {
        "inputs": {"x": part("a", "float32", (3,))},
        "nodes": [{"id": "y", "op": "mul", "args": ["$x", "$x"]}],
        "returns": "y",
        "cotangents": [part("u", "float32", (3,)), part("a", "float32", (3,))],
    }
    body = multipart(graph, a=x.tobytes(), u=np.ones(3, np.float32).tobytes())
    document, tensors = opened(post(service, body, MULTIPART, "/v1/autograd/vjp", accept=SAFETENSORS))
    assert {name: np.frombuffer(data, np.float32).tolist() for name, data in tensors.items()} == {
        "value": [1.0, 4.0, 9.0],
        "vjp.0.x": [2.0, 4.0, 6.0],
        "vjp.1.x": [2.0, 8.0, 18.0],
    }
    assert document["vjp"][1]["x"]["encoding"] == "part"


def test_a_tensor_among_arguments_may_be_a_part_and_is_read_anew_each_time(service: Service) -> None:
    node = {"id": "y", "op": "add", "args": [{"tensor": part("w", "int64", (2,))}, 1]}
    for numbers in ([1, 2], [30, 40]):
        body = multipart({"nodes": [node]}, w=np.array(numbers).tobytes())
        assert post(service, body).json()["outputs"]["y"]["data"] == [number + 1 for number in numbers]
