"""The op catalogue, and POST /v1/ops/{name}."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from gradwire.contract.frames import Job, Reply
from gradwire.findings import Finding, Refusal
from gradwire.front.api.bodies import tensor_body, tensor_reply
from gradwire.front.api.described import (
    CALL_PROBLEMS,
    NOT_ACCEPTABLE,
    UNKNOWN_OP,
    WORKER_PROBLEMS,
    json_reply,
    problems,
)
from gradwire.front.api.examples import CALLS
from gradwire.front.api.facts import facts_of
from gradwire.front.api.routes import add_job, passed_on, respond
from gradwire.front.catalogue import DEFAULT_LIMIT, MAX_LIMIT, MAX_WORDS, Query, offset_of

TAG = {"name": "Ops", "description": "The PyTorch operations that can be called: search, describe, and call one alone."}
router = APIRouter(tags=[TAG["name"]])

_STATUSES = ("callable", "excluded")


def _parameter(name: str, description: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema, **more}


_PARAMETERS = [
    _parameter(
        "q",
        "Words to look for, in names and summaries; best matches first.",
        {"type": "string", "maxLength": MAX_WORDS},
        examples={
            "name": {"summary": "A name", "value": "relu"},
            "words": {"summary": "Words", "value": "matrix product"},
            "prefix": {"summary": "How names begin", "value": "linalg."},
        },
    ),
    _parameter(
        "namespace",
        "Only ops of this namespace: `torch` for names without a dot, `Tensor`, `nn.functional`, `linalg`, `fft`, "
        "`special`, `operator`, `numpy` …",
        {"type": "string"},
    ),
    _parameter("status", "Only ops of this status.", {"type": "string", "enum": list(_STATUSES)}),
    _parameter(
        "limit",
        "How many ops a page holds.",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    _parameter("cursor", "The `next_cursor` of the page before, with the same query.", {"type": "string"}),
]
_BAD_QUERY = Finding(
    "invalid_request", "`limit` must be a whole number from 1 to 1000", got="0", expected="1 to 1000", parameter="limit"
)


@router.get(
    "/v1/ops",
    operation_id="list_ops",
    summary="Search the ops",
    responses={
        **json_reply("OpsReply", "One page of ops."),
        **problems(NOT_ACCEPTABLE, _BAD_QUERY, *WORKER_PROBLEMS),
    },
    openapi_extra={"parameters": _PARAMETERS},
    response_model=None,
)
async def list_ops(request: Request) -> Response:
    """Lists ops by name, or by how well they match. Each spelling has its own entry: `add`, `Tensor.add`,
    `Tensor.add_`. Excluded ops are listed with the reason.
    """
    query = read_query(request.query_params)
    catalogue = await facts_of(request.app).catalogue()
    if isinstance(catalogue, Reply):
        return passed_on(catalogue)
    page = catalogue.page(query)
    return respond(request, {"ops": page.ops, "total": page.total, "next_cursor": page.next_cursor})


def read_query(parameters: QueryParams) -> Query:
    """The query of GET /v1/ops; a parameter without a value counts as left out.

    Raises `Refusal` with all that is wrong: `invalid_request`, naming the `parameter`.
    """
    findings = []
    limit = parameters.get("limit") or str(DEFAULT_LIMIT)
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 9 and 1 <= int(limit) <= MAX_LIMIT):
        expected = f"a whole number from 1 to {MAX_LIMIT}"
        findings.append(_wrong("limit", limit, expected))
    status = parameters.get("status", "")
    if status and status not in _STATUSES:
        findings.append(_wrong("status", status, list(_STATUSES)))
    if len(parameters.get("q", "")) > MAX_WORDS:
        findings.append(_wrong("q", parameters["q"], f"at most {MAX_WORDS} characters long"))
    query = Query(q=parameters.get("q", ""), namespace=parameters.get("namespace", ""), status=status)
    cursor = parameters.get("cursor", "")
    offset = offset_of(query, cursor) if cursor else 0
    if offset is None:
        findings.append(_wrong("cursor", cursor, "the next_cursor of a reply, with the same q, namespace and status"))
    if findings:
        raise Refusal(findings)
    return Query(query.q, query.namespace, query.status, int(limit), offset or 0)


def _wrong(parameter: str, got: str, expected: str | list[str]) -> Finding:
    words = expected if isinstance(expected, str) else " or ".join(expected)
    message = f"`{parameter}` must be {words}"
    return Finding("invalid_request", message, got=got, expected=expected, parameter=parameter)


_NAME = "The op, named as in PyTorch's documentation: `add`, `Tensor.add_`, `nn.functional.relu`, `linalg.svd`."
_NAMES = ("add", "Tensor.add_", "nn.functional.relu", "linalg.svd", "operator.add", "numpy.add")
DescribedOp = Annotated[
    str, Path(description=_NAME, openapi_examples={name: {"summary": name, "value": name} for name in _NAMES})
]
# The example bodies fit this op, and Swagger UI pairs any of them with any example of the path.
CalledOp = Annotated[str, Path(description=_NAME, openapi_examples={"add": {"summary": "add", "value": "add"}})]


def describe_op(name: DescribedOp) -> Job:
    """Says how an op is called: its overloads, whether it is differentiable, in place, random or a view, PyTorch's
    documentation, and a body for POST that runs as it stands.
    """
    return Job(kind="op.describe", target=name)


def call_op(name: CalledOp) -> Job:
    """Calls one op, as a graph of one node would. Tensors among the arguments are `{"tensor": …}` or bare tensor
    objects; there are no references.
    """
    return Job(kind="op.run", target=name)


add_job(
    router,
    "GET",
    "/v1/ops/{name}",
    describe_op,
    operation_id="describe_op",
    summary="Describe an op",
    responses={
        **json_reply("OpDescription", "The op and how to call it."),
        **problems(UNKNOWN_OP, NOT_ACCEPTABLE, *WORKER_PROBLEMS),
    },
)
add_job(
    router,
    "POST",
    "/v1/ops/{name}",
    call_op,
    operation_id="call_op",
    summary="Call one op",
    responses={**tensor_reply("OpReply", "What the op returned."), **problems(*CALL_PROBLEMS)},
    openapi_extra=tensor_body("OpBody", "The arguments.", CALLS),
)
