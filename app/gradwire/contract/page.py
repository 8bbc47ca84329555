"""The page of memory that a worker shares with the front: what runs now, and until when it may.

The worker writes here instead of sending frames, since a frame would wake the front for every small job. After a kill
the page still says which node was running. The front trusts nothing in it: a broken worker may have written anything.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import orjson

from gradwire.contract import memory

# Only what is written takes memory. Enough for 10,000 labels of ordinary length.
SIZE = 4 * 2**20
_LABELS_AT = 64
# Places of the 64-bit words at the beginning of the page.
_RUNNING, _DEADLINE, _LABELS_LENGTH, _TAKEN = 0, 1, 2, 3


def create() -> int:
    """A file descriptor of a fresh page; it goes to the worker, which maps the same memory."""
    # A worker that cut it short would have the front's next look at it end the front.
    return memory.create("page", SIZE, sealed=True)


# A node's name; with its JSON pointer where that is not /nodes/ and the node's place, and its line in a program.
Label: TypeAlias = "str | int | list[str | int]"


class Running(NamedTuple):
    """A node by its JSON pointer, and by its id (its place where it has none, or the id did not fit)."""

    pointer: str
    label: str | int
    line: int | None = None


class JobPage:
    """The mapped page. `word[0]` is the position of the running node, from 1; 0 while none runs."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)
        self._words = memoryview(self._memory)[:_LABELS_AT].cast("Q")
        self.word = self._words[_RUNNING : _RUNNING + 1]

    def clear(self) -> None:
        """Before a job: nothing taken, nothing accepted, nothing running."""
        words = self._words
        words[_RUNNING] = words[_DEADLINE] = words[_LABELS_LENGTH] = words[_TAKEN] = 0

    def take(self) -> None:
        """The worker has begun with the job, and may die of it."""
        self._words[_TAKEN] = 1

    @property
    def taken(self) -> bool:
        """Whether the worker has begun with the job; one that has not can be given to another."""
        return self._words[_TAKEN] != 0

    def accept(self, deadline_ms: int, labels: Sequence[Label]) -> None:
        """The job is read and about to run: at most `deadline_ms` from when it was taken; `labels` name its nodes.

        Labels that do not fit are left out; their nodes are then known by position only.
        """
        text = orjson.dumps(labels)
        if len(text) <= SIZE - _LABELS_AT:
            self._memory[_LABELS_AT : _LABELS_AT + len(text)] = text
            self._words[_LABELS_LENGTH] = len(text)
        self._words[_DEADLINE] = deadline_ms

    def deadline_ms(self) -> int | None:
        """The deadline of the accepted job; None where none is accepted yet."""
        return self._words[_DEADLINE] or None

    def running(self) -> Running | None:
        """The node that runs; None where none does."""
        place = self._words[_RUNNING] - 1
        if place < 0:
            return None
        labels = self._labels()
        label = labels[place] if place < len(labels) else place
        if not isinstance(label, list):
            return Running(f"/nodes/{place}", label)
        line = label[2] if len(label) > 2 and isinstance(label[2], int) else None
        return Running(str(label[1]), label[0], line)

    def _labels(self) -> list[Label]:
        """The labels; none where they are not what `accept` writes, as after a crash that overwrote them."""
        length = min(self._words[_LABELS_LENGTH], SIZE - _LABELS_AT)
        try:
            labels = orjson.loads(self._memory[_LABELS_AT : _LABELS_AT + length])
        except orjson.JSONDecodeError:
            return []
        return labels if isinstance(labels, list) and all(map(_is_label, labels)) else []

    def close(self) -> None:
        """Unmap the page."""
        self.word.release()
        self._words.release()
        self._memory.close()


def _is_label(value: object) -> bool:
    if not isinstance(value, list):
        return isinstance(value, (str, int))
    return 2 <= len(value) <= 3 and all(isinstance(one, (str, int)) for one in value)
