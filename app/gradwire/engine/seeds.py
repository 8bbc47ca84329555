"""The random state of one run: reproducible with a seed, and never that of the run before."""

from __future__ import annotations

import secrets

import numpy as np
import torch

# Below 2^53, so that a JavaScript client can send the number back exactly.
DRAWN_BELOW = 2**53


def begin(seed: int | None) -> int:
    """Seed every generator for a run, with a fresh seed where none is given; return the seed."""
    chosen = secrets.randbelow(DRAWN_BELOW) if seed is None else seed
    again(chosen)
    return chosen


def again(seed: int) -> None:
    """Seed every generator: PyTorch's as `torch.manual_seed` does, NumPy's with the seed modulo 2^32."""
    manual_seed(seed)
    _numpy.seed = seed % 2**32


def manual_seed(seed: int) -> torch.Generator:
    """`torch.manual_seed`."""
    if torch.cuda.is_initialized():
        return torch.manual_seed(seed)
    # The same state without the lookups for accelerators that torch.manual_seed makes at each call.
    return torch.default_generator.manual_seed(seed)


class _Numpy:
    """The seed that NumPy's generator is to get before it is first used in a run: seeding takes it longer than most
    runs take, and hardly any uses it."""

    seed: int | None = None

    def ready(self) -> None:
        if self.seed is not None:
            np.random.seed(self.seed)
            self.seed = None


_numpy = _Numpy()
# To be called before each use of numpy.random's own generator.
numpy_ready = _numpy.ready
