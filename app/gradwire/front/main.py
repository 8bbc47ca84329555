"""The application, put together here and nowhere else."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send

from gradwire.contract import media
from gradwire.contract.frames import Job
from gradwire.contract.problems import problem
from gradwire.findings import Finding, Refusal
from gradwire.front import dispatch
from gradwire.front.access.cors import Cors
from gradwire.front.access.gate import Gate
from gradwire.front.answering import bug
from gradwire.front.api import autograd, graphs, ops, pages, programs, server
from gradwire.front.api.facts import facts_of
from gradwire.front.api.routes import JobRoute
from gradwire.front.codings import Coded
from gradwire.front.executors import Executor
from gradwire.front.executors.pool import WorkerPool
from gradwire.front.room import Room
from gradwire.front.settings import Settings


def create_app(settings: Settings | None = None, executor: Executor | None = None) -> FastAPI:
    """The ASGI application. `executor` runs the jobs; by default a pool of worker processes."""
    settings = settings or Settings()
    executor = executor or WorkerPool(
        settings.limits(), workers=settings.workers, queue_size=settings.queue_size, queue_ms=settings.queue_ms
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await executor.start()
        asking = asyncio.create_task(facts_of(app).learn())
        yield
        asking.cancel()
        await executor.close(settings.grace_ms)

    app = _Application(
        docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan, title="gradwire"
    )
    app.state.settings = settings
    app.state.executor = executor
    most = max(settings.max_held_bytes, settings.max_body_bytes + settings.max_output_bytes)
    app.state.room = Room(most, settings.body_timeout_ms / 1000)
    # The routes that are asked for most come first: routing goes through them in order.
    for module in (graphs, autograd, programs, ops, server, pages):
        # As they are, not included: FastAPI would put a router of its own in the way of each request.
        app.router.routes.extend(module.router.routes)
    app.direct = _direct(app)
    app.entry = _entry(app, settings)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(Exception, _bug)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Coded)
    return app


class _Application(FastAPI):
    """FastAPI, with a short way for jobs whose path has no parameters: past middleware and routing, which take longer
    than all else that the front does for a small graph."""

    direct: dict[tuple[str, str], Job]
    entry: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.entry(scope, receive, send)

    async def admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A request that has passed the gate."""
        job = self.direct.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if job is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await dispatch.run(scope, receive, send, job)


def _entry(app: _Application, settings: Settings) -> ASGIApp:
    """What every request comes through, the short way or the long one."""
    gate: ASGIApp = Gate(app.admitted, settings)
    return Cors(gate, settings.cors_origins) if settings.cors_origins else gate


def _direct(app: FastAPI) -> dict[tuple[str, str], Job]:
    """The jobs of POST routes that need nothing but their path."""
    routes = [route for route in app.routes if isinstance(route, JobRoute) and "POST" in (route.methods or ())]
    bare = [route for route in routes if not route.param_convertors and not route.queries]
    return {("POST", route.path): route.endpoint() for route in bare}


class HeadAsGet:
    """HEAD works wherever GET does: the route sees a GET, the server leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)


def _problem(findings: list[Finding], headers: dict[str, str] | None = None) -> Response:
    status, document = problem(findings)
    return Response(document, status, headers, media.PROBLEM)


async def _refusal(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return _problem(refusal.findings)


async def _http_exception(request: Request, exception: Exception) -> Response:
    """Starlette's own refusals: no such path, no such method on it."""
    assert isinstance(exception, HTTPException)
    if exception.status_code == 405:
        allowed = _allowed(request)
        message = f"{request.url.path[:200]} does not take {request.method}"
        finding = Finding("method_not_allowed", message, got=request.method, expected=allowed)
        return _problem([finding], {"Allow": ", ".join(allowed)})
    message = f"there is nothing at {request.url.path[:200]}"
    return _problem([Finding("not_found", message, hint="GET /openapi.json lists what there is")])


def _allowed(request: Request) -> list[str]:
    """Every method of the path, over all routes that have it."""
    methods: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


async def _bug(request: Request, exception: Exception) -> Response:
    return _problem([bug(f"{request.method} {request.url.path}", exception)])
