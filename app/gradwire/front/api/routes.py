"""How routes of this API are declared: FastAPI prints them in the OpenAPI document, but jobs run as plain ASGI.

A job's body is read, checked and answered elsewhere, so FastAPI's own reading of requests would only cost time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gradwire.contract.frames import Job, Reply
from gradwire.contract.media import JSON, negotiate
from gradwire.findings import Finding, Refusal
from gradwire.front import dispatch
from gradwire.front.answering import RETRY_AFTER_S, decline, refused


class JobRoute(APIRoute):
    """A route whose endpoint only says which job a request is, from the parameters of its path and query, as text:
    `(**parameters) -> Job`. It raises Refusal where one is wrong.

    The request's body goes to a worker as it came, the worker's reply to the client. `queries` names the parameters of
    the query; one without a value counts as left out.
    """

    def __init__(self, path: str, endpoint: Callable[..., Job], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._job = endpoint
        self.queries = [parameter.alias for parameter in self.dependant.query_params]

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises 405 for a method that the route does not have, and Refusal for a GET that wants no JSON; `dispatch`
        says the same of a body's headers, all at once."""
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(405)
        if scope["method"] == "GET":
            json_is_wanted(Request(scope))
        asked = QueryParams(scope["query_string"]) if self.queries else {}
        given = {name: asked[name] for name in self.queries if asked.get(name)}
        try:
            job = self._job(**scope["path_params"], **given)
        except Refusal as refusal:
            await decline(scope, receive, send, refused(refusal.findings))
            return
        await dispatch.run(scope, receive, send, job)


def add_job(router: APIRouter, method: str, path: str, endpoint: Callable[..., Job], **options: Any) -> None:
    """Declares a job on `router`; `options` are those of FastAPI's routes."""
    router.add_api_route(
        path, endpoint, methods=[method], route_class_override=JobRoute, response_model=None, **options
    )


def json_is_wanted(request: Request) -> None:
    """Raises `Refusal` (`not_acceptable`) where the client does not take JSON."""
    wanted = request.headers.get("accept")
    if negotiate(wanted, (JSON,)) is None:
        finding = Finding("not_acceptable", f"the reply can be written as {JSON} only", got=wanted, expected=[JSON])
        raise Refusal([finding])


def respond(request: Request, document: Any) -> Response:
    """A JSON reply; raises `Refusal` (`not_acceptable`) where the client wants none."""
    json_is_wanted(request)
    return Response(orjson.dumps(document), media_type=JSON)


def passed_on(reply: Reply) -> Response:
    """A worker's reply, as it is."""
    headers = {"Retry-After": str(RETRY_AFTER_S)} if reply.status == 503 else None
    return Response(reply.body, status_code=reply.status, media_type=reply.media_type, headers=headers)
