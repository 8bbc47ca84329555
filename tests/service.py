"""The service as a client sees it: bodies out, replies in, each held to what all replies must keep to."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import httpx

Json = Any
Node = dict[str, Any]

RUN = "/v1/graphs/run"
# The gradient of a first PyTorch tutorial; tests add what is to be returned.
TUTORIAL_GRAPH: dict[str, Json] = {
    "inputs": {"x": {"data": [[1, 1], [1, 1]], "dtype": "float32", "requires_grad": True}},
    "nodes": [
        {"id": "y", "op": "add", "args": ["$x", 2]},
        {"id": "yy", "op": "mul", "args": ["$y", "$y"]},
        {"id": "z", "op": "mul", "args": ["$yy", 3]},
        {"id": "out", "op": "mean", "args": ["$z"]},
        {"op": "backward", "args": ["$out"]},
    ],
}
# What no reply may show: a traceback, or a path on the server.
LEAKS = re.compile(r"Traceback|site-packages|/gradwire/|File \"|\.py\b|/(usr|opt|home|var|proc)/")


def node(op: str, *args: Json, id: str | None = None, **kwargs: Json) -> Node:
    """A graph node, its empty members left out."""
    made: Node = {"op": op} if id is None else {"id": id, "op": op}
    if args:
        made["args"] = list(args)
    if kwargs:
        made["kwargs"] = kwargs
    return made


class Service:
    """Sends requests with `client` (its base URL set) and reads strict JSON back."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._explained: set[str] = set()

    def post(self, path: str, body: Json | bytes, **headers: str) -> httpx.Response:
        """A POST of a JSON value, or of bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return self.client.post(path, content=content, headers={"content-type": "application/json"} | headers)

    def graph(self, body: Json | bytes) -> dict[str, Any]:
        """The reply of a run that must succeed."""
        reply = self.post(RUN, body)
        assert reply.status_code == 200, reply.text[:2000]
        return read(reply)

    def run(
        self, nodes: Sequence[Node], returns: Json = None, inputs: dict[str, Json] | None = None, **members: Json
    ) -> dict[str, Any]:
        """The outputs of a graph; `members` are further members of its body."""
        body: dict[str, Any] = {"inputs": inputs or {}, "nodes": list(nodes), **members}
        if returns is not None:
            body["returns"] = returns
        outputs = self.graph(body)["outputs"]
        assert isinstance(outputs, dict)
        return outputs

    def value(self, *nodes: Node, inputs: dict[str, Json] | None = None, **members: Json) -> dict[str, Any]:
        """What the last of `nodes` gives; it needs no id."""
        last = {"id": "last", **nodes[-1]}
        found = self.run([*nodes[:-1], last], [last["id"]], inputs, **members)[last["id"]]
        assert isinstance(found, dict)
        return found

    def op(self, name: str, *args: Json, body: dict[str, Json] | None = None, **kwargs: Json) -> dict[str, Any]:
        """The result of POST /v1/ops/{name}; `body` adds members beside args and kwargs."""
        reply = self.post(f"/v1/ops/{name}", {"args": list(args), "kwargs": kwargs, **(body or {})})
        assert reply.status_code == 200, reply.text[:2000]
        result = read(reply)["result"]
        assert isinstance(result, dict)
        return result

    def refused(self, body: Json | bytes, path: str = RUN, **headers: str) -> dict[str, Any]:
        """The problem document for a request that must fail, after checking the form that all of them have."""
        return self.problem(self.post(path, body, **headers))

    def problem(self, reply: httpx.Response) -> dict[str, Any]:
        """A reply's problem document (RFC 9457), its form checked."""
        assert reply.status_code >= 400, reply.text[:2000]
        assert reply.headers["content-type"].split(";")[0] == "application/problem+json"
        assert len(reply.content) <= 64 * 1024
        assert not LEAKS.search(reply.text), reply.text[:2000]
        problem = read(reply)
        assert problem["status"] == reply.status_code
        for member in ("type", "title", "detail", "code"):
            assert isinstance(problem[member], str)
            assert problem[member]
        errors = problem["errors"]
        assert isinstance(errors, list)
        assert errors
        assert problem["code"] == errors[0]["code"]
        for error in errors:
            assert isinstance(error["pointer"], str)
            assert isinstance(error["message"], str)
            assert error["message"]
            self._has_explanation(error["code"])
        self._has_explanation(problem["type"].removeprefix("/problems/"))
        assert problem["type"].startswith("/problems/")
        return problem

    def still_works(self) -> None:
        """Assert that a good request succeeds."""
        assert self.op("ones", 2)["data"] == [1.0, 1.0]

    def _has_explanation(self, code: str) -> None:
        if code not in self._explained:
            page = self.client.get(f"/problems/{code}")
            assert page.status_code == 200, code
            assert len(page.text) > 40
            self._explained.add(code)


def read(reply: httpx.Response) -> dict[str, Any]:
    """A reply's JSON, which must be strict: no NaN, no Infinity, no member twice."""
    decoded = json.loads(reply.content, parse_constant=_bare_word, object_pairs_hook=_members)
    assert isinstance(decoded, dict)
    return decoded


def _bare_word(word: str) -> None:
    raise AssertionError(f"a reply holds a bare {word}")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    assert len(members) == len(pairs), f"a member stands twice among {[name for name, _ in pairs]}"
    return members
