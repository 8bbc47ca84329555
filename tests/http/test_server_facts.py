"""/v1/server, /healthz and /readyz, and the pages for people."""

from __future__ import annotations

import platform
import re

import httpx
import pytest
import torch
from openapi_check import check_response

import gradwire
from gradwire.contract.problems import STATUSES


def test_the_server_tells_its_versions_devices_and_limits(client: httpx.Client):
    reply = client.get("/v1/server")
    check_response(reply)
    server = reply.json()
    assert server["versions"] == {
        "gradwire": gradwire.__version__,
        "torch": torch.__version__.partition("+")[0],
        "python": platform.python_version(),
    }
    assert server["devices"][0] == "cpu"
    assert len(server["devices"]) == 1 + torch.cuda.device_count()
    assert server["threads"] >= 1
    assert set(server["sandbox"]) == {"seccomp", "landlock", "no_new_privs"}
    assert server["sandbox"]["no_new_privs"] is True
    assert server["workers"]["ready"] + server["workers"]["busy"] >= 1
    for name in ("max_body_bytes", "max_output_bytes", "max_nodes", "max_depth", "deadline_ms", "worker_memory_bytes"):
        assert server["limits"][name] > 0


def test_it_is_alive_and_ready(client: httpx.Client):
    for path, status in (("/healthz", "alive"), ("/readyz", "ready")):
        reply = client.get(path)
        check_response(reply)
        assert (reply.status_code, reply.json()) == (200, {"status": status})


@pytest.mark.parametrize("path", ["/v1/server", "/v1/ops", "/v1/ops/add", "/healthz", "/readyz"])
def test_a_reply_in_another_form_is_not_to_be_had(client: httpx.Client, path):
    reply = client.get(path, headers={"accept": "text/csv"})
    check_response(reply)
    assert (reply.status_code, reply.json()["code"]) == (406, "not_acceptable")
    assert reply.json()["errors"][0]["expected"] == ["application/json"]


PAGES = ["/", "/docs", "/docs/swagger-ui.css", "/docs/start.js", "/openapi.json", "/problems/", "/problems/op_failed"]


@pytest.mark.parametrize("path", PAGES)
def test_head_works_wherever_get_does(client: httpx.Client, path):
    head, get = client.head(path), client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/", "/docs", "/problems/", "/problems/op_failed"])
def test_pages_name_no_other_host_and_run_no_script_of_others(client: httpx.Client, path):
    reply = client.get(path)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy
    assert "*" not in policy
    assert "'unsafe-eval'" not in policy
    assert re.search(r"script-src[^;]*unsafe", policy) is None
    assert reply.headers["x-content-type-options"] == "nosniff"
    hosts = set(re.findall(r"(?:https?:)?//([\w.:-]+)", reply.text))
    assert hosts <= {client.base_url.netloc.decode()}


def test_the_start_page_shows_a_request_to_this_server(client: httpx.Client):
    assert f"curl -s {str(client.base_url).rstrip('/')}/v1/graphs/run" in client.get("/").text


def test_a_host_header_cannot_put_markup_on_the_page(client: httpx.Client):
    page = client.get("/", headers={"host": 'a"<script>alert(1)</script>'})
    assert "alert(1)" not in page.text


@pytest.mark.parametrize("code", STATUSES)
def test_every_code_is_explained(client: httpx.Client, code):
    page = client.get(f"/problems/{code}")
    assert page.status_code == 200
    assert code in page.text
    explained = client.get(f"/problems/{code}", headers={"accept": "application/json"}).json()
    assert explained["code"] == code
    assert explained["status"] == STATUSES[code].status
    assert explained["explanation"] == STATUSES[code].explanation


def test_the_index_lists_every_code(client: httpx.Client):
    page = client.get("/problems/").text
    assert [code for code in STATUSES if f'href="/problems/{code}"' not in page] == []


@pytest.mark.parametrize(
    "path", ["/problems/nothing", "/docs/", "/docs/docs.html", "/docs/..%2findex.html", "/docs/redoc.standalone.js"]
)
def test_nothing_else_is_served(client: httpx.Client, path):
    reply = client.get(path)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
