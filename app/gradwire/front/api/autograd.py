"""POST /v1/autograd/{name}: one derivative of a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fastapi import APIRouter

from gradwire.contract.documents.short_forms import BODIES, REPLIES
from gradwire.contract.frames import Job
from gradwire.front.api import autograd_examples
from gradwire.front.api.bodies import tensor_body, tensor_reply
from gradwire.front.api.described import GRAPH_PROBLEMS, problems
from gradwire.front.api.routes import add_job

TAG = {
    "name": "Derivatives",
    "description": "One derivative of a graph by its inputs. `requires_grad` need not be set, and no node need ask for "
    "a backward pass.",
}
router = APIRouter(tags=[TAG["name"]])


class _Text(NamedTuple):
    summary: str
    description: str


_TEXTS = {
    "value_and_grad": _Text(
        summary="A number and its gradients",
        description="Runs the graph and one backward pass. The output is one number; an input that it does not "
        "depend on gets zeros, and a note. The bits are those of `torch.autograd.grad`.",
    ),
    "grad": _Text(
        summary="The gradients of a number",
        description="The same as `value_and_grad`, by the name that torch.func has.",
    ),
    "vjp": _Text(
        summary="Vector-Jacobian products",
        description="Cotangents of the output, pulled back to the inputs: one backward pass for each, after one "
        "run of the graph.",
    ),
    "jvp": _Text(
        summary="Jacobian-vector products",
        description="Tangents of the inputs, pushed forward to the output, in forward mode. Many tangents run the"
        " graph once, mapped by `torch.func.vmap`.",
    ),
    "jacobian": _Text(
        summary="Jacobian matrices",
        description="The whole derivative of the output by each input, as `torch.func.jacrev` and `jacfwd` "
        "compute it. The reply says which mode and which chunk size were taken.",
    ),
    "hessian": _Text(
        summary="Hessian matrices",
        description="The second derivative by each pair of inputs, as `torch.func.hessian` computes it. The reply"
        " says which mode and which chunk size were taken.",
    ),
    "hvp": _Text(
        summary="Hessian-vector products",
        description="The Hessian times vectors, without the Hessian: one backward pass through the backward pass "
        "for each vector, after one run of the graph. The gradients come along.",
    ),
    "gradcheck": _Text(
        summary="Check derivatives with finite differences",
        description="Compares each derivative with central differences, as `torch.autograd.gradcheck` (order 1) "
        "and `gradgradcheck` (order 2) do. The reply is 200 also where they do not agree, and says "
        "where.",
    ),
}


def _endpoint(name: str, description: str) -> Callable[[], Job]:
    job = Job(kind="autograd", target=name)

    def endpoint() -> Job:
        return job

    endpoint.__doc__ = description
    return endpoint


for _name, _text in _TEXTS.items():
    add_job(
        router,
        "POST",
        f"/v1/autograd/{_name}",
        _endpoint(_name, _text.description),
        operation_id=_name,
        summary=_text.summary,
        responses={
            **tensor_reply(REPLIES[_name].__name__, "The output and its derivatives."),
            **problems(*GRAPH_PROBLEMS),
        },
        openapi_extra=tensor_body(
            BODIES[_name].__name__, "The graph, and what it is differentiated by.", autograd_examples.BODIES[_name]
        ),
    )
