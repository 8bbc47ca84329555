"""The OpenAPI document: valid, complete, served as it stands in the repository, and true."""

from __future__ import annotations

import json

import httpx
import pytest
from openapi_check import DOCUMENT, check_reply, check_response, document
from openapi_spec_validator import OpenAPIV31SpecValidator

from gradwire.contract.problems import STATUSES, problem
from gradwire.findings import Finding

OPERATIONS = [
    (method, path, operation) for path, methods in document()["paths"].items() for method, operation in methods.items()
]
SHORT_FORMS = ("value_and_grad", "grad", "vjp", "jvp", "jacobian", "hessian", "hvp", "gradcheck")
IDS = [operation["operationId"] for *_, operation in OPERATIONS]


def test_the_document_is_valid_openapi_3_1():
    assert document()["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_the_document_in_the_repository_is_the_one_that_is_served(client: httpx.Client):
    reply = client.get("/openapi.json")
    assert reply.headers["content-type"] == "application/json"
    assert reply.json() == json.loads(DOCUMENT.read_text("utf-8")), "stale: run `make openapi`"


def test_the_operations_are_those_of_the_contract():
    assert {(method, path) for method, path, _ in OPERATIONS} == {
        ("post", "/v1/graphs/run"),
        ("post", "/v1/graphs/batch"),
        ("post", "/v1/graphs/draw"),
        ("post", "/v1/graphs/python"),
        ("post", "/v1/programs/compile"),
        *(("post", f"/v1/autograd/{name}") for name in SHORT_FORMS),
        ("get", "/v1/ops"),
        ("get", "/v1/ops/{name}"),
        ("post", "/v1/ops/{name}"),
        ("get", "/v1/server"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }
    assert [tag["name"] for tag in document()["tags"]] == ["Graphs", "Programs", "Derivatives", "Ops", "Server"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_operation_is_described(method, path, operation):
    assert operation["summary"]
    assert operation["description"]
    assert operation["tags"][0] in {tag["name"] for tag in document()["tags"]}
    assert all(parameter["description"] for parameter in operation.get("parameters", []))
    content = operation["responses"]["200"]["content"]
    if "application/json" not in content:
        assert all(form["schema"]["type"] == "string" for form in content.values())
        return
    schema = content["application/json"]["schema"]
    assert schema["$ref"].rpartition("/")[2] in document()["components"]["schemas"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=IDS)
def test_every_error_is_a_problem_document_with_real_examples(method, path, operation):
    errors = {status: response for status, response in operation["responses"].items() if status != "200"}
    assert errors
    for status, response in errors.items():
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
        for code, example in content["examples"].items():
            assert example["value"]["code"] == code
            assert example["value"]["status"] == int(status)
            check_reply(method, path, int(status), "application/problem+json", json.dumps(example["value"]).encode())


def test_what_runs_something_tells_every_error_that_it_can_meet():
    job = {"400", "401", "403", "406", "408", "413", "415", "422", "429", "500", "503", "504"}
    paths = document()["paths"]
    assert set(paths["/v1/graphs/run"]["post"]["responses"]) == job | {"200"}
    assert set(paths["/v1/ops/{name}"]["post"]["responses"]) == job | {"200", "404"}
    for name in SHORT_FORMS:
        assert set(paths[f"/v1/autograd/{name}"]["post"]["responses"]) == job | {"200"}
    codes = set()
    for response in paths["/v1/graphs/run"]["post"]["responses"].values():
        codes |= set(response["content"].get("application/problem+json", {}).get("examples", {}))
    not_of_a_graph = {"not_found", "method_not_allowed", "invalid_program"}
    assert codes == set(STATUSES) - not_of_a_graph


def test_a_key_may_be_needed_for_all_but_what_is_open():
    assert document()["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for method, path, operation in OPERATIONS:
        asked = path not in ("/healthz", "/readyz")
        assert operation.get("security") == ([{}, {"bearer": []}] if asked else None)
        assert {"401", "429"} <= set(operation["responses"]) or not asked
        assert ("403" in operation["responses"]) == (method == "post")
    refused = document()["paths"]["/v1/graphs/run"]["post"]["responses"]
    assert set(refused["401"]["headers"]) == {"WWW-Authenticate"}
    assert set(refused["429"]["headers"]) == {"Retry-After", "RateLimit", "RateLimit-Policy"}


def test_the_schema_of_errors_knows_every_code():
    for code in STATUSES:
        status, body = problem([Finding(code, "m")])
        check_reply("GET", "/no/such/path", status, "application/problem+json", body)


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type", "body"),
    [
        ("GET", "/healthz", 200, "application/json", b'{"status": "dead"}'),
        ("GET", "/healthz", 200, "text/html", b'{"status": "alive"}'),
        ("GET", "/healthz", 418, "application/json", b'{"status": "alive"}'),
        ("GET", "/v1/server", 200, "application/json", b'{"devices": ["cpu"]}'),
        ("POST", "/v1/ops/add", 200, "application/json", b'{"result": {"kind": "tensor", "data": NaN}}'),
        ("GET", "/nowhere", 404, "text/plain", b"Not Found"),
        ("GET", "/nowhere", 404, "application/problem+json", b'{"status": 404}'),
    ],
)
def test_the_check_of_replies_can_fail(method, path, status, media_type, body):
    with pytest.raises(AssertionError):
        check_reply(method, path, status, media_type, body)


def examples():
    """Every example of a body with every example of the path: Swagger UI pairs any with any."""
    for method, path, operation in OPERATIONS:
        parameters = operation.get("parameters", [])
        names = [
            example["value"]
            for parameter in parameters
            if parameter["in"] == "path"
            for example in parameter["examples"].values()
        ]
        content = operation.get("requestBody", {}).get("content", {"none": {"examples": {"": {"value": None}}}})
        for kind, media_type in content.items():
            for label, example in media_type.get("examples", {}).items():
                for name in names or [""]:
                    title = " ".join(filter(None, (operation["operationId"], name, label, kind.partition("/")[0])))
                    yield pytest.param(method, path.replace("{name}", name), kind, example["value"], id=title)


def as_javascript(value):
    """What a browser makes of JSON: a float without a fraction is written as an integer."""
    if isinstance(value, list):
        return [as_javascript(item) for item in value]
    if isinstance(value, dict):
        return {name: as_javascript(item) for name, item in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("rewritten", [False, True], ids=["as written", "as a browser writes it"])
@pytest.mark.parametrize(("method", "path", "kind", "body"), list(examples()))
def test_every_example_succeeds_as_it_stands(client: httpx.Client, method, path, kind, body, rewritten):
    body = as_javascript(body) if rewritten else body
    if kind == "multipart/form-data":
        parts = {name: (None, json.dumps(value), "application/json") for name, value in body.items()}
        reply = client.request(method, path, files=parts)
    else:
        reply = client.request(method, path, json=body)
    assert reply.status_code == 200, reply.text
    check_response(reply)


def test_every_operation_with_a_body_has_several_examples_the_tutorials_first():
    bodies = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["examples"]
        for *_, operation in OPERATIONS
        if "requestBody" in operation
    }
    assert all(len(each) >= 3 for each in bodies.values())
    assert next(iter(bodies["run_graph"])) == "gradient"


def test_the_first_example_is_the_tutorials_gradient(client: httpx.Client):
    run = document()["paths"]["/v1/graphs/run"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    reply = client.post("/v1/graphs/run", json=run["gradient"]["value"]).json()
    assert reply["outputs"]["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
    assert reply["outputs"]["out"]["data"] == 27.0
    assert reply["outputs"]["out"]["grad_fn"] == "MeanBackward0"


def outputs(client: httpx.Client, label: str):
    run = document()["paths"]["/v1/graphs/run"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    reply = client.post("/v1/graphs/run", json=run[label]["value"])
    return {name: value.get("data", value.get("value")) for name, value in reply.json()["outputs"].items()}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("views", {"x": [0, 101, 2, 3, 104, 5], "v": [[0, 101, 2], [3, 104, 5]], "column": [101, 104]}),
        ("jacobian", {"y": [1.0, 2.0, 6.0], "jacobian": [[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [6.0, 3.0, 2.0]]}),
        ("second_derivative", {"dy": 12.0, "ddy": 12.0}),
        ("vjp", {"vjp": [0.3, 12.0, 0.0027]}),
    ],
)
def test_the_examples_give_what_they_say(client: httpx.Client, label, expected):
    found = outputs(client, label)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-6) if name == "vjp" else found[name] == value
