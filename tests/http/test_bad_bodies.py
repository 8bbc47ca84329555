"""Bodies that are no JSON, or no JSON that can be kept exactly: 400 malformed_body, and the statuses around it."""

from __future__ import annotations

from typing import Any

import pytest
from bad import Bad, refuses

from service import RUN, Service


def data(text: str | bytes) -> bytes:
    """A graph of one input whose data is the given JSON text."""
    text = text.encode() if isinstance(text, str) else text
    return b'{"inputs": {"x": {"data": %s}}, "nodes": []}' % text


MALFORMED = {
    "empty": b"",
    "white space only": b" \n\t ",
    "no JSON": b"tensor([1, 2])",
    "truncated": b'{"nodes": [',
    "trailing comma": b'{"nodes": [],}',
    "trailing text": b'{"nodes": []} {}',
    "single quotes": b"{'nodes': []}",
    "a comment": b'{"nodes": [] /* none */}',
    "an unquoted name": b"{nodes: []}",
    "a control character in a string": b'{"nodes": [{"id": "a\nb", "op": "eye", "args": [2]}]}',
    "a bad escape": b'{"nodes": [{"id": "\\x61", "op": "eye", "args": [2]}]}',
    "a byte order mark": b'\xef\xbb\xbf{"nodes": []}',
    "UTF-16": '{"nodes": []}'.encode("utf-16"),
    "invalid UTF-8 in a string": b'{"nodes": [{"id": "\xff", "op": "eye", "args": [2]}]}',
    "overlong UTF-8": b'{"nodes": [{"id": "\xc0\xaf", "op": "eye", "args": [2]}]}',
    "a surrogate in UTF-8": b'{"nodes": [{"id": "\xed\xa0\x80", "op": "eye", "args": [2]}]}',
    "a lone high surrogate": b'{"nodes": [{"id": "\\ud800", "op": "eye", "args": [2]}]}',
    "a lone low surrogate": b'{"nodes": [{"id": "\\udc00", "op": "eye", "args": [2]}]}',
    "two high surrogates": b'{"nodes": [{"id": "\\ud800\\ud800", "op": "eye", "args": [2]}]}',
    "a lone surrogate in a member's name": b'{"nodes": [], "inputs": {"\\udfff": 1}}',
    "duplicate members": b'{"nodes": [], "nodes": []}',
    "duplicate members, one escaped": b'{"nodes": [], "n\\u006fdes": []}',
    "duplicate members inside a tensor": b'{"inputs": {"x": {"data": 1, "data": 2}}, "nodes": []}',
    "duplicate inputs": b'{"inputs": {"x": 1, "x": 2}, "nodes": []}',
    "duplicate members inside an argument": b'{"nodes": [{"op": "eye", "args": [{"int": "2", "int": "3"}]}]}',
    "a bare NaN": data("[1, NaN]"),
    "a bare Infinity": data("Infinity"),
    "a bare -Infinity": data("[-Infinity, 0.5]"),
    "1e400": data("1e400"),
    "-1e400 in a list": data("[[1.5, -1e400]]"),
    "an integer of thirty digits": data("123456789012345678901234567890"),
    "2 to the 64": data("[1, 18446744073709551616]"),
    "under int64": data("[-9223372036854775809]"),
    "a leading zero": data("[01]"),
    "a leading plus": data("[+1]"),
    "a bare point": data("[1.]"),
    "hex": data("[0x10]"),
    "nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "nested 100,000 deep and open": b'{"nodes": ' + b"[" * 100_000,
    "data nested 5,000 deep": data("[" * 5000 + "1" + "]" * 5000),
    "objects nested 5,000 deep": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a number in an argument that fits nothing": b'{"nodes": [{"op": "eye", "args": [1e999]}]}',
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_body_that_is_no_exact_json_is_malformed(service: Service, name: str) -> None:
    for path in (RUN, "/v1/ops/eye"):
        bad = Bad(name, MALFORMED[name], "malformed_body", "", status=400, path=path)
        problem = refuses(service, bad)
        assert len(problem["errors"]) == 1


def test_a_duplicate_member_is_named(service: Service) -> None:
    problem = service.refused(MALFORMED["duplicate members, one escaped"])
    assert "nodes" in problem["detail"]


OBJECTS: list[Any] = [[], [1, 2], "graph", 5, 1.5, True, None]


@pytest.mark.parametrize("body", OBJECTS, ids=repr)
@pytest.mark.parametrize("path", [RUN, "/v1/ops/ones"])
def test_a_body_that_is_no_object(service: Service, body: Any, path: str) -> None:
    refuses(service, Bad("", body, "invalid_request", "", path=path))


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "json", "image/png"]
)
def test_a_media_type_that_is_not_read(service: Service, kind: str) -> None:
    reply = service.client.post(RUN, content=b'{"nodes": []}', headers={"content-type": kind})
    problem = service.problem(reply)
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")
    assert problem["errors"][0]["pointer"] == ""
    service.still_works()


