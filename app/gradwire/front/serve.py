"""Serving the application with uvicorn, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import signal
import socket
from types import FrameType

import uvicorn

from gradwire.contract import memory
from gradwire.front.executors import Executor
from gradwire.front.main import create_app
from gradwire.front.protocol import protocol
from gradwire.front.settings import Settings

_log = logging.getLogger("gradwire.front")

# The most descriptors that are asked of the system, and those that are not for clients: a worker has five.
_DESCRIPTORS = 65536
_OTHERS, _OF_WORKER = 64, 8


def serve(settings: Settings) -> int:
    """Listen and serve; 0 after a stop that was asked for, 1 where the address or workers cannot be had."""
    logging.basicConfig(level=settings.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=protocol(settings.body_timeout_ms, _most_connections(settings)),
        ws="none",
        lifespan="on",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        # Its messages about its own start and stop say nothing that ours don't.
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        # Jobs end with the grace time; this is for clients that are slow to send a body or to take a reply.
        timeout_graceful_shutdown=-(-settings.grace_ms // 1000) + 2,
        timeout_keep_alive=75,
    )
    server = _Server(config, app.state.executor, settings.grace_ms)
    try:
        listening = _listen(settings)
    except OSError as error:
        _log.error("cannot listen on %s:%d: %s", settings.host, settings.port, error.strerror)
        return 1
    host, port = listening.getsockname()[:2]
    _log.info("serving on http://%s:%d with %d workers", f"[{host}]" if ":" in host else host, port, settings.workers)
    # uvicorn raises the signal that stopped it once more when it is done: a stop that was asked for is no failure.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    server.run(sockets=[listening])
    _log.info("stopped")
    return 0 if server.started and app.state.executor.broken is None else 1


class _Server(uvicorn.Server):
    """uvicorn's server, but for signals: the first of either kind stops it, the second hurries the stop."""

    def __init__(self, config: uvicorn.Config, executor: Executor, grace_ms: int) -> None:
        super().__init__(config)
        self._executor = executor
        self._grace_ms = grace_ms

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and give jobs their grace time while uvicorn waits for connections to end."""
        _log.info("stopping; jobs have %d ms to end", self._grace_ms)
        closing = asyncio.create_task(self._executor.close(self._grace_ms))
        try:
            await super().shutdown(sockets)
        finally:
            closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await closing
        if self.force_exit:
            # A hurried uvicorn leaves this out, and the application is cut off with a traceback.
            await self._executor.close(0)
            await self.lifespan.shutdown()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to stop."""
        return await super().on_tick(counter) or self._executor.broken is not None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.force_exit = self.should_exit
        self.should_exit = True


def _most_connections(settings: Settings) -> int:
    """How many clients fit; more descriptors are asked for first, as the usual 1,024 are few. A long body or reply has
    one too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    open_files = _DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
    files = min(settings.max_held_bytes // memory.LONG, open_files // 4)
    return max(16, open_files - files - _OTHERS - _OF_WORKER * settings.workers)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((settings.host, settings.port))
    listening.listen(2048)
    return listening
