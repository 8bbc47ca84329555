"""Bodies of bytes that are wrong on purpose, and what the reply says of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from binary import (
    BOUNDARY,
    MULTIPART,
    NPZ,
    SAFETENSORS,
    file_of,
    multipart,
    part,
    post,
    safetensors,
)

from service import RUN, Service

GRAPH = {"inputs": {"x": part("x", "float32", (2,))}, "nodes": [{"id": "y", "op": "neg", "args": ["$x"]}]}
BYTES = bytes(8)
GOOD = multipart(GRAPH, x=BYTES)
NODES = {"nodes": [{"id": "y", "op": "neg", "args": ["$x"]}]}


def refused(service: Service, body: bytes, content_type: str = MULTIPART, **headers: str) -> tuple[int, str, str]:
    """Status, code and pointer of the first error."""
    problem = service.problem(post(service, body, content_type, **headers))
    service.still_works()
    return problem["status"], problem["code"], problem["errors"][0]["pointer"]


HEAD = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode()
LAST = f"--{BOUNDARY}--".encode()
BROKEN_MULTIPART = {
    "empty": b"",
    "no boundary in it": b"hello",
    "cut off in a part": GOOD[:-30],
    "cut off before the last boundary": GOOD[: -len(BOUNDARY) - 6],
    "no last hyphens": GOOD.replace(b"--\r\n", b"\r\n"),
    "no request": multipart(GRAPH, x=BYTES).replace(b'name="request"', b'name="reqest"'),
    "no parts": LAST + b"\r\n",
    "a part twice": GOOD.replace(LAST, HEAD + b'"x"\r\n\r\n\r\n' + LAST),
    "the request twice": GOOD.replace(LAST, HEAD + b'"request"\r\n\r\n\r\n' + LAST),
    "a part without a name": GOOD.replace(b'form-data; name="x"', b"form-data"),
    "a part that is no form data": GOOD.replace(b'form-data; name="x"', b'attachment; name="x"'),
    "a part without a disposition": GOOD.replace(b"Content-Disposition", b"Content-Language"),
    "a name that is no UTF-8": GOOD.replace(b'name="x"', b'name="\xff"'),
    "a field twice": GOOD.replace(b'name="x"\r\n', b'name="x"\r\nContent-Disposition: form-data; name="z"\r\n'),
    "a coding of a part": GOOD.replace(b'name="x"\r\n', b'name="x"\r\nContent-Transfer-Encoding: base64\r\n'),
    "a field that is none": GOOD.replace(b"Content-Disposition", b"Content Disposition"),
    "a field without end": f"--{BOUNDARY}\r\nA: ".encode() + b"a" * 100_000,
    "too many fields": f"--{BOUNDARY}\r\n".encode() + b"A: b\r\n" * 1000,
    "too many parts": multipart(GRAPH, **{f"p{index}": b"" for index in range(10_001)}),
    "a request that is no JSON": multipart(b"{"),
    "a request with a byte order mark": multipart(b"\xef\xbb\xbf{}"),
    "a request with a member twice": multipart(b'{"nodes": [], "nodes": []}'),
}


@pytest.mark.parametrize("body", BROKEN_MULTIPART.values(), ids=BROKEN_MULTIPART)
def test_a_broken_multipart_body_is_malformed(service: Service, body: bytes) -> None:
    assert refused(service, body) == (400, "malformed_body", "")


@pytest.mark.parametrize("parameter", ["", '; boundary=""', f"; boundary={'b' * 71}", "; boundary=other"])
def test_a_wrong_boundary_is_a_malformed_body(service: Service, parameter: str) -> None:
    problem = service.problem(service.post(RUN, GOOD, **{"content-type": MULTIPART + parameter}))
    assert (problem["status"], problem["code"]) == (400, "malformed_body")


@pytest.mark.parametrize("boundary", ["a b", "=_?(')+,-./:", "b" * 70, "----WebKitFormBoundary7MA4YWxkTrZu0gW"])
def test_boundaries_of_all_kinds_are_read(service: Service, boundary: str) -> None:
    body = GOOD.replace(BOUNDARY.encode(), boundary.encode())
    assert post(service, body, f'{MULTIPART}; boundary="{boundary}"').json()["outputs"]["y"]["shape"] == [2]


def test_bytes_that_look_like_a_boundary_stay_bytes(service: Service) -> None:
    data = f"\r\n--{BOUNDARY[:-1]}\r\n--{BOUNDARY}x\r\n-- {BOUNDARY}\r\n\r\n".encode()
    graph = {"inputs": {"x": part("x", "uint8", (len(data),))}, "nodes": [], "returns": ["x"]}
    assert post(service, multipart(graph, x=data)).json()["outputs"]["x"]["data"] == list(data)


def test_what_stands_around_the_parts_is_passed_over(service: Service) -> None:
    with_fields = GOOD.replace(b'name="x"\r\n', b'name="x"; filename="a/b"\r\nContent-Type: image/png\r\n')
    assert post(service, b"\r\n" + with_fields + b"epilogue").json()["outputs"]["y"]["data"] == [-0.0, -0.0]


@pytest.mark.parametrize(
    ("members", "parts", "pointer"),
    [
        ({"data": "z"}, {"x": BYTES}, "/inputs/x/data"),
        ({"data": "request"}, {"x": BYTES}, "/inputs/x/data"),
        ({"data": 5}, {"x": BYTES}, "/inputs/x/data"),
        ({}, {"x": BYTES[1:]}, "/inputs/x/data"),
        ({}, {"x": BYTES + b"\0"}, "/inputs/x/data"),
        ({}, {"x": b""}, "/inputs/x/data"),
        ({"dtype": "bool", "shape": [3]}, {"x": b"\0\1\2"}, "/inputs/x/data"),
        ({"dtype": "bool", "shape": [3]}, {"x": b"\0\1\xff"}, "/inputs/x/data"),
        ({"dtype": "float31"}, {"x": BYTES}, "/inputs/x/dtype"),
        ({"shape": [-1]}, {"x": BYTES}, "/inputs/x/shape/0"),
        ({"dtype": "int64", "shape": [1], "requires_grad": True}, {"x": BYTES}, "/inputs/x/requires_grad"),
    ],
)
def test_a_wrong_part_is_a_wrong_tensor(
    service: Service, members: dict[str, Any], parts: dict[str, bytes], pointer: str
) -> None:
    graph = GRAPH | {"inputs": {"x": GRAPH["inputs"]["x"] | members}}
    assert refused(service, multipart(graph, **parts)) == (422, "invalid_tensor", pointer)


def test_a_part_that_is_missing_is_told_with_those_that_are_there(service: Service) -> None:
    problem = service.problem(post(service, multipart(GRAPH, w=BYTES, z=BYTES)))
    assert problem["errors"][0]["got"] == "x"
    assert problem["errors"][0]["expected"] == ["w", "z"]


def test_parts_without_dtype_or_shape_are_wrong_tensors(service: Service) -> None:
    graph = GRAPH | {"inputs": {"x": {"encoding": "part", "data": "x"}}}
    problem = service.problem(post(service, multipart(graph, x=BYTES)))
    assert [error["expected"] for error in problem["errors"]] == ["dtype", "shape"]


X = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
METADATA = {"request": json.dumps(NODES)}


def with_header(x: Any = X, data: bytes = BYTES, metadata: Any = METADATA, **others: Any) -> bytes:
    """A file whose header has these entries."""
    return safetensors({"__metadata__": metadata, "x": x, **others}, data)


BROKEN_SAFETENSORS = {
    "empty": b"",
    "shorter than a length": b"\1\0\0",
    "a length and no header": (100).to_bytes(8, "little"),
    "a header longer than all": (2**63).to_bytes(8, "little") + with_header()[8:],
    "a header of the largest length": b"\xff" * 8 + with_header()[8:],
    "a header that is no JSON": safetensors(b"{,}"),
    "a header that is a list": safetensors(b"[]"),
    "white space before the header": safetensors(b" " + json.dumps({"__metadata__": METADATA}).encode()),
    "a header that is no UTF-8": safetensors(b'{"\xff": 1}'),
    "a member twice": safetensors(json.dumps({"__metadata__": METADATA, "x": X})[:-1].encode() + b', "x": {}}', BYTES),
    "no metadata": safetensors({"x": X}, BYTES),
    "metadata that is a text": with_header(metadata="no"),
    "metadata without a request": with_header(metadata={"reply": "{}"}),
    "a request that is an object": with_header(metadata={"request": NODES}),
    "a request that is no JSON": with_header(metadata={"request": "{"}),
    "a request with a member twice": with_header(metadata={"request": '{"nodes": [], "nodes": []}'}),
    "an entry that is a list": with_header([]),
    "an entry with a member too many": with_header(X | {"strides": [1]}),
    "an entry without offsets": with_header({"dtype": "F32", "shape": [2]}),
    "a dtype that is none": with_header(X | {"dtype": "F33"}),
    "a dtype that is not read": with_header({"dtype": "F4", "shape": [4], "data_offsets": [0, 2]}, b"\0\0"),
    "a dtype that is a number": with_header(X | {"dtype": 32}),
    "a shape that is a number": with_header(X | {"shape": 2}),
    "a negative size": with_header(X | {"shape": [-2]}),
    "a size that is no integer": with_header(X | {"shape": [2.0]}),
    "a size that is a boolean": with_header(X | {"shape": [2, True]}),
    "too many dimensions": with_header(X | {"shape": [2] + [1] * 64}),
    "a size that overflows": with_header(X | {"shape": [2**62, 2**62]}),
    "offsets that do not fit": with_header(X | {"data_offsets": [0, 4]}),
    "offsets backwards": with_header(X | {"data_offsets": [8, 0]}),
    "one offset": with_header(X | {"data_offsets": [8]}),
    "a gap before": with_header(X | {"data_offsets": [4, 12]}, bytes(12)),
    "bytes behind": with_header(data=bytes(9)),
    "bytes missing": with_header(data=bytes(7)),
    "two over each other": with_header(z=X),
    "two with a gap": with_header(z=X | {"data_offsets": [9, 17]}, data=bytes(17)),
}


@pytest.mark.parametrize("body", BROKEN_SAFETENSORS.values(), ids=BROKEN_SAFETENSORS)
def test_a_broken_safetensors_body_is_malformed(service: Service, body: bytes) -> None:
    assert refused(service, body, SAFETENSORS) == (400, "malformed_body", "")


@pytest.mark.parametrize(
    ("said", "code", "pointer"),
    [
        ({"data": [1, 2]}, "invalid_tensor", "/inputs/x/data"),
        ({"encoding": "base64"}, "invalid_tensor", "/inputs/x/encoding"),
        ({"dtype": "float64"}, "invalid_tensor", "/inputs/x/dtype"),
        ({"shape": [1, 2]}, "invalid_tensor", "/inputs/x/shape"),
        ([1, 2], "invalid_tensor", "/inputs/x"),
        ({"requires_grad": 1}, "invalid_tensor", "/inputs/x/requires_grad"),
        ({"device": "nowhere"}, "unavailable_device", "/inputs/x/device"),
    ],
)
def test_the_request_may_not_say_again_what_the_file_says(service: Service, said: Any, code: str, pointer: str) -> None:
    body = file_of(NODES | {"inputs": {"x": said}}, x=("float32", (2,), BYTES))
    assert refused(service, body, SAFETENSORS) == (422, code, pointer)


@pytest.mark.parametrize("said", [{}, {"dtype": "float", "shape": [2]}, {"requires_grad": True}, {"device": "cpu"}])
def test_the_request_may_add_to_a_tensor_of_the_file(service: Service, said: Any) -> None:
    body = file_of(NODES | {"inputs": {"x": said, "w": [1, 2]}, "returns": ["x", "w"]}, x=("float32", (2,), BYTES))
    outputs = post(service, body, SAFETENSORS).json()["outputs"]
    assert outputs["x"]["requires_grad"] is bool(said.get("requires_grad"))
    assert outputs["w"]["data"] == [1, 2]


@pytest.mark.parametrize("name", ["$x", "", "a\u0007", "x" * 257])
def test_a_tensor_of_a_file_is_named_as_any_input(service: Service, name: str) -> None:
    body = file_of({"nodes": []}, **{name: ("float32", (2,), BYTES)})
    assert refused(service, body, SAFETENSORS)[:2] == (422, "invalid_request")


@pytest.mark.parametrize("request_", ["[]", "5", '"x"', "null"])
def test_a_request_that_is_no_object_is_wrong_as_a_whole(service: Service, request_: str) -> None:
    body = file_of(request_, x=("float32", (2,), BYTES))
    assert refused(service, body, SAFETENSORS) == (422, "invalid_request", "")
    assert refused(service, multipart(request_.encode())) == (422, "invalid_request", "")


def test_bytes_of_a_boolean_are_zero_or_one_in_a_file_too(service: Service) -> None:
    body = file_of(NODES, x=("bool", (3,), b"\1\0\2"))
    assert refused(service, body, SAFETENSORS) == (422, "invalid_tensor", "/inputs/x/data")


@pytest.mark.parametrize("accept", [SAFETENSORS, NPZ])
@pytest.mark.parametrize(
    "returns",
    [
        {"a/b": "y"},
        {"a\\b": "y"},
        {"..": "y"},
        {"a..b": "y"},
        {"__metadata__": "y"},
        {"reply.json": "y"},
        ["y", "y"],
        {"t.0": "y", "t": "t"},
    ],
    ids=str,
)
def test_names_that_no_file_should_have_are_refused(service: Service, accept: str, returns: Any) -> None:
    nodes = [{"id": "y", "op": "ones", "args": [2]}, {"id": "t", "op": "unbind", "args": ["$y"]}]
    problem = service.problem(service.post(RUN, {"nodes": nodes, "returns": returns}, accept=accept))
    assert (problem["status"], problem["code"]) == (422, "invalid_argument")
    assert problem["errors"][0]["pointer"] == "/returns"
    if isinstance(returns, dict) and len(returns) == 1:
        assert problem["errors"][0]["got"] == next(iter(returns))
    assert service.post(RUN, {"nodes": nodes, "returns": returns}).status_code == 200


LACKING = [(SAFETENSORS, "complex128"), (SAFETENSORS, "complex32"), (NPZ, "complex32")] + [
    (NPZ, dtype)
    for dtype in ("bfloat16", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu")
]


@pytest.mark.parametrize(("accept", "dtype"), LACKING)
def test_a_dtype_that_a_format_lacks_is_not_acceptable(service: Service, accept: str, dtype: str) -> None:
    x = part("x", dtype, (0,))
    graph = {"inputs": {"x": x, "fine": 1.5}, "nodes": [], "returns": {"one": "x", "fine": "fine", "two": "x"}}
    problem = service.problem(post(service, multipart(graph, x=b""), accept=accept))
    assert (problem["status"], problem["code"], problem["errors"][0]["pointer"]) == (406, "not_acceptable", "")
    assert problem["errors"][0]["got"] == ["one", "two"]
    assert dtype in problem["detail"]
    assert dtype not in problem["errors"][0]["expected"]


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/v1/ops/add", SAFETENSORS),
        ("/v1/autograd/grad", SAFETENSORS),
        ("/v1/graphs/batch", SAFETENSORS),
        ("/v1/graphs/batch", MULTIPART),
        (RUN, NPZ),
        (RUN, "application/octet-stream"),
    ],
)
def test_a_media_type_that_is_not_read_is_refused_with_those_that_are(
    service: Service, path: str, content_type: str
) -> None:
    problem = service.problem(post(service, GOOD, content_type, path))
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")
    assert content_type not in problem["errors"][0]["expected"]
    assert "application/json" in problem["errors"][0]["expected"]


def test_errors_are_problem_documents_whatever_is_accepted(service: Service) -> None:
    for accept in (SAFETENSORS, NPZ):
        reply = service.post(RUN, {"nodes": [{"op": "nope"}]}, accept=accept)
        assert service.problem(reply)["code"] == "unknown_op"
    reply = service.post(RUN, {"nodes": []}, accept="application/x-pickle")
    assert service.problem(reply)["errors"][0]["expected"] == ["application/json", SAFETENSORS, NPZ]


def test_a_reply_as_a_file_holds_to_the_limit_of_replies(service: Service) -> None:
    graph = {"nodes": [{"id": "y", "op": "zeros", "args": [17_000_000]}]}
    problem = service.problem(service.post(RUN, graph, accept=SAFETENSORS))
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("limit_exceeded", "/nodes/0")


def test_a_page_of_another_origin_may_not_send_parts(service: Service) -> None:
    # Such a request needs no preflight: a form may send it.
    problem = service.problem(post(service, GOOD, origin="https://example.com"))
    assert (problem["status"], problem["code"]) == (403, "forbidden")
    assert post(service, GOOD).status_code == 200
