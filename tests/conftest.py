"""Fixtures for all tests that ask the service over HTTP."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from server import Server
from service import Service

sys.path.insert(0, str(Path(__file__).parent / "http"))

from openapi_check import check_response


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The one server that all tests share which need no settings of their own; on the CPU, as local PyTorch there."""
    with Server(workers=2, hidden={"CUDA_VISIBLE_DEVICES": ""}) as running:
        yield running


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    """A client of the shared server; each reply is held to openapi.json."""
    with server.client(event_hooks={"response": [check_response]}) as made:
        yield made


@pytest.fixture(scope="session")
def service(client: httpx.Client) -> Service:
    """The shared server as a client sees it."""
    return Service(client)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless browser, for one file of tests: while its driver lives, no event loop can run in this thread."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium: no `chromium` on the path")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright to drive Chromium")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Local PyTorch computes with as many threads as a worker does: the bits of some ops depend on it."""
    torch.set_num_threads(1)
