"""A client in a few lines: a graph is written down line by line, sent once, and its outputs come back.

python client.py [URL]
"""

from __future__ import annotations

import sys
from typing import Any

import httpx

URL = "http://127.0.0.1:8000"


class Graph:
    """Inputs and nodes in order; each is known by its reference, such as `$x`."""

    def __init__(self) -> None:
        self.inputs: dict[str, Any] = {}
        self.nodes: list[dict[str, Any]] = []

    def input(self, name: str, data: Any, **members: Any) -> str:
        """A tensor to send: its data, and members such as dtype and requires_grad. Its reference."""
        self.inputs[name] = {"data": data, **members}
        return f"${name}"

    def add(self, op: str, *args: Any, no_grad: bool = False, **kwargs: Any) -> str:
        """A node by PyTorch's name for the op. Its reference."""
        name = f"n{len(self.nodes)}"
        node = {"id": name, "op": op, "args": list(args), "kwargs": kwargs, "no_grad": no_grad}
        self.nodes.append(node)
        return f"${name}"

    def run(self, url: str, **returns: str) -> dict[str, Any]:
        """Send it; the outputs by name. What the service refuses is printed, with the place of each error."""
        body = {"inputs": self.inputs, "nodes": self.nodes, "returns": returns}
        reply = httpx.post(f"{url}/v1/graphs/run", json=body, timeout=60)
        if reply.status_code != 200:
            for error in reply.json()["errors"]:
                print(f"{error['pointer']}: {error['message']}", file=sys.stderr)
            reply.raise_for_status()
        outputs: dict[str, Any] = reply.json()["outputs"]
        return outputs


def main(url: str = URL) -> None:
    """The tutorial's gradient."""
    graph = Graph()
    x = graph.input("x", [[1, 1], [1, 1]], dtype="float32", requires_grad=True)
    y = graph.add("add", x, 2)
    z = graph.add("mul", graph.add("mul", y, y), 3)
    out = graph.add("mean", z)
    graph.add("backward", out)
    outputs = graph.run(url, out=out, gradient=f"{x}.grad")
    print("out:", outputs["out"]["data"], outputs["out"]["grad_fn"])
    print("gradient:", outputs["gradient"]["data"])


if __name__ == "__main__":
    main(*sys.argv[1:])
