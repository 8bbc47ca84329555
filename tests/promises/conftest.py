"""The server that the promises are tried on, and how long to try."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from asked import FOREIGN_KEY

from server import Server


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether to run the long forms, as `make promises` does."""
    return os.environ.get("PROMISES") == "full"


@pytest.fixture(scope="session")
def promised() -> Iterator[Server]:
    """Two workers of 2 GiB each, and a spare."""
    hidden = {"CUDA_VISIBLE_DEVICES": "", "SOME_SERVICE_TOKEN": FOREIGN_KEY}
    with Server(workers=2, worker_memory_bytes=2 * 2**30, hidden=hidden) as running:
        yield running
