"""GET /v1/ops and GET /v1/ops/{name} on the running service."""

from __future__ import annotations

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_check import check_response


def get(client: httpx.Client, path: str, **parameters):
    reply = client.get(path, params=parameters)
    check_response(reply)
    return reply


def listed(client: httpx.Client, **parameters):
    reply = get(client, "/v1/ops", **parameters)
    assert reply.status_code == 200, reply.text
    return reply.json()


def names(document):
    return [op["name"] for op in document["ops"]]


def test_a_page_holds_a_hundred_ops_unless_asked_otherwise(client):
    document = listed(client)
    assert len(document["ops"]) == 100
    assert document["total"] > 1500
    assert len(listed(client, limit=1000)["ops"]) == 1000
    assert len(listed(client, limit=1)["ops"]) == 1


def test_the_pages_hold_every_op_once(client):
    seen, document = [], listed(client, limit=1000)
    while True:
        seen += names(document)
        if document["next_cursor"] is None:
            break
        document = listed(client, limit=1000, cursor=document["next_cursor"])
    assert len(seen) == len(set(seen)) == document["total"]
    assert {"add", "Tensor.add", "Tensor.add_", "nn.functional.relu", "operator.add", "numpy.add", "linalg.svd"} <= {
        *seen
    }
    assert not [name for name in seen if name.startswith(("torch.", "_")) or "._" in name]


@pytest.mark.parametrize(
    ("q", "first"), [("matmul", "matmul"), ("F.relu", "nn.functional.relu"), ("linalg.sv", "linalg.svd")]
)
def test_search_finds_the_op_that_was_meant_first(client, q, first):
    assert names(listed(client, q=q))[0] == first


@pytest.mark.parametrize(
    ("q", "meant"),
    [
        ("softmax", "nn.functional.softmax"),
        ("matrix multiply", "matmul"),
        ("matrix multiplication", "mm"),
        ("inverse fft", "fft.ifft"),
        ("solve linear system", "linalg.solve"),
        ("random normal", "randn"),
        ("cross entropy", "nn.functional.cross_entropy"),
        ("one hot", "nn.functional.one_hot"),
    ],
)
def test_what_people_look_for_is_on_the_first_page(client, q, meant):
    assert meant in names(listed(client, q=q, limit=20, status="callable"))


def test_a_namespace_and_a_status_narrow_the_list(client):
    assert all("." not in name for name in names(listed(client, namespace="torch", limit=1000)))
    assert all(name.startswith("linalg.") for name in names(listed(client, namespace="linalg")))
    excluded = listed(client, status="excluded", limit=1000)["ops"]
    assert excluded
    assert all(op["status"] == "excluded" and op["reason"] for op in excluded)
    assert all(op["reason"] is None for op in listed(client, status="callable", limit=1000)["ops"])
    both = listed(client, status="callable")["total"] + listed(client, status="excluded")["total"]
    assert both == listed(client)["total"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "status=open", "cursor=nonsense"])
def test_a_wrong_parameter_is_named(client, query):
    reply = client.get(f"/v1/ops?{query}")
    check_response(reply)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (422, "invalid_request")
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["parameter"]) == ("", query.partition("=")[0])


def test_an_op_is_described(client):
    add = get(client, "/v1/ops/add").json()
    assert add["name"] == "add"
    assert add["status"] == "callable"
    assert (add["differentiable"], add["in_place"], add["random"], add["view"]) == (True, False, False, False)
    parameters = add["overloads"][0]["parameters"]
    assert [parameter["name"] for parameter in parameters][:2] == ["input", "other"]
    assert {parameter["name"]: parameter["keyword_only"] for parameter in parameters}["alpha"] is True
    assert "alpha" in add["doc"]
    assert add["doc_url"].startswith("https://")
    assert get(client, "/v1/ops/Tensor.add_").json()["in_place"] is True
    assert get(client, "/v1/ops/rand").json()["random"] is True


@pytest.mark.parametrize("name", ["add", "Tensor.add_", "nn.functional.relu", "linalg.svd", "rand", "cat", "numpy.add"])
def test_the_example_of_an_op_fits_its_schema_and_runs(client, name):
    described = get(client, f"/v1/ops/{name}").json()
    Draft202012Validator.check_schema(described["schema"])
    assert Draft202012Validator(described["schema"]).is_valid(described["example"])
    reply = client.post(f"/v1/ops/{name}", json=described["example"])
    check_response(reply)
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_op_is_404_with_the_nearest_name(client, method):
    reply = client.request(method, "/v1/ops/matmull", json={} if method == "POST" else None)
    check_response(reply)
    problem = reply.json()
    assert (reply.status_code, problem["code"]) == (404, "unknown_op")
    assert problem["errors"][0]["pointer"] == ""
    assert problem["errors"][0]["parameter"] == "name"
    assert "matmul" in problem["errors"][0]["hint"]


def test_an_excluded_op_is_described_with_its_reason_and_refused(client):
    name = listed(client, status="excluded", namespace="torch", q="save")["ops"][0]["name"]
    described = get(client, f"/v1/ops/{name}").json()
    assert described["status"] == "excluded"
    assert described["reason"]
    reply = client.post(f"/v1/ops/{name}", json={})
    check_response(reply)
    assert (reply.status_code, reply.json()["code"]) == (422, "excluded_op")


@pytest.mark.parametrize("name", ["%00", "a%2Fb", "x" * 3000, "%F0%9F%98%80", "..%2f..", "__class__", "os.system"])
def test_strange_names_are_unknown(client, name):
    reply = client.get(f"/v1/ops/{name}")
    assert reply.status_code == 404
    assert reply.json()["code"] in ("unknown_op", "not_found")
