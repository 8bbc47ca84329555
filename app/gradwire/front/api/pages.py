"""Pages for people: /, /docs, /problems/, and the OpenAPI document. None needs the internet or another host."""

from __future__ import annotations

import hashlib
import html
import importlib.util
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import orjson
from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from gradwire.contract.media import HTML, JSON, negotiate
from gradwire.contract.problems import STATUSES, Row
from gradwire.findings import Finding, Refusal
from gradwire.front import openapi
from gradwire.front.api.routes import respond

router = APIRouter(include_in_schema=False)

_WEB = Path(__file__).parent.parent / "web"
# Swagger UI sets styles on elements, and its icons are data: images; nothing else comes from outside its files.
_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The page at / asks the service; what it sets on elements it sets by script, one property at a time.
_START_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "favicon.png": "image/png",
    "start.js": "text/javascript",
    "page.css": "text/css",
}
_TYPES = {".js": "text/javascript", ".css": "text/css"}


@cache
def _packaged() -> Path:
    """Where the package that ships Swagger UI has its files; found without importing it."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package fastapi-offline, which holds the files of /docs, is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"


@cache
def _template(name: str) -> str:
    return (_WEB / name).read_text("utf-8")


def _page(text: str, policy: str = _PAGE_POLICY, status: int = 200) -> Response:
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    return Response(text, status_code=status, media_type=HTML, headers=headers)


@router.get("/", response_model=None)
async def start(request: Request) -> Response:
    """An editor for a program, and what comes of it."""
    server = html.escape(str(request.base_url).rstrip("/"))
    return _page(_start_page().replace("{{server}}", server), _START_POLICY)


@cache
def _start_page() -> str:
    """The page's HTML with its styles, and its modules named at once: else a browser finds them one after the other."""
    names = sorted(_modules())
    styles = "\n".join(f'<link rel="stylesheet" href="docs/page/{name}">' for name in names if name.endswith(".css"))
    modules = "\n".join(f'<link rel="modulepreload" href="docs/page/{name}">' for name in names if name.endswith(".js"))
    return _template("index.html").replace("{{styles}}", styles).replace("{{modules}}", modules)


@cache
def _modules() -> dict[str, tuple[bytes, str]]:
    """The files of the page by name, each with its entity tag; nothing else can be asked for below /docs/page/."""
    files = [path for path in (_WEB / "page").iterdir() if path.suffix in _TYPES]
    return {path.name: (text := path.read_bytes(), f'"{hashlib.sha256(text).hexdigest()[:32]}"') for path in files}


@router.get("/docs", response_model=None)
async def docs() -> Response:
    """Swagger UI."""
    return _page(_template("docs.html"), _DOCS_POLICY)


@router.get("/docs/{asset}", response_model=None)
async def docs_asset(asset: str) -> Response:
    """The files that /docs and the other pages need, and no others."""
    media_type = _ASSETS.get(asset)
    if media_type is None:
        raise Refusal([Finding("not_found", "there is no such file")])
    own = _WEB / asset
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return FileResponse(own if own.exists() else _packaged() / asset, media_type=media_type, headers=headers)


@router.get("/docs/page/{name}", response_model=None)
async def page_module(request: Request, name: str) -> Response:
    """A module or a style sheet of the page at /. Browsers ask each time whether it is still the same: modules of two
    versions must not meet."""
    if name not in _modules():
        raise Refusal([Finding("not_found", "there is no such file")])
    text, tag = _modules()[name]
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    known = request.headers.get("if-none-match", "")
    if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=_TYPES[Path(name).suffix], headers=headers)


@router.get("/openapi.json", response_model=None)
async def openapi_document(request: Request) -> Response:
    """The OpenAPI document of this server."""
    document: bytes | None = getattr(request.app.state, "openapi_document", None)
    if document is None:
        document = request.app.state.openapi_document = orjson.dumps(openapi.document(request.app))
    return Response(document, media_type=JSON, headers={"X-Content-Type-Options": "nosniff"})


@router.get("/problems", response_model=None)
@router.get("/problems/", response_model=None)
async def problem_index(request: Request) -> Response:
    """All error codes with their explanations."""
    return _explained(request, "Problems", STATUSES.items(), [_document(code, row) for code, row in STATUSES.items()])


@router.get("/problems/{code}", response_model=None)
async def problem_page(request: Request, code: str) -> Response:
    """What one error code means: the page that `type` of a problem document leads to."""
    row = STATUSES.get(code)
    if row is None:
        raise Refusal([Finding("not_found", "there is no such code", hint="/problems/ lists all codes")])
    return _explained(request, row.title, [(code, row)], _document(code, row))


def _document(code: str, row: Row) -> dict[str, str | int]:
    return {
        "type": f"/problems/{code}",
        "code": code,
        "status": row.status,
        "title": row.title,
        "explanation": row.explanation,
    }


def _explained(request: Request, title: str, rows: Iterable[tuple[str, Row]], document: object) -> Response:
    """As a page, or as JSON where the client would rather have that."""
    if negotiate(request.headers.get("accept"), (HTML, JSON)) != HTML:
        return respond(request, document)
    sections = "\n".join(_section(code, row) for code, row in rows)
    return _page(_template("problems.html").replace("{{title}}", html.escape(title)).replace("{{sections}}", sections))


def _section(code: str, row: Row) -> str:
    return (
        f'<section><h2><a href="/problems/{code}">{code}</a> <small>{row.status}</small></h2>'
        f"<p><strong>{html.escape(row.title)}.</strong> {_with_code(row.explanation)}</p></section>"
    )


def _with_code(text: str) -> str:
    """Text with `backquoted` words as code."""
    parts = html.escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
