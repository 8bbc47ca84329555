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
# PyTorch lets go of backward nodes that Python has seen by recursion, a few hundred bytes for each that hangs below
# another: a run of 1,000,000 steps with a tape needs this much, and one that needs less takes less.
_STACK_BYTES = 2**30


def volunteer() -> None:
    """Where the machine runs out of memory all the same, have the kernel kill this process and not the front."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_KILL_ME_FIRST)


def bound(limits: Limits) -> None:
    """Make every allocation beyond `worker_memory_bytes` fail as an exception, leave no core behind, and make
    room for deep recursion in C.

    Only after all threads have been started: they take memory of their own, and one that cannot start aborts.
    """
    most = limits.worker_memory_bytes
    # With CUDA the address space is far larger than the memory, so what a process may write to is limited there.
    kind = resource.RLIMIT_DATA if torch.backends.cuda.is_built() else resource.RLIMIT_AS
    resource.setrlimit(kind, (most, most))
    # Of this thread alone, and from now on: others have the size that held when the process began.
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (_STACK_BYTES if hard < 0 else min(hard, _STACK_BYTES), hard))
    # A core would hold a client's data. Not being dumpable also keeps one worker from reading another's memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def start_threads(count: int) -> None:
    """Have PyTorch compute with `count` threads, all of them running."""
    torch.set_num_threads(count)
    if count > 1:
        # Large enough for every thread to get a part.
        torch.ones(100_000 * count).exp_()
