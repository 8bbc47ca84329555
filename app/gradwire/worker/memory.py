"""The walls around one worker's memory and what it could leave on disk."""

from __future__ import annotations

import contextlib
import ctypes
import resource
from pathlib import Path

import torch

from gradwire.contract.limits import Limits

_PR_SET_DUMPABLE = 4
_KILL_ME_FIRST = "1000"


def volunteer() -> None:
    """Where the machine runs out of memory all the same, have the kernel kill this process and not the front."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_KILL_ME_FIRST)


def bound(limits: Limits) -> None:
    """Make every allocation beyond `worker_memory_bytes` fail as an exception, and leave no core behind.

    Only after all threads have been started: they take memory of their own, and one that cannot start aborts.
    """
    most = limits.worker_memory_bytes
    # With CUDA the address space is far larger than the memory, so what a process may write to is limited there.
    kind = resource.RLIMIT_DATA if torch.backends.cuda.is_built() else resource.RLIMIT_AS
    resource.setrlimit(kind, (most, most))
    # A core would hold a client's data. Not being dumpable also keeps one worker from reading another's memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def start_threads(count: int) -> None:
    """Have PyTorch compute with `count` threads, all of them running."""
    torch.set_num_threads(count)
    if count > 1:
        # Large enough for every thread to get a part.
        torch.ones(100_000 * count).exp_()
