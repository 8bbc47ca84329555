"""405 with every method of the path, HEAD wherever GET works, and no second spelling of a path."""

from __future__ import annotations

import httpx
import pytest

from service import RUN, Service

ALLOWED = {
    RUN: ["POST"],
    "/v1/ops": ["GET", "HEAD"],
    "/v1/ops/add": ["GET", "HEAD", "POST"],
    "/v1/server": ["GET", "HEAD"],
    "/healthz": ["GET", "HEAD"],
    "/readyz": ["GET", "HEAD"],
    "/openapi.json": ["GET", "HEAD"],
    "/docs": ["GET", "HEAD"],
    "/": ["GET", "HEAD"],
    "/problems/op_failed": ["GET", "HEAD"],
}


@pytest.mark.parametrize("path", ALLOWED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_a_method_that_a_path_lacks_is_405_with_those_that_it_has(service: Service, path: str, method: str) -> None:
    if method in ALLOWED[path]:
        return
    reply = service.client.request(method, path)
    assert reply.status_code == 405
    assert reply.headers["allow"].split(", ") == ALLOWED[path]
    if method != "HEAD":
        problem = service.problem(reply)
        assert problem["code"] == "method_not_allowed"
        assert problem["errors"][0]["got"] == method
        assert problem["errors"][0]["expected"] == ALLOWED[path]


@pytest.mark.parametrize("path", [path for path, methods in ALLOWED.items() if "GET" in methods])
def test_head_has_the_headers_of_get_and_no_body(client: httpx.Client, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]
    # Of the reply as it is sent: httpx takes it compressed.
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers.get("content-encoding") == get.headers.get("content-encoding")
    plain = client.head(path, headers={"accept-encoding": "identity"})
    assert plain.headers["content-length"] == str(len(get.content))


def test_head_of_what_is_not_there_is_404_without_a_body(client: httpx.Client) -> None:
    for path in ("/v1/nothing", "/v1/ops/no_such_op"):
        head = client.head(path)
        assert (head.status_code, head.content) == (404, b"")
        assert head.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "path", [RUN + "/", "/v1/ops/", "/v1/ops/add/", "/v1/server/", "/healthz/", "/docs/", "//", "/v1//ops", "/V1/ops"]
)
def test_another_spelling_of_a_path_is_404(service: Service, method: str, path: str) -> None:
    reply = service.client.request(method, str(service.client.base_url).rstrip("/") + path, json={"nodes": []})
    problem = service.problem(reply)
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert "location" not in reply.headers


def test_no_reply_names_the_server_software(client: httpx.Client) -> None:
    for path in ("/healthz", "/v1/nothing"):
        assert "server" not in client.get(path).headers
