"""What a job could change in the whole process is put back. Each in a process of its own: it changes that process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from server import APP

CHANGES = {
    "default dtype": ("torch.set_default_dtype(torch.float64)", "torch.get_default_dtype()"),
    "grad mode": ("torch.set_grad_enabled(False)", "torch.is_grad_enabled()"),
    "threads": ("torch.set_num_threads(2)", "torch.get_num_threads()"),
    "deterministic mode": ("torch.use_deterministic_algorithms(True)", "torch.get_deterministic_debug_mode()"),
    "anomaly mode": ("torch.autograd.set_detect_anomaly(True)", "torch.is_anomaly_enabled()"),
    "matmul precision": ("torch.set_float32_matmul_precision('medium')", "torch.get_float32_matmul_precision()"),
    "warn always": ("torch.set_warn_always(True)", "torch.is_warn_always_enabled()"),
    "autograd's threads": ("torch._C._set_multithreading_enabled(False)", "torch._C._is_multithreading_enabled()"),
    "filling": (
        "torch.utils.deterministic.fill_uninitialized_memory = False",
        "torch.utils.deterministic.fill_uninitialized_memory",
    ),
    "print options": ("torch.set_printoptions(precision=2, sci_mode=True)", "repr(torch.tensor([1e-3, 2.71828]))"),
    "denormals": ("torch.set_flush_denormal(True)", "(torch.tensor([1e-310], dtype=torch.float64) / 2).item()"),
    "NumPy's errors": ("np.seterr(all='raise')", "np.geterr()"),
    "NumPy's print options": ("np.set_printoptions(precision=2)", "repr(np.array([2.71828]))"),
    "warnings": ("warnings.simplefilter('error')", "warnings.filters"),
}
# One process loads PyTorch; a fork of it makes each change.
PROGRAM = """
import json, os, sys, warnings
import numpy as np, torch
from gradwire.worker.state import FreshState
torch.set_num_threads(1)
warnings.simplefilter("ignore")
for name, (change, read) in json.loads(sys.argv[1]).items():
    if os.fork():
        os.wait()
        continue
    before = str(eval(read))
    fresh = FreshState()
    exec(change)
    changed = str(eval(read))
    fresh.restore()
    print(json.dumps([name, before != changed, before == str(eval(read))]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def found() -> dict[str, list[bool]]:
    """By change: whether it was one, and whether it was put back."""
    environment = {**os.environ, "PYTHONPATH": str(APP)}
    command = [sys.executable, "-c", PROGRAM, json.dumps(CHANGES)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return {name: told for name, *told in map(json.loads, ended.stdout.splitlines())}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_does_not_outlive_its_job(name: str, found: dict[str, list[bool]]) -> None:
    assert found[name] == [True, True]
