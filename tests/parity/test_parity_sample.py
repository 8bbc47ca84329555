"""PyTorch's own test data over HTTP: one sample and two error inputs of every op; `make parity` sends all of them."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("run.py")
# What JSON cannot say, and entries for other hardware: docs/parity.md.
WITHOUT_SAMPLES = {
    "nn.functional.batch_norm.without_cudnn",
    "nn.functional.linear_cross_entropy.chunked",
    "nn.functional.linear_cross_entropy.chunked_none",
    "nn.functional.triplet_margin_with_distance_loss",
}


@pytest.fixture(scope="module")
def figures(server, tmp_path_factory):
    """What the run wrote. A process of its own: importing op_db changes PyTorch's global state."""
    path = tmp_path_factory.mktemp("parity") / "figures.json"
    lost = server.workers()["lost"]
    command = [sys.executable, "-W", "ignore", RUN, "--sample", "--url", server.url, "--figures", path]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert path.exists(), done.stderr[-3000:]
    assert server.workers()["lost"] == lost
    return json.loads(path.read_text())


def test_no_op_differs(figures):
    differing = {one["entry"]: one["differences"] for one in figures["samples"] if one["differences"]}
    assert differing == {}
    assert len(figures["samples"]) == figures["total"] >= 702


def test_nearly_every_entry_passes(figures):
    verdicts = Counter(one["verdict"] for one in figures["samples"])
    assert {one["entry"] for one in figures["samples"] if one["verdict"] == "no samples"} == WITHOUT_SAMPLES
    assert verdicts["not public"] + verdicts["varies"] <= 6
    assert verdicts["passed"] >= 0.99 * (figures["total"] - verdicts["not here"] - verdicts["no samples"])
    assert sum(one["gradients"] for one in figures["samples"]) > 500


def test_error_inputs_are_refused_as_pytorch_refuses_them(figures):
    differing = {one["entry"]: one["differences"] for one in figures["errors"] if one["differences"]}
    assert differing == {}
    cases = sum(one["cases"] for one in figures["errors"])
    assert cases > 340
    assert sum(one["alike"] for one in figures["errors"]) > 0.65 * cases
