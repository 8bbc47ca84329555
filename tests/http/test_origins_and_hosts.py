"""Web pages and foreign names: who may drive a service that a browser can reach."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from openapi_check import check_response

from gradwire.front.access.origins import Origins, canonical_origin
from server import Server
from service import Service

BODY = b'{"nodes": []}'
PAGE = "https://app.example.com"


def sent(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/v1/graphs/run", content=BODY, headers={"content-type": "application/json"} | headers)


@pytest.fixture(scope="module")
def opened() -> Iterator[Server]:
    with Server(workers=1, cors_origins=f"{PAGE}, http://localhost:3000/", allowed_hosts="127.0.0.1, api.test") as run:
        yield run


@pytest.fixture
def browser(opened: Server) -> Iterator[httpx.Client]:
    with opened.client(event_hooks={"response": [check_response]}) as client:
        yield client


# ---- as it stands: no setting


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:1", "http://127.0.0.1.evil.example",
        "http://evil.example/127.0.0.1", "file://", "", "http://user@127.0.0.1", "chrome-extension://abcdef",
    ],
)  # fmt: skip
def test_a_foreign_page_may_not_send(client: httpx.Client, origin: str) -> None:
    reply = sent(client, origin=origin)
    problem = Service(client).problem(reply)
    assert (reply.status_code, problem["code"]) == (403, "forbidden")
    assert "access-control-allow-origin" not in reply.headers


def test_a_body_that_needs_no_preflight_is_refused_the_same(client: httpx.Client) -> None:
    form = {"content-type": "multipart/form-data; boundary=x", "origin": "https://evil.example"}
    assert client.post("/v1/ops/add", content=b"--x--", headers=form).status_code == 403
    text = {"content-type": "text/plain", "origin": "https://evil.example"}
    assert client.post("/v1/graphs/run", content=BODY, headers=text).status_code == 403


@pytest.mark.parametrize("scheme", ["http", "https", "HTTP"])
def test_the_servers_own_pages_and_programs_may(client: httpx.Client, server: Server, scheme: str) -> None:
    own = server.url.replace("http", scheme, 1)
    assert sent(client, origin=own).status_code == 200
    assert sent(client).status_code == 200


def test_a_name_that_leads_to_this_machine_is_not_its_own_unless_it_is_localhost(
    client: httpx.Client, server: Server
) -> None:
    """DNS rebinding: the page's own name now leads here, so Origin and Host agree."""
    port = server.url.rpartition(":")[2]
    for host, status in [("evil.example", 403), ("localhost", 200), ("api.localhost", 200), ("localhost.evil", 403)]:
        name = f"{host}:{port}"
        assert sent(client, host=name, origin=f"http://{name}").status_code == status, host
    # A program may call the server what it likes: no page is behind it.
    assert sent(client, host="evil.example").status_code == 200


def test_reading_is_not_refused_and_shows_a_page_nothing(client: httpx.Client) -> None:
    reply = client.get("/v1/server", headers={"origin": "https://evil.example"})
    assert reply.status_code == 200
    assert not any(name.startswith("access-control") for name in reply.headers)


def test_without_cors_a_preflight_is_just_a_method_that_is_not_there(client: httpx.Client) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    reply = client.options("/v1/graphs/run", headers=asked)
    assert reply.status_code == 405
    assert not any(name.startswith("access-control") for name in reply.headers)


# ---- with CORS_ORIGINS and ALLOWED_HOSTS


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
def test_a_listed_page_may_send_and_read(browser: httpx.Client, origin: str) -> None:
    reply = sent(browser, origin=origin)
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == origin
    assert "Origin" in reply.headers["vary"]
    exposed = {name.strip() for name in reply.headers["access-control-expose-headers"].split(",")}
    assert exposed == {"RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"}
    assert "access-control-allow-credentials" not in reply.headers


def test_a_preflight_of_a_listed_page_is_answered(browser: httpx.Client) -> None:
    asked = {
        "origin": PAGE,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-encoding,content-type",
    }
    reply = browser.options("/v1/graphs/run", headers=asked)
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["access-control-allow-methods"] == "GET, HEAD, POST"
    assert "Authorization" in reply.headers["access-control-allow-headers"]
    assert reply.headers["access-control-max-age"] == "600"
    assert "Origin" in reply.headers["vary"]


@pytest.mark.parametrize(
    "asked",
    [
        {"origin": "https://evil.example", "access-control-request-method": "POST"},
        {"origin": PAGE, "access-control-request-method": "DELETE"},
        {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "x-other"},
    ],
)
def test_another_preflight_is_403(browser: httpx.Client, asked: dict[str, str]) -> None:
    reply = browser.options("/v1/graphs/run", headers=asked)
    assert (reply.status_code, Service(browser).problem(reply)["code"]) == (403, "forbidden")
    if asked["origin"] != PAGE:
        assert "access-control-allow-origin" not in reply.headers


