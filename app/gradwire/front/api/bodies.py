"""The parts of the OpenAPI document about bodies that hold tensors as bytes: multipart, safetensors, npz."""

from __future__ import annotations

from typing import Any

from gradwire.contract.media import MULTIPART, NPZ, SAFETENSORS
from gradwire.front.api.described import Responses, json_body, json_reply, reference

_MULTIPART = (
    'The JSON in the part `request`. A tensor in it with `"encoding": "part"` has its bytes, little-endian and in C '
    "order, in the part that its `data` names."
)
_PART = "The bytes of a tensor."
_SAFETENSORS_BODY = (
    "The graph, as JSON text, in the metadata key `request`; the file's tensors are the inputs of the same name. "
    '`inputs` in `request` may add `{"x": {"requires_grad": true}}`, without data.'
)
_SAFETENSORS_REPLY = (
    "The tensors by their names in the reply, those inside a tuple or list as `t.0` or `t.values`. The JSON is in the "
    'metadata key `reply`: its tensors have `"encoding": "part"` and no `data`.'
)
_NPZ_REPLY = (
    "For `numpy.load`: arrays by their names in the reply, those inside a tuple or list as `t.0` or `t.values`. The "
    'JSON is the member `reply.json`: its tensors have `"encoding": "part"` and no `data`.'
)
_TIMING = {
    "description": "Milliseconds of waiting for a worker (`queue`), reading the body (`decode`), running (`run`) and "
    "writing the reply (`encode`).",
    "schema": {"type": "string", "examples": ["queue;dur=0.012, decode;dur=0.120, run;dur=0.251, encode;dur=0.049"]},
}


def _binary(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string", "format": "binary", "description": description}}


def tensor_body(
    model: str, description: str, examples: dict[str, dict[str, Any]], *, safetensors: bool = False
) -> dict[str, Any]:
    """The `requestBody` of an operation that reads tensors as bytes too."""
    body = json_body(model, description, examples)
    label, first = next(iter(examples.items()))
    schema = {
        "type": "object",
        "description": _MULTIPART,
        "required": ["request"],
        "properties": {"request": {**reference(model), "examples": [first["value"]]}},
        "additionalProperties": {"type": "string", "format": "binary", "description": _PART},
    }
    content = body["requestBody"]["content"]
    content[MULTIPART] = {
        "schema": schema,
        "encoding": {"request": {"contentType": "application/json"}},
        "examples": {label: {**first, "value": {"request": first["value"]}}},
    }
    if safetensors:
        content[SAFETENSORS] = _binary(_SAFETENSORS_BODY)
    return body


def tensor_reply(model: str, description: str) -> Responses:
    """The 200 of an operation that writes tensors as bytes too."""
    reply = json_reply(model, description)
    reply[200]["content"] |= {SAFETENSORS: _binary(_SAFETENSORS_REPLY), NPZ: _binary(_NPZ_REPLY)}
    reply[200]["headers"] = {"Server-Timing": _TIMING}
    return reply
