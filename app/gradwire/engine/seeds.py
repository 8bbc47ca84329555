"""The random state of one run: reproducible with a seed, and never that of the run before."""

from __future__ import annotations

import secrets

import torch

# Below 2^53, so that a JavaScript client can send the number back exactly.
DRAWN_BELOW = 2**53


def begin(seed: int | None) -> int:
    """Seed every generator as `torch.manual_seed` does, with a fresh seed where none is given; return the seed."""
    chosen = secrets.randbelow(DRAWN_BELOW) if seed is None else seed
    reseed(chosen)
    return chosen


def reseed(seed: int) -> None:
    """`torch.manual_seed` for this run; unlike it gives None, since a generator is of no use over HTTP."""
    if torch.cuda.is_initialized():
        torch.manual_seed(seed)
    else:
        # The same state without the lookups for accelerators that torch.manual_seed makes at each call.
        torch.default_generator.manual_seed(seed)