def test_errors_can_be_read_by_a_listed_page_too(browser: httpx.Client) -> None:
    for reply in (
        browser.get("/nowhere", headers={"origin": PAGE}),
        browser.get("/v1/ops/no", headers={"origin": PAGE}),
    ):
        assert reply.status_code == 404
        assert reply.headers["access-control-allow-origin"] == PAGE


def test_the_origin_is_compared_as_a_whole(browser: httpx.Client) -> None:
    for origin in ("http://app.example.com", PAGE + ":8443", PAGE + ".evil.example", "https://example.com", "null"):
        assert sent(browser, origin=origin).status_code == 403, origin
    for origin in (PAGE + ":443", "HTTPS://APP.EXAMPLE.COM"):
        assert sent(browser, origin=origin).status_code == 200, origin


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("api.test", 200), ("API.TEST", 200), ("api.test:8443", 200), ("api.test.", 200), ("evil.test", 403),
        ("api.test.evil", 403), ("api.test@evil", 403), ("[::1]", 403), ("api.test:port", 403), ("api.test, x", 403),
    ],
)  # fmt: skip
def test_only_the_listed_names_are_served(browser: httpx.Client, host: str, status: int) -> None:
    assert sent(browser, host=host).status_code == status


def test_a_listed_name_is_an_origin_of_its_own(browser: httpx.Client) -> None:
    assert sent(browser, host="api.test", origin="https://api.test").status_code == 200
    assert sent(browser, host="api.test", origin="https://api.test:444").status_code == 403
    assert sent(browser, host="evil.test", origin="https://evil.test").status_code == 403


@pytest.mark.parametrize(
    ("hosts", "status"), [((), 403), (("api.test", "api.test"), 400), (("api.test", "evil.test"), 400)]
)
def test_no_host_is_none_of_the_listed_and_two_are_no_head(opened: Server, hosts: tuple[str, ...], status: int) -> None:
    address = opened.url.removeprefix("http://").split(":")
    lines = [f"Host: {host}" for host in hosts]
    head = ["POST /v1/graphs/run HTTP/1.1", *lines, "Content-Type: application/json", f"Content-Length: {len(BODY)}"]
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + BODY)
        assert connection.recv(65536).startswith(b"HTTP/1.1 %d " % status)


# ---- the rules, on scopes that a test server cannot make


def finding(origin: str | None, host: str | None, server: str = "10.0.0.1", hosts: tuple[str, ...] = ()) -> bool:
    fields = [(b"origin", origin), (b"host", host)]
    headers = [(name, value.encode()) for name, value in fields if value is not None]
    return Origins(hosts, ()).finding({"method": "POST", "headers": headers, "server": (server, 80)}) is not None


def test_a_server_on_the_network_may_go_by_any_name() -> None:
    assert not finding("http://api.example", "api.example")
    assert not finding("https://api.example", "api.example:443")
    assert finding("https://api.example", "api.example:80")
    assert finding("http://api.example", None)


@pytest.mark.parametrize("server", ["127.0.0.1", "127.8.8.8", "::1"])
def test_one_on_a_loopback_address_may_not(server: str) -> None:
    assert finding("http://evil.example:8000", "evil.example:8000", server)
    assert not finding("http://evil.example:8000", "evil.example:8000", server, ("evil.example",))
    assert not finding("http://[::1]:8000", "[::1]:8000", server)
    assert not finding("http://192.168.1.2", "192.168.1.2", server)


def test_all_below_a_domain_and_one_port_can_be_listed() -> None:
    assert not finding(None, "a.example.com", hosts=("*.example.com",))
    assert finding(None, "example.com", hosts=("*.example.com",))
    assert finding(None, "aexample.com", hosts=("*.example.com",))
    assert finding(None, "a.test:81", hosts=("a.test:80",))
    assert not finding(None, "[::1]:80", hosts=("[::1]",))
    assert not finding(None, "whatever", hosts=("*",))


def test_origins_are_written_as_browsers_write_them() -> None:
    assert canonical_origin("HTTPS://Example.COM:443/") == "https://example.com"
    assert canonical_origin("http://localhost:3000") == "http://localhost:3000"
    assert canonical_origin("http://[::1]:80") == "http://[::1]"
    assert [canonical_origin(text) for text in ("*", "null", "example.com", "http://a/b")] == ["*", "null", None, None]
