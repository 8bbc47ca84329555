"""Every setting, its default and its bounds. The environment name is the field's in capitals, after GRADWIRE_."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from gradwire.contract.limits import Limits

_MIB = 2**20


def _cores() -> int:
    return len(os.sched_getaffinity(0))


class Settings(BaseSettings):
    """The settings of a server. Sizes are bytes, times milliseconds. The defaults serve on a laptop."""

    model_config = SettingsConfigDict(env_prefix="GRADWIRE_", extra="ignore", validate_default=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(
        default_factory=lambda: max(1, min(4, _cores())), ge=1, le=512, description="How many jobs run at once."
    )
    worker_memory_bytes: int = Field(
        default=4096 * _MIB, ge=640 * _MIB, description="The hard limit of one worker's memory (address space)."
    )
    deadline_ms: int = Field(
        default=30_000, ge=1, description="The longest a run may take; a request may ask for less."
    )
    threads: int = Field(default=1, ge=1, le=256, description="Threads of one op in a worker.")
    queue_size: int = Field(default=64, ge=0, description="Requests that wait for a worker before 503.")
    queue_ms: int = Field(default=10_000, ge=1, description="How long a request waits for a worker before 503.")
    max_body_bytes: int = Field(default=64 * _MIB, ge=1024, description="The longest body.")
    max_output_bytes: int = Field(default=64 * _MIB, ge=1024, description="The longest reply.")
    max_nodes: int = Field(default=10_000, ge=1, description="The most nodes in a document.")
    max_steps: int = Field(default=1_000_000, ge=1, description="The most nodes run and turns of loops, all together.")
    max_depth: int = Field(default=200, ge=8, le=400, description="The deepest nesting of JSON.")
    max_batch: int = Field(default=1_000, ge=1, description="The most graphs in a batch.")
    body_timeout_ms: int = Field(default=30_000, ge=1, description="The longest pause within a body before 408.")
    grace_ms: int = Field(
        default=10_000, ge=0, description="How long running requests may go on once the server stops."
    )
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="The least severe messages that are logged."
    )

    def limits(self) -> Limits:
        """The limits that workers hold to."""
        return Limits(**{name: getattr(self, name) for name in Limits.__struct_fields__})
