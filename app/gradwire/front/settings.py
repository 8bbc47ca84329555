"""Every setting, its default and its bounds. The environment name is the field's in capitals, after GRADWIRE_."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gradwire.contract.limits import Limits
from gradwire.front.access.origins import authority, canonical_origin
from gradwire.front.access.rates import parse_rate

_MIB = 2**20
# PyTorch alone takes 700 MiB of address space; with less than this there is no room to compute in.
_LEAST_WORKER_BYTES = 1024 * _MIB
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
# In the environment a list is a text with commas.
_Words = Annotated[tuple[str, ...], NoDecode]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _machine_bytes() -> int:
    """The memory that this machine has, or this container may use."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            whole = min(whole, int(Path("/sys/fs/cgroup", name).read_text()))
    return whole


def _worker_bytes(given: dict[str, Any]) -> int:
    """As much that all workers together leave a quarter of the machine to others."""
    share: int = _machine_bytes() * 3 // 4 // given.get("workers", 1)
    return max(_LEAST_WORKER_BYTES, min(4096 * _MIB, share // _MIB * _MIB))


class Settings(BaseSettings):
    """The settings of a server. Sizes are bytes, times milliseconds. The defaults serve on a laptop."""

    model_config = SettingsConfigDict(env_prefix="GRADWIRE_", extra="ignore", validate_default=True)

    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port to listen on; 0: any free one.")
    workers: int = Field(
        default_factory=lambda: max(1, min(4, _cores())), ge=1, le=512, description="How many jobs run at once."
    )
    worker_memory_bytes: int = Field(
        default_factory=_worker_bytes,
        ge=_LEAST_WORKER_BYTES,
        description="The hard limit of one worker's memory (address space).",
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
    max_held_bytes: int = Field(
        default=512 * _MIB, ge=1024, description="Bytes of all bodies and replies over 64 KiB that are held at once."
    )
    body_timeout_ms: int = Field(
        default=30_000, ge=1, description="The longest pause within a body and time for a head, before 408."
    )
    grace_ms: int = Field(
        default=10_000, ge=0, description="How long running requests may go on once the server stops."
    )
    sandbox: Literal["auto", "off", "required"] = Field(
        default="auto",
        description="Walls around workers (docs/promises.md): as many as the system has, none, or all or no service.",
    )
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        default="info", description="The least severe messages that are logged."
    )

    api_keys: _Words = Field(
        default=(), description="SHA-256 digests of the keys that are let in (`gradwire key`); none: open to all."
    )
    rate_requests: str = Field(
        default="", description="Requests of one client, such as 100/minute; a bare number: a minute; empty: no limit."
    )
    rate_compute_seconds: str = Field(
        default="", description="Seconds of workers for one client, such as 600/hour; written as the one above."
    )
    cors_origins: _Words = Field(
        default=(), description="Origins of web pages that may use the service, such as https://example.com; *: all."
    )
    allowed_hosts: _Words = Field(
        default=(), description="Names by which the service may be reached, such as api.example.com; none: any."
    )

    @field_validator("api_keys", "cors_origins", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """`a, b` is two words."""
        words = value.split(",") if isinstance(value, str) else value
        return tuple(stripped for word in words if (stripped := str(word).strip()))

    @field_validator("api_keys")
    @classmethod
    def _are_digests(cls, digests: tuple[str, ...]) -> tuple[str, ...]:
        lowered = tuple(digest.lower() for digest in digests)
        if not all(_DIGEST.match(digest) for digest in lowered):
            raise ValueError("each must be a SHA-256 digest of 64 hex digits; `gradwire key` prints one")
        return lowered

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(canonical_origin(origin) for origin in origins)
        if None in found:
            raise ValueError("each must be an origin such as https://example.com or http://localhost:3000, or *")
        return tuple(origin for origin in found if origin is not None)

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if any(authority(host) is None for host in hosts):
            raise ValueError("each must be a host such as api.example.com, *.example.com, localhost:8000 or [::1]")
        return hosts

    @field_validator("rate_requests", "rate_compute_seconds", mode="before")
    @classmethod
    def _is_rate(cls, value: Any) -> str:
        try:
            parse_rate(str(value))
        except ValueError:
            raise ValueError("it must be a number, or a number per time such as 100/minute or 5 per 2 hours") from None
        return str(value)

    def limits(self) -> Limits:
        """The limits that workers hold to."""
        return Limits(**{name: getattr(self, name) for name in Limits.__struct_fields__})
