"""CORS for the pages of CORS_ORIGINS: Starlette's, but for refusals, which are problem documents as all others."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp

from gradwire.contract import media
from gradwire.contract.problems import problem
from gradwire.findings import Finding

_METHODS = ("GET", "HEAD", "POST")
_SENT = ("Accept", "Authorization", "Content-Encoding", "Content-Type")
_SHOWN = ("RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate")
_KEPT_S = 600


class Cors(CORSMiddleware):
    """Answers preflights, and marks replies as readable by the pages of `origins`. Keys travel in a header that the
    page itself sets, so credentials of the browser's own are not needed and not allowed.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_methods=_METHODS,
            allow_headers=_SENT,
            allow_private_network=True,
            expose_headers=_SHOWN,
            max_age=_KEPT_S,
        )

    def preflight_response(self, request_headers: Headers) -> Response:
        """204 for what a page may send, else 403 `forbidden`."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            response.status_code, response.body = 204, b""
            del response.headers["content-type"], response.headers["content-length"]
            return response
        message = bytes(response.body).decode()
        status, document = problem([Finding("forbidden", message, got=request_headers.get("origin"))])
        return Response(document, status, {"Vary": response.headers["vary"]}, media.PROBLEM)
