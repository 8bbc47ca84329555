"""POST /v1/graphs/run, POST /v1/graphs/batch and POST /v1/graphs/draw."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from gradwire.contract.frames import Job
from gradwire.front import batches
from gradwire.front.api.bodies import tensor_body, tensor_reply
from gradwire.front.api.described import BATCH_PROBLEMS, GRAPH_PROBLEMS, json_body, json_reply, problems
from gradwire.front.api.examples import BATCHES, GRAPHS
from gradwire.front.api.pictures import Show, check_show, picture_problems, picture_reply
from gradwire.front.api.routes import add_job

TAG = {
    "name": "Graphs",
    "description": "Run a graph of PyTorch operations: tensors in, values, gradients and the tape out.",
}
router = APIRouter(tags=[TAG["name"]])

_RUN, _BATCH = Job(kind="graph.run"), Job(kind=batches.KIND)


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
        **tensor_reply("GraphReply", "The values asked for, and the tape where it was asked for."),
        **problems(*GRAPH_PROBLEMS),
    },
    openapi_extra=tensor_body("GraphBody", "The graph: inputs, nodes, and what to return.", GRAPHS, safetensors=True),
)


def run_batch() -> Job:
    """Runs many graphs, spread over the workers, a few at a time, so that other clients have their turn. Each has its
    own result or problem document, deadline, seed and fate: one that is wrong, runs too long or loses its worker takes
    nothing from the others.
    """
    return _BATCH


add_job(
    router,
    "POST",
    "/v1/graphs/batch",
    run_batch,
    operation_id="run_batch",
    summary="Run many graphs",
    responses={
        **json_reply("BatchReply", "What became of each graph, in their order; 200 also where all of them failed."),
        **problems(*BATCH_PROBLEMS),
    },
    openapi_extra=json_body("BatchBody", "The graphs.", BATCHES),
)


def draw_graph(show: Show = "both") -> Job:
    """Runs the graph as a run does, and draws it: shapes and dtypes on the edges, leaves, in-place steps, blocks as
    frames, and its tape with what each of its nodes saved. There are no outputs in the reply, and long bodies and tapes
    are folded, so that a picture stays readable.
    """
    return Job(kind="graph.draw", target=check_show(show))


add_job(
    router,
    "POST",
    "/v1/graphs/draw",
    draw_graph,
    operation_id="draw_graph",
    summary="Draw a graph",
    response_class=Response,
    responses={**picture_reply(), **picture_problems()},
    openapi_extra=tensor_body("GraphBody", "The graph, as it would be run.", GRAPHS, safetensors=True),
)
