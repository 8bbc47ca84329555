"""The guards around PyTorch's own allocations (guard.c): compiled where there is a C compiler, else left out."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_MARK = "GRADWIRE_SEARCH_GUARD"


def load() -> bool:
    """Start this program again with the guards in place; False where they cannot be had. True: they are there."""
    if os.environ.get(_MARK):
        return hasattr(ctypes.CDLL(None), "guard_check")
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return False
    folder = Path(tempfile.mkdtemp(prefix="fences-"))
    library = folder / "guard.so"
    source = Path(__file__).with_name("guard.c")
    command = [compiler, "-O2", "-shared", "-fPIC", str(source), "-o", str(library), "-ldl", "-lpthread"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return False
    environment = {**os.environ, "LD_PRELOAD": str(library), _MARK: str(folder)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    return False  # not reached: the program has been replaced


def clean() -> None:
    """Remove what `load` compiled; the process keeps it."""
    if folder := os.environ.get(_MARK):
        shutil.rmtree(folder, ignore_errors=True)
