"""POST /v1/graphs/run."""

from __future__ import annotations

from fastapi import APIRouter

from gradwire.contract.frames import Job
from gradwire.front.api.described import GRAPH_PROBLEMS, json_body, json_reply, problems
from gradwire.front.api.examples import GRAPHS
from gradwire.front.api.routes import add_job

TAG = {
    "name": "Graphs",
    "description": "Run a graph of PyTorch operations: tensors in, values, gradients and the tape out.",
}
router = APIRouter(tags=[TAG["name"]])

_RUN = Job(kind="graph.run")


def run_graph() -> Job:
    """Runs the nodes in order, as one PyTorch program: in-place ops, views and aliasing behave as in PyTorch,
    `backward` and `autograd.grad` are nodes, and `x.grad` is a value like any other. Nothing is left behind.
    """
    return _RUN


add_job(
    router,
    "POST",
    "/v1/graphs/run",
    run_graph,
    operation_id="run_graph",
    summary="Run a graph",
    responses={
        **json_reply("GraphReply", "The values asked for, and the tape where it was asked for."),
        **problems(*GRAPH_PROBLEMS),
    },
    openapi_extra=json_body("GraphBody", "The graph: inputs, nodes, and what to return.", GRAPHS),
)
