"""Program text where nodes may stand (contract section 8)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gradwire.engine.graph import Statement
from gradwire.findings import Finding, Source
from gradwire.program.parse import read_program


def read_body(
    document: dict[str, Any], source: Source, inputs: Iterable[str], functions: Any, findings: list[Finding]
) -> tuple[list[Statement], list[str]]:
    """The statements of `program` in a document, and the names that it binds in the order of their last binding.

    What is wrong goes into `findings`; a document has `nodes` or `program`, not both.
    """
    if "nodes" in document:
        message = "`program` stands in place of `nodes`; both together say two things"
        findings.append(Finding("invalid_request", message, source.at("nodes"), hint="leave one of them out"))
    names = functions if isinstance(functions, dict) else ()
    place = source.at("program").pointer
    program, found = read_program(document["program"], place, inputs=tuple(inputs), functions=tuple(names))
    findings += found
    return program.statements, list(program.assigned)


def missing_nodes(document: dict[str, Any], what: str) -> list[Finding]:
    """The finding for a document that has neither `nodes` nor `program`."""
    if "nodes" in document or "program" in document:
        return []
    return [Finding("invalid_request", f"{what} must have `nodes`", expected="nodes", hint="or `program`")]
