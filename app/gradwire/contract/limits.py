"""The limits that the front and the workers both hold to; the front's settings fill them in."""

from __future__ import annotations

from typing import Literal

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes are bytes, times milliseconds. `max_depth` counts nested JSON arrays and objects."""

    max_body_bytes: int = 64 * 2**20
    max_output_bytes: int = 64 * 2**20
    max_nodes: int = 10_000
    max_steps: int = 1_000_000
    max_depth: int = 200
    max_batch: int = 1_000
    deadline_ms: int = 30_000
    worker_memory_bytes: int = 4 * 2**30
    threads: int = 1
    sandbox: Literal["auto", "off", "required"] = "auto"
