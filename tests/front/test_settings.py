"""Settings: names, defaults that serve, bounds, and how a wrong one is told."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from gradwire.front.settings import Settings
from server import APP

# The settings of the contract that this version has.
NAMES = {
    "HOST", "PORT", "WORKERS", "WORKER_MEMORY_BYTES", "DEADLINE_MS", "THREADS", "QUEUE_SIZE", "MAX_BODY_BYTES",
    "MAX_OUTPUT_BYTES", "MAX_NODES", "MAX_STEPS", "MAX_DEPTH", "MAX_BATCH", "QUEUE_MS", "BODY_TIMEOUT_MS", "GRACE_MS",
    "LOG_LEVEL", "API_KEYS", "RATE_REQUESTS", "RATE_COMPUTE_SECONDS", "CORS_ORIGINS", "ALLOWED_HOSTS", "SANDBOX",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("GRADWIRE_"):
            monkeypatch.delenv(name)


def test_every_setting_of_the_contract_is_there_and_described() -> None:
    fields = Settings.model_fields
    assert {name.upper() for name in fields} >= NAMES
    assert all(field.description for field in fields.values())


def test_the_defaults_that_the_contract_names() -> None:
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.port == 8000
    assert settings.threads == 1
    assert settings.max_steps == 1_000_000
    assert settings.max_batch == 1_000
    assert settings.body_timeout_ms == 30_000
    assert 1 <= settings.workers <= 4


def test_each_setting_is_read_from_its_name_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADWIRE_DEADLINE_MS", "1234")
    monkeypatch.setenv("GRADWIRE_LOG_LEVEL", "debug")
    settings = Settings()
    assert (settings.deadline_ms, settings.log_level) == (1234, "debug")
    assert settings.limits().deadline_ms == 1234


def test_lists_are_texts_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADWIRE_CORS_ORIGINS", " https://A.example:443/ ,, http://localhost:3000")
    monkeypatch.setenv("GRADWIRE_ALLOWED_HOSTS", "api.example, *.b.example,[::1]:80")
    monkeypatch.setenv("GRADWIRE_API_KEYS", "A" * 64)
    settings = Settings()
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert settings.allowed_hosts == ("api.example", "*.b.example", "[::1]:80")
    assert settings.api_keys == ("a" * 64,)


def test_workers_hold_to_what_the_front_says() -> None:
    settings = Settings(max_nodes=7, threads=3, max_output_bytes=12345)
    limits = settings.limits()
    for name in limits.__struct_fields__:
        assert getattr(limits, name) == getattr(settings, name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", 65536), ("port", -1), ("workers", 0), ("deadline_ms", 0), ("queue_size", -1), ("threads", 0),
        ("max_depth", 0), ("worker_memory_bytes", 1 << 20), ("log_level", "loud"), ("grace_ms", -1),
        ("queue_ms", "soon"), ("api_keys", "key"), ("rate_requests", "often"), ("rate_compute_seconds", "1;2"),
        ("cors_origins", "example.com"), ("cors_origins", "https://a/b"), ("allowed_hosts", "https://example.com"),
    ],
)  # fmt: skip
def test_a_value_out_of_bounds_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refusal:
        Settings(**{name: value})
    assert refusal.value.errors()[0]["loc"] == (name,)


def serve(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    named = {f"GRADWIRE_{name}": value for name, value in settings.items()}
    environment = {**os.environ, "PYTHONPATH": str(APP), **named}
    command = [sys.executable, "-m", "gradwire", "serve", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_wrong_setting_stops_the_server_with_its_name_and_what_is_allowed() -> None:
    ended = serve(DEADLINE_MS="0", WORKERS="many")
    assert ended.returncode == 2
    lines = ended.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["GRADWIRE_WORKERS", "GRADWIRE_DEADLINE_MS"]
    assert "greater than or equal to 1" in lines[1]


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that something else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


def test_an_address_that_is_taken_is_told_in_a_line(taken_port: int) -> None:
    ended = serve("--port", str(taken_port))
    assert ended.returncode == 1
    assert f"127.0.0.1:{taken_port}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_options_of_serve_go_before_the_environment() -> None:
    ended = serve("--workers", "0", WORKERS="2")
    assert ended.returncode == 2
    assert "GRADWIRE_WORKERS" in ended.stderr
