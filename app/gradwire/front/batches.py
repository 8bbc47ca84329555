"""Batches: a worker cuts the body into the byte ranges of its graphs, and each graph is then a job of its own.

A few of them run at a time, each through the same line as any other request, so that other clients have their turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import msgspec

from gradwire.contract.frames import SPLIT, Job, Reply
from gradwire.contract.media import JSON
from gradwire.contract.memory import Buffer, FiledBody
from gradwire.findings import Finding
from gradwire.front.answering import refused
from gradwire.front.executors import Executor, Spent
from gradwire.front.room import Place
from gradwire.front.settings import Settings

KIND = "graph.batch"
_SPLIT = Job(kind=SPLIT)
_RUN = Job(kind="graph.run")
# Replies are counted in the front's memory when there are so many bytes of them.
_COUNTED = 2**17
_ranges = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


async def run(
    executor: Executor, settings: Settings, body: bytes | FiledBody, spent: Spent | None, place: Place
) -> Reply:
    """The reply to a batch; `place` counts what is held. As `Executor.submit`, which it uses: cancelling the awaiting
    task stops all that runs."""
    split = await executor.submit(_SPLIT, body, spent)
    if split.status != 200:
        return split
    ranges = _ranges(split.body)
    replies = _Replies(len(ranges), settings.max_output_bytes, place)
    left = enumerate(ranges)

    async def work() -> None:
        for index, (start, stop) in left:
            if replies.wants(index):
                text = body[start:stop] if isinstance(body, bytes) else body.piece(start, stop)
                replies.put(index, await executor.submit(_RUN, text, spent))

    async with asyncio.TaskGroup() as group:
        for _ in range(_at_once(settings.workers)):
            group.create_task(work())
    return Reply(status=200, media_type=JSON, body=b"".join(replies.document()))


def _at_once(workers: int) -> int:
    """How many graphs of a batch run at a time: three quarters of the workers, both of two."""
    return workers - workers // 4


class _Replies:
    """The replies to the graphs of a batch, in their order: those that have room, all before the first that has none.

    Which ones these are does not hang on who was faster: where what is there is too long already, the last of it will
    have no room in the end, nor will any after it.
    """

    def __init__(self, count: int, most_bytes: int, place: Place) -> None:
        self._replies: list[Reply | None] = [None] * count
        self._end = count
        self._most = most_bytes
        self._size = 0
        self._place = place
        self._counted = 0

    def wants(self, index: int) -> bool:
        """Whether there may be room for this reply."""
        return index < self._end

    def put(self, index: int, reply: Reply) -> None:
        """Keep a reply, while there is room."""
        if index >= self._end:
            return
        self._replies[index] = reply
        self._size += reply.length
        while self._size > self._most:
            self._end = max(place for place in range(self._end) if self._replies[place] is not None)
            self._size -= self._drop(self._end)
        if self._size - self._counted > _COUNTED:
            self._place.hold_reply(self._size - self._counted)
            self._counted = self._size

    def _drop(self, index: int) -> int:
        reply, self._replies[index] = self._replies[index], None
        return 0 if reply is None else reply.length

    def document(self) -> Iterator[Buffer]:
        """The reply to the batch, in pieces."""
        full = refused([_no_room(self._most)])
        yield b'{"results":['
        for index, reply in enumerate(self._replies):
            answer = reply or full
            yield b'%b{"status":%d,"body":' % (b"," if index else b"", answer.status)
            yield answer.body
            yield b"}"
        yield b"]}"


def _no_room(most_bytes: int) -> Finding:
    return Finding(
        "limit_exceeded",
        f"the replies to a batch have at most {most_bytes} bytes together, and those before this one fill them",
        expected=f"at most {most_bytes} bytes",
        hint="send this graph again, in a batch of its own",
    )
