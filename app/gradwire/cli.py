"""The console command: gradwire serve | run FILE | ops | syntax | openapi | key."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradwire

_ADDRESS = re.compile(r" object at 0x[0-9a-f]+>")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    options = _parser().parse_args(arguments)
    status: int = options.command(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradwire", description="PyTorch over HTTP.")
    parser.add_argument("--version", action="version", version=f"gradwire {gradwire.__version__}")
    commands = parser.add_subparsers(required=True, metavar="serve | run | ops | syntax | openapi | key")

    serve = commands.add_parser("serve", help="serve HTTP; every setting is also GRADWIRE_… in the environment")
    serve.add_argument("--host", help="the address to listen on")
    serve.add_argument("--port", type=int, help="the port to listen on; 0: any free one")
    serve.add_argument("--workers", type=int, help="how many jobs run at once")
    serve.set_defaults(command=_serve)

    run = commands.add_parser("run", help="run a graph or a program without a server, and print as PyTorch prints")
    run.add_argument("file", help="JSON as POST /v1/graphs/run takes it (-: standard input), or a program (.py)")
    run.set_defaults(command=_run)

    ops = commands.add_parser("ops", help="list the ops")
    ops.add_argument("query", nargs="?", default="", help="words to look for in names and summaries")
    ops.add_argument("--markdown", action="store_true", help="write docs/ops.md: all ops, and what is excluded")
    ops.add_argument("--excluded", action="store_true", help="list what cannot be called, with the reason")
    ops.set_defaults(command=_ops)

    syntax = commands.add_parser("syntax", help="say what a program may hold, as Markdown tables")
    syntax.add_argument("--page", help="the page to put them into, between its marker lines: docs/programs.md")
    syntax.set_defaults(command=_syntax)

    openapi = commands.add_parser("openapi", help="write the OpenAPI document")
    openapi.add_argument("--output", help="the file to write; standard output without it")
    openapi.set_defaults(command=_openapi)

    key = commands.add_parser("key", help="make an API key, and the digest of it that GRADWIRE_API_KEYS takes")
    key.set_defaults(command=_key)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from gradwire.front.serve import serve
    from gradwire.front.settings import Settings

    given = {name: getattr(options, name) for name in ("host", "port", "workers") if getattr(options, name) is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        for detail in error.errors():
            if detail["type"] == "default_factory_not_called":  # a default that is made from the wrong value
                continue
            name = ".".join(map(str, detail["loc"]))
            print(f"GRADWIRE_{name.upper()}: {detail['msg']}", file=sys.stderr)
        return 2
    return serve(settings)


def _run(options: argparse.Namespace) -> int:
    from gradwire.findings import Refusal
    from gradwire.worker.local import run_body

    body = sys.stdin.buffer.read() if options.file == "-" else _read(options.file)
    if body is None:
        return 2
    is_program = options.file.endswith(".py")
    try:
        outcome = run_body(_as_document(body) if is_program else body)
    except Refusal as refusal:
        for finding in refusal.findings:
            print(_spoken(finding), file=sys.stderr)
        return 1
    for entry, _ in outcome.printed or ():
        print(entry.text, end=entry.end)
    for name, output in () if is_program else outcome.outputs.items():
        print(f"{name} = {_printed(output.value)}")
    return 0


def _as_document(program: bytes) -> bytes:
    """The request for a program; what is no UTF-8 stays wrong, and is told as in a request."""
    quoted = json.dumps(program.decode("utf-8", "surrogateescape"), ensure_ascii=False)
    return b'{"program":' + quoted.encode("utf-8", "surrogateescape") + b"}"


def _read(file: str) -> bytes | None:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        print(f"{file}: {error.strerror}", file=sys.stderr)
        return None


def _spoken(finding: Any) -> str:
    """One mistake in a line or two: where, what, and what to do."""
    line = finding.source.line
    place = f"line {line}" if line is not None else finding.source.pointer or "the graph"
    text = f"{place}: {finding.message}"
    return f"{text}\n  hint: {finding.hint}" if finding.hint else text


def _printed(value: Any) -> str:
    """As PyTorch prints it; for a None that has a reason, with the reason."""
    note = getattr(value, "note", None)
    # An address says nothing to the reader and would differ from run to run.
    return f"None  # {note}" if note is not None else _ADDRESS.sub(" object at 0x0>", repr(value))


def _ops(options: argparse.Namespace) -> int:
    if options.markdown:
        from gradwire.engine.ops import markdown

        sys.stdout.write(markdown.page())
        return 0

    from gradwire.engine.ops.describe import summaries
    from gradwire.front.catalogue import MAX_LIMIT, Catalogue, Query

    catalogue = Catalogue(summaries())
    status = "excluded" if options.excluded else "callable"
    offset = 0
    while True:
        page = catalogue.page(Query(q=options.query, status=status, limit=MAX_LIMIT, offset=offset))
        for op in page.ops:
            print(f"{op['name']:40} {op['reason'] or op['summary'] or ''}")
        offset += MAX_LIMIT
        if page.next_cursor is None:
            return 0


def _syntax(options: argparse.Namespace) -> int:
    from gradwire.program import markdown

    if options.page is None:
        sys.stdout.write(markdown.tables())
        return 0
    page = Path(options.page)
    page.write_text(markdown.placed(page.read_text("utf-8")), encoding="utf-8")
    return 0


def _openapi(options: argparse.Namespace) -> int:
    from gradwire.front.main import create_app
    from gradwire.front.openapi import text
    from gradwire.front.settings import Settings

    document = text(create_app(Settings()))
    if options.output:
        Path(options.output).write_text(document, encoding="utf-8")
    else:
        sys.stdout.write(document)
    return 0


def _key(options: argparse.Namespace) -> int:
    from gradwire.front.access.keys import digest_of, new_key

    key = new_key()
    print(f"key:    {key}\ndigest: {digest_of(key)}")
    return 0
