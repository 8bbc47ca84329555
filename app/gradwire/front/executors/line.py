"""The line of requests that wait for a worker: bounded, and fair to small ones."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

Given = TypeVar("Given")

# A longer body is a large request.
_SMALL = 65536


class Line(Generic[Given]):
    """At most `most` turns, each a future of what is waited for.

    Small and large requests have a line of their own each, and are called in turn while both wait: a small one waits
    for as many large ones as there are small ones before it, however many large ones came first. Large ones may take
    three quarters of the places, so that they cannot keep small ones out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._most_large = most - most // 4
        self._small: deque[asyncio.Future[Given]] = deque()
        self._large: deque[asyncio.Future[Given]] = deque()
        self._called_small = False

    def __len__(self) -> int:
        return len(self._small) + len(self._large)

    def is_full(self, size: int) -> bool:
        """Whether a request of so many bytes finds no place."""
        return len(self) >= self._most or (size > _SMALL and len(self._large) >= self._most_large)

    def join(self, size: int) -> asyncio.Future[Given]:
        """A turn at the end of the line, whether it is full or not."""
        turn: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        (self._large if size > _SMALL else self._small).append(turn)
        return turn

    def leave(self, turn: asyncio.Future[Given]) -> None:
        """Give up a turn that may still be in the line."""
        for line in (self._small, self._large):
            if turn in line:
                line.remove(turn)

    def call(self) -> asyncio.Future[Given] | None:
        """Take whose turn it is out of the line; None where nobody waits."""
        while self._small or self._large:
            self._called_small = bool(self._small) and not (self._called_small and self._large)
            turn = (self._small if self._called_small else self._large).popleft()
            if not turn.done():
                return turn
        return None

    def send_away(self, why: Exception) -> None:
        """Nobody will be called any more: every turn ends with `why`."""
        while (turn := self.call()) is not None:
            turn.set_exception(why)
