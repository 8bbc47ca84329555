"""What a job could change in the whole process is put back. In a process of its own: it changes that process."""

from __future__ import annotations

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
PROGRAM = """
import warnings
import numpy as np, torch
from gradwire.worker.state import FreshState
torch.set_num_threads(1)
warnings.simplefilter("ignore")
before = str({read})
fresh = FreshState()
{change}
changed = str({read})
fresh.restore()
print(before != changed, before == str({read}))
"""


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_does_not_outlive_its_job(name: str) -> None:
    change, read = CHANGES[name]
    program = PROGRAM.format(change=change, read=read)
    environment = {**os.environ, "PYTHONPATH": str(APP)}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["True", "True"], ended.stdout + ended.stderr
