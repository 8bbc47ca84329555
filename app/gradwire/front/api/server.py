"""What the server says about itself: /v1/server, /healthz, /readyz."""

from __future__ import annotations

import platform
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

import gradwire
from gradwire.contract.documents.server import LimitsReply
from gradwire.contract.frames import Reply
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding
from gradwire.front.api.described import NOT_ACCEPTABLE, WORKER_PROBLEMS, json_reply, problems
from gradwire.front.api.facts import facts_of
from gradwire.front.api.routes import passed_on, respond

TAG = {"name": "Server", "description": "Versions, devices, limits, and whether it is well."}
router = APIRouter(tags=[TAG["name"]])

_NOT_READY = Finding("overloaded", "no worker can take work now")


@router.get(
    "/v1/server",
    operation_id="describe_server",
    summary="Describe the server",
    responses={
        **json_reply("ServerReply", "Versions, devices, limits and workers."),
        **problems(NOT_ACCEPTABLE, *WORKER_PROBLEMS),
    },
    response_model=None,
)
async def describe_server(request: Request) -> Response:
    """Tells what results depend on (versions, devices, threads) and which limits a client may meet."""
    devices = await facts_of(request.app).devices()
    if isinstance(devices, Reply):
        return passed_on(devices)
    return respond(request, server_document(request.app.state.settings, devices, request.app.state.executor.workers()))


def server_document(settings: Any, devices: dict[str, Any], workers: dict[str, Any]) -> dict[str, Any]:
    """The reply of GET /v1/server, as `ServerReply` describes it; `settings` has each limit under its own name."""
    return {
        "versions": {
            "gradwire": gradwire.__version__,
            "torch": devices["torch"],
            "python": platform.python_version(),
        },
        "devices": devices["devices"],
        "threads": settings.threads,
        "limits": {name: getattr(settings, name) for name in LimitsReply.model_fields},
        "sandbox": devices["sandbox"],
        "workers": workers,
    }


@router.get(
    "/healthz",
    operation_id="is_alive",
    summary="Is the process alive?",
    responses={**json_reply("Alive", "It is."), **problems(NOT_ACCEPTABLE)},
    response_model=None,
)
async def is_alive(request: Request) -> Response:
    """Answers as long as the process does, whatever its workers do."""
    return respond(request, {"status": "alive"})


@router.get(
    "/readyz",
    operation_id="is_ready",
    summary="Can a worker take work?",
    responses={**json_reply("Ready", "One can."), **problems(NOT_ACCEPTABLE, _NOT_READY)},
    response_model=None,
)
async def is_ready(request: Request) -> Response:
    """200 when a worker can take work now, else 503."""
    if request.app.state.executor.ready and facts_of(request.app).known:
        return respond(request, {"status": "ready"})
    status, document = problem([_NOT_READY])
    return passed_on(Reply(status=status, media_type=MEDIA_TYPE, body=document))
