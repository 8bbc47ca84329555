"""The OpenAPI 3.1 document: FastAPI's list of operations, with the schemas of `contract.documents`."""

from __future__ import annotations

import json
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import gradwire
from gradwire.contract.documents.schemas import components
from gradwire.front.access.keys import is_open
from gradwire.front.api import autograd, graphs, ops, programs, server
from gradwire.front.api.described import FORBIDDEN, RATE_LIMITED, UNAUTHORIZED, problems

DESCRIPTION = """\
Send tensors and a graph of PyTorch operations; get values, gradients and the backward graph. Results are PyTorch's
own, bit for bit.

* Ops are named as in PyTorch's documentation: `add`, `Tensor.add_`, `nn.functional.relu`.
* Numbers are exact: the fewest digits that read back to the same value in the dtype; NaN, infinities and integers
  beyond 2^53 are strings.
* Errors are [problem documents](/problems/) (RFC 9457) that say where, what came, and what was expected.
* Tensors may travel as bytes, as `Content-Type` and `Accept` say: in parts of a `multipart/form-data` body, as
  `application/x-safetensors` both ways, and as `application/x-npz` for `numpy.load`.
* Bodies may have a `Content-Encoding` of gzip or zstd; replies over 1 KiB have the one that `Accept-Encoding` asks for.
"""

_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "Needed where the operator has set GRADWIRE_API_KEYS; `gradwire key` makes one.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The document for the routes of `app`; the same for any settings."""
    described = get_openapi(
        title="gradwire: PyTorch over HTTP",
        version=gradwire.__version__,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        routes=app.routes,
        tags=[graphs.TAG, programs.TAG, autograd.TAG, ops.TAG, server.TAG],
    )
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _without_validation_error(operation["responses"])
            _behind_the_gate(path, method, operation)
    described["components"] = {"schemas": components(), "securitySchemes": {"bearer": _BEARER}}
    return described


def _behind_the_gate(path: str, method: str, operation: dict[str, Any]) -> None:
    """What any operation can meet before it is looked at: a missing key, a foreign page, a rate that is used up."""
    findings = [FORBIDDEN] if method == "post" else []
    if not is_open(path):
        operation["security"] = [{}, {"bearer": []}]
        findings += [UNAUTHORIZED, RATE_LIMITED]
    responses = {str(status): response for status, response in problems(*findings).items()}
    operation["responses"] = dict(sorted({**operation["responses"], **responses}.items()))


def _without_validation_error(responses: dict[str, Any]) -> None:
    """FastAPI adds its own 422 to whatever has a parameter; ours are problem documents and are declared."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]


def text(app: FastAPI) -> str:
    """The document as `openapi/openapi.json` holds it: indented, so that changes show line by line."""
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