def test_no_media_type(service: Service) -> None:
    reply = service.client.post(RUN, content=b'{"nodes": []}')
    assert "content-type" not in reply.request.headers
    problem = service.problem(reply)
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", 'application/json;charset="UTF-8"']
)
def test_json_by_any_of_its_names_is_read(service: Service, kind: str) -> None:
    reply = service.client.post(RUN, content=b'{"nodes": []}', headers={"content-type": kind})
    assert (reply.status_code, reply.json()["outputs"]) == (200, {})


@pytest.mark.parametrize("coding", ["br", "deflate", "compress", "snappy"])
def test_a_coding_that_is_not_read(service: Service, coding: str) -> None:
    problem = service.refused(b'{"nodes": []}', **{"content-encoding": coding})
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/xml;q=0.9", "application/json;q=0"])
def test_a_reply_that_is_not_offered(service: Service, accept: str) -> None:
    problem = service.refused({"nodes": []}, accept=accept)
    assert (problem["status"], problem["code"]) == (406, "not_acceptable")
    service.still_works()


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/html, application/json;q=0.1", "application/json"])
def test_a_reply_that_is_offered(service: Service, accept: str) -> None:
    assert service.post(RUN, {"nodes": []}, accept=accept).status_code == 200


def test_a_body_over_the_limit(service: Service) -> None:
    limit = service.client.get("/v1/server").json()["limits"]["max_body_bytes"]
    body = b'{"nodes": []' + b" " * (limit - 13) + b"}"
    assert len(body) == limit
    assert service.post(RUN, body).status_code == 200
    problem = service.refused(body + b" ")
    assert (problem["status"], problem["code"]) == (413, "body_too_large")
    assert problem["errors"][0]["pointer"] == ""
    service.still_works()


def test_a_body_over_the_limit_without_a_length(service: Service) -> None:
    limit = service.client.get("/v1/server").json()["limits"]["max_body_bytes"]
    chunks = (b" " * 2**20 for _ in range(limit // 2**20 + 1))
    reply = service.client.post(RUN, content=chunks, headers={"content-type": "application/json"})
    problem = service.problem(reply)
    assert (problem["status"], problem["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("POST", "/v1/graphs/run/", 404, "not_found"),
        ("POST", "/v1/graphs/fly", 404, "not_found"),
        ("GET", "/v1/ops/", 404, "not_found"),
        ("GET", "/problems/none_such", 404, "not_found"),
        ("GET", "/v1/ops/not_an_op", 404, "unknown_op"),
        ("GET", RUN, 405, "method_not_allowed"),
        ("PUT", RUN, 405, "method_not_allowed"),
        ("DELETE", "/v1/server", 405, "method_not_allowed"),
        ("PATCH", "/v1/ops/add", 405, "method_not_allowed"),
    ],
)
def test_paths_and_methods(service: Service, method: str, path: str, status: int, code: str) -> None:
    reply = service.client.request(method, path)
    problem = service.problem(reply)
    assert (problem["status"], problem["code"]) == (status, code)
    if status == 405:
        allowed = {word.strip() for word in reply.headers["allow"].split(",")}
        assert ("POST" in allowed) == (path != "/v1/server")
        assert ("GET" in allowed) == (path in ("/v1/server", "/v1/ops/add"))
        assert method not in allowed
