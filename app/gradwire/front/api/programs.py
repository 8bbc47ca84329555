"""POST /v1/programs/compile and POST /v1/graphs/python: PyTorch's text to a graph, and back."""

from __future__ import annotations

from fastapi import APIRouter

from gradwire.contract.frames import Job
from gradwire.front.api.described import GRAPH_PROBLEMS, PROGRAM_PROBLEMS, json_body, json_reply, problems
from gradwire.front.api.examples import AS_PYTHON, PROGRAMS
from gradwire.front.api.routes import add_job

TAG = {
    "name": "Programs",
    "description": "The text of PyTorch programs as graphs, and graphs as the PyTorch that a person would write.",
}
router = APIRouter(tags=[TAG["name"]])

_COMPILE, _PYTHON = Job(kind="program.compile"), Job(kind="graph.python")


def compile_program() -> Job:
    """Reads the syntax of the text and writes the nodes that it is; nothing is run. The graph gives the same bits and
    prints the same characters as the program.
    """
    return _COMPILE


def graph_as_python() -> Job:
    """Writes the graph as a program for local Python with torch, ready to be pasted into a notebook: its variables have
    the bits of the graph's values. It is itself a program for this service.
    """
    return _PYTHON


add_job(
    router,
    "POST",
    "/v1/programs/compile",
    compile_program,
    operation_id="compile_program",
    summary="Compile a program to a graph",
    responses={
        **json_reply("ProgramReply", "The graph, and the line of each of its nodes."),
        **problems(*GRAPH_PROBLEMS, *PROGRAM_PROBLEMS),
    },
    openapi_extra=json_body("ProgramBody", "The program, and what it may read.", PROGRAMS),
)
add_job(
    router,
    "POST",
    "/v1/graphs/python",
    graph_as_python,
    operation_id="graph_as_python",
    summary="Write a graph as PyTorch",
    responses={
        **json_reply("PythonReply", "The text, and the names that had to be changed."),
        **problems(*GRAPH_PROBLEMS, *PROGRAM_PROBLEMS),
    },
    openapi_extra=json_body("GraphBody", "The graph, as POST /v1/graphs/run takes it.", AS_PYTHON),
)
