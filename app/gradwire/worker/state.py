"""What a job could change in the whole process, put back before the next one.

Ops that set process-wide state are not callable; this is the second wall. The random state is not here: each run seeds
its own.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import _tensor_str
from torch.autograd import forward_ad

# Each reads one part of the state and, given what it read in a fresh process, sets it again.
_PARTS: tuple[tuple[Callable[[], Any], Callable[[Any], Any]], ...] = (
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
    (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
    (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
    (torch.is_warn_always_enabled, torch.set_warn_always),
    (torch._C._is_multithreading_enabled, torch._C._set_multithreading_enabled),
    (torch._C._get_deterministic_fill_uninitialized_memory, torch._C._set_deterministic_fill_uninitialized_memory),
    (np.geterr, lambda modes: np.seterr(**modes)),
    (np.get_printoptions, lambda options: np.set_printoptions(**options)),
    (lambda: vars(_tensor_str.PRINT_OPTS).copy(), lambda options: vars(_tensor_str.PRINT_OPTS).update(options)),
)
# What is entered and left: modes (a default device is one), transforms, dual levels, inference, hooks.
_ENTERED: tuple[Callable[[], Any], ...] = (
    torch._C._len_torch_dispatch_stack,
    torch._C._len_torch_function_stack,
    torch._C._functorch.get_dynamic_layer_stack_depth,
    lambda: forward_ad._current_level,
    torch.is_inference_mode_enabled,
    lambda: torch._C._autograd._top_saved_tensors_default_hooks(False),
)


class FreshState:
    """The state of this process as it is now, which `restore` goes back to."""

    def __init__(self) -> None:
        self._parts = [(read, write, read()) for read, write in _PARTS]
        self._entered = [read() for read in _ENTERED]
        self._filters = list(warnings.filters)

    def left_open(self) -> bool:
        """Whether something was entered and not left. It cannot be undone from outside: the process must go."""
        return any(read() != value for read, value in zip(_ENTERED, self._entered, strict=True))

    def restore(self) -> None:
        """Undo what was changed since."""
        for read, write, value in self._parts:
            if read() != value:
                write(value)
        # There is no way to read it, and setting it costs less than any reading above.
        torch.set_flush_denormal(False)
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            warnings.filters[:] = self._filters  # type: ignore[index]


def diverge() -> None:
    """Give this worker random states of its own: a fork has its parent's."""
    random.seed()
    np.random.seed()
