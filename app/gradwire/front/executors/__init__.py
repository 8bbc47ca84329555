"""Where jobs are run: an `Executor` takes a job and gives back a finished reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from gradwire.contract.frames import Job, Reply
from gradwire.contract.memory import FiledBody

# Is told the seconds that a worker was held for a job.
Spent = Callable[[float], None]


class Executor(Protocol):
    """Runs jobs somewhere else. Implementations: `pool.WorkerPool`."""

    broken: str | None
    """Why no job can ever be run, once that is known; the server then ends."""

    async def start(self) -> None:
        """Return as soon as jobs may be submitted; `ready` says when one can be taken at once."""
        ...

    async def submit(self, job: Job, body: bytes | FiledBody, spent: Spent | None = None) -> Reply:
        """Run `job`; `spent` is told what it took, however it ends. Never raises for what happens to the job: a full
        queue, a deadline or a lost worker is a Reply with a problem document. Cancelling the awaiting task stops the
        job."""
        ...

    async def close(self, grace_ms: int) -> None:
        """Take no more jobs, let running ones finish for `grace_ms`, then stop everything."""
        ...

    @property
    def ready(self) -> bool:
        """Whether a worker can take work now."""
        ...

    def workers(self) -> dict[str, Any]:
        """Counts by state: ready, busy, lost, killed, retired."""
        ...
