"""The watch over one job's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gradwire.front.executors.process import WorkerProcess

# When to look for the first time which deadline the worker has read in the body. Most jobs are over by then.
_LOOK_S = 0.004
_AGAIN_S = 0.02


class Deadline:
    """Calls `overdue` with the worker and the deadline in milliseconds once its job has run past it.

    The time counts from now, when the worker gets the job. The client's own wish stands in the body, so the worker
    reads it and writes it into the shared page; until then only the server's limit `most_ms` is known.
    """

    def __init__(self, worker: WorkerProcess, most_ms: int, overdue: Callable[[WorkerProcess, int], None]) -> None:
        self._worker = worker
        self._most_ms = most_ms
        self._overdue = overdue
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._timer = self._loop.call_later(_LOOK_S, self._look)

    def cancel(self) -> None:
        """The job is over."""
        self._timer.cancel()

    def _look(self) -> None:
        """See which deadline holds by now, and either wait on or end the job."""
        accepted = self._worker.page.deadline_ms()
        deadline_ms = self._most_ms if accepted is None else min(accepted, self._most_ms)
        left = self._begun + deadline_ms / 1000 - self._loop.time()
        if left <= 0:
            self._overdue(self._worker, deadline_ms)
        else:
            # Until the body is read the deadline may still turn out to be sooner.
            self._timer = self._loop.call_later(left if accepted is not None else min(left, _AGAIN_S), self._look)
