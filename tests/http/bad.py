"""What a refused request must say: the record that the tables of bad requests are made of."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from service import RUN, Service


@dataclass(frozen=True)
class Bad:
    """A body that must be refused, with the status, code and pointer of its first error.

    `node` is the graph node named, where one must be; `got`, `expected`, `hint` and `message` are texts that must occur
    in those members of the error; "" asks only that the member is there.
    """

    name: str
    body: Any
    code: str
    pointer: str
    node: str | int | None = None
    got: str | None = None
    expected: str | None = None
    hint: str | None = None
    message: str | None = None
    status: int = 422
    path: str = RUN


def refuses(service: Service, bad: Bad) -> dict[str, Any]:
    """Send it, assert all that `bad` says and that the next good request succeeds; the problem document."""
    problem = service.refused(bad.body, bad.path)
    error = problem["errors"][0]
    assert (problem["status"], error["code"], error["pointer"]) == (bad.status, bad.code, bad.pointer), problem
    assert problem["code"] == bad.code
    if bad.node is not None:
        assert error.get("node") == bad.node, error
    for member in ("got", "expected", "hint", "message"):
        wanted = getattr(bad, member)
        if wanted is not None:
            assert member in error, error
            text = error[member] if isinstance(error[member], str) else json.dumps(error[member])
            assert wanted in text, error
    service.still_works()
    return problem


def names(bads: list[Bad]) -> list[str]:
    """Names for pytest, which must differ."""
    found = [bad.name for bad in bads]
    assert len(set(found)) == len(found)
    return found
