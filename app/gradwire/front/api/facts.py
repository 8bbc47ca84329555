"""What the front learns from a worker once, and keeps: the op catalogue, the devices and the version of PyTorch."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from starlette.applications import Starlette

from gradwire.contract.frames import Job, Reply
from gradwire.front.catalogue import Catalogue
from gradwire.front.executors import Executor

_AGAIN_S = 0.02


class Facts:
    """Asks on the first use; a failure is not kept, so that the next request asks again."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._asking = asyncio.Lock()
        self._catalogue: Catalogue | None = None
        self._devices: dict[str, Any] | None = None

    @property
    def known(self) -> bool:
        """Whether the devices are known, so that the server can describe itself while every worker is busy."""
        return self._devices is not None

    async def learn(self) -> None:
        """Ask for the devices until a worker has told them."""
        while isinstance(await self.devices(), Reply):
            await asyncio.sleep(_AGAIN_S)

    async def catalogue(self) -> Catalogue | Reply:
        """The ops, or the reply that says why they cannot be had now."""
        async with self._asking:
            if self._catalogue is None:
                reply = await self._executor.submit(Job(kind="catalogue"), b"")
                if reply.status != 200:
                    return reply
                self._catalogue = Catalogue(orjson.loads(reply.body))
            return self._catalogue

    async def devices(self) -> dict[str, Any] | Reply:
        """`{"torch": version, "devices": [names], …}`, or the reply that says why it cannot be had now."""
        async with self._asking:
            if self._devices is None:
                reply = await self._executor.submit(Job(kind="devices"), b"")
                if reply.status != 200:
                    return reply
                self._devices = orjson.loads(reply.body)
            return self._devices


def facts_of(app: Starlette) -> Facts:
    """The facts of this application's executor."""
    facts: Facts | None = getattr(app.state, "facts", None)
    if facts is None:
        facts = app.state.facts = Facts(app.state.executor)
    return facts
