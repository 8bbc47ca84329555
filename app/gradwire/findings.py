"""The one record of what is wrong with a request, and where.

Every room reports mistakes as `Finding`s; only `contract.problems` turns them into a document for the client.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


# Not frozen: one is made for every argument of a request, and a frozen one takes three times as long to make.
@dataclass(slots=True, unsafe_hash=True)
class Source:
    """A place in what the client sent.

    `pointer` is a JSON Pointer (RFC 6901) into the request. A place inside program text also has `line` and `column`
    (from 1, columns in characters, ends exclusive).
    """

    pointer: str = ""
    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None

    def at(self, *steps: str | int) -> Source:
        """The place `steps` below this one; each step is a member name or an index, not yet escaped.

        Program text has nothing below it: there a place stays what it is.
        """
        if self.line is not None:
            return self
        return Source(self.pointer + "".join(f"/{escape(step)}" for step in steps))


def escape(step: str | int) -> str:
    """One reference token of a JSON Pointer (RFC 6901, section 3)."""
    return str(step).replace("~", "~0").replace("/", "~1")


@dataclass(slots=True)
class Finding:
    """One mistake: what is wrong (`code`, `message`), where (`source`, `node`), and what would be right.

    `node` is the graph node's id, or its index where it has none. `got` and `expected` are JSON values or short text.
    `parameter` names a query or path parameter.
    """

    code: str
    message: str
    source: Source = Source()
    node: str | int | None = None
    got: Any = None
    expected: Any = None
    hint: str | None = None
    parameter: str | None = None


class Refusal(Exception):
    """The request cannot be answered: carries all findings that are known, at least one."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("; ".join(finding.message for finding in self.findings))


def refuse(code: str, message: str, source: Source = Source(), **more: Any) -> Refusal:
    """A refusal with one finding, to be raised."""
    return Refusal([Finding(code, message, source, **more)])
