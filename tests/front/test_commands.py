"""`gradwire run`, `ops` and `openapi`: the commands that need no server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from server import APP
from service import TUTORIAL_GRAPH

TUTORIAL = TUTORIAL_GRAPH | {"returns": ["z", "out", "x.grad"]}


def gradwire(*arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the console command."""
    environment = {**os.environ, "PYTHONPATH": str(APP)}
    command = [sys.executable, "-m", "gradwire", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, input=given, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture
def graph(tmp_path: Path) -> Any:
    """Writes a graph to a file."""

    def write(document: Any) -> Path:
        path = tmp_path / "graph.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_run_prints_what_pytorch_prints(graph: Any) -> None:
    ended = gradwire("run", graph(TUTORIAL))
    x = torch.ones(2, 2, requires_grad=True)
    z = (x + 2) * (x + 2) * 3
    out = z.mean()
    out.backward()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"z = {z!r}\nout = {out!r}\nx.grad = {x.grad!r}\n"
    assert "z = tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)\n" in ended.stdout


def test_run_reads_standard_input_and_prints_every_kind_of_value() -> None:
    nodes = [
        {"id": "x", "op": "arange", "args": [6]},
        {"id": "size", "op": "size", "args": ["$x"]},
        {"id": "best", "op": "max", "args": ["$x", 0]},
        {"id": "item", "op": "item", "args": ["$best.values"]},
        {"id": "array", "op": "Tensor.numpy", "args": ["$x"]},
    ]
    ended = gradwire(
        "run", "-", given=json.dumps({"nodes": nodes, "returns": ["size", "best", "item", "array", "x.dtype"]})
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "size = torch.Size([6])\n"
        "best = torch.return_types.max(\nvalues=tensor(5),\nindices=tensor(5))\n"
        "item = 5\n"
        "array = array([0, 1, 2, 3, 4, 5])\n"
        "x.dtype = torch.int64\n"
    )


def test_run_tells_all_mistakes_with_their_places(graph: Any) -> None:
    nodes = [{"id": "y", "op": "rellu", "args": [1]}, {"id": "z", "op": "add", "args": ["$x", 1]}]
    ended = gradwire("run", graph({"inputs": {"x": {"data": [[1], [2, 3]]}}, "nodes": nodes}))
    assert (ended.returncode, ended.stdout) == (1, "")
    places = [line.partition(":")[0] for line in ended.stderr.splitlines() if not line.startswith("  ")]
    assert places == ["/inputs/x/data/1", "/nodes/0/op"]
    assert "relu" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_tells_what_pytorch_refused(graph: Any) -> None:
    nodes = [{"id": "y", "op": "mm", "args": [{"tensor": {"data": [[1.0]]}}, {"tensor": {"data": [1.0]}}]}]
    ended = gradwire("run", graph({"nodes": nodes}))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("/nodes/0: ")


@pytest.mark.parametrize("text", ["", "{", "[1", "nodes"])
def test_run_of_no_json_is_told_in_a_line(graph: Any, text: str) -> None:
    ended = gradwire("run", graph(text))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) <= 2
    assert "Traceback" not in ended.stderr


def test_run_of_a_file_that_is_not_there() -> None:
    ended = gradwire("run", "no-such-file.json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "no-such-file.json: No such file or directory\n"


def test_ops_finds_ops_and_tells_why_some_are_left_out() -> None:
    found = gradwire("ops", "relu")
    assert found.returncode == 0
    names = [line.split()[0] for line in found.stdout.splitlines()]
    assert names[0] == "relu"
    assert "nn.functional.relu" in names
    left_out = gradwire("ops", "--excluded", "from_file").stdout
    assert left_out.startswith("from_file ")
    assert len(left_out.splitlines()[0].split(maxsplit=1)[1]) > 10


def test_openapi_writes_the_document_that_is_kept_and_needs_no_torch(tmp_path: Path) -> None:
    kept = (Path(__file__).parents[2] / "openapi" / "openapi.json").read_text()
    path = tmp_path / "openapi.json"
    assert gradwire("openapi", "--output", path).returncode == 0
    assert path.read_text() == kept
    assert gradwire("openapi").stdout == kept
    program = "import sys; from gradwire.cli import main; main(['openapi']); print('torch' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(APP)}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.endswith("\nFalse\n")


def test_the_version_and_the_help_need_no_torch() -> None:
    assert gradwire("--version").stdout.startswith("gradwire 0.")
    helped = gradwire("--help").stdout
    assert all(name in helped for name in ("serve", "run", "ops", "openapi"))
    assert gradwire().returncode == 2
