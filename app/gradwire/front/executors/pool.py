"""A pool of worker processes: one job each, a bounded queue, deadlines by killing, a warm spare for every loss."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

from gradwire.contract.frames import Job, Reply
from gradwire.contract.limits import Limits
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding
from gradwire.front.executors.nursery import Nursery
from gradwire.front.executors.process import WorkerProcess

_log = logging.getLogger("gradwire.front")

# When to look for the first time which deadline the worker has read in the body. Most jobs are over by then.
_LOOK_S = 0.004
_TICK_S = 0.02


class WorkerPool:
    """The `Executor` of a server: `workers` jobs at once, at most `queue_size` waiting for at most `queue_ms`.

    One more process than `workers` is kept, so that a killed worker's place is taken at once.
    """

    def __init__(self, limits: Limits, *, workers: int, queue_size: int, queue_ms: int) -> None:
        self._limits = limits
        self._most = workers
        self._queue_size = queue_size
        self._queue_s = queue_ms / 1000
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._starting: dict[int, WorkerProcess] = {}
        self._leaving: set[WorkerProcess] = set()
        self._waiting: deque[asyncio.Future[WorkerProcess]] = deque()
        self._counts = {"lost": 0, "killed": 0, "retired": 0}
        self._number = 0
        self._closing = False
        self._growing = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._nursery = Nursery(limits, self._told, self._another_nursery)

    async def start(self) -> None:
        """Start the nursery. Jobs may be submitted at once; they wait until the first worker is ready."""
        self._nursery.start()

    @property
    def ready(self) -> bool:
        """Whether a warm worker waits for work."""
        return bool(self._idle) and not self._closing

    def workers(self) -> dict[str, Any]:
        """Counts: ready and busy now; lost, killed and retired since the start."""
        return {"ready": len(self._idle), "busy": len(self._busy), **self._counts}

    async def submit(self, job: Job, body: bytes) -> Reply:
        """Run `job` on the next free worker; see `Executor.submit`."""
        waited = 0.0
        if self._idle and len(self._busy) < self._most and not self._waiting:
            worker = self._take()
        else:
            begun = asyncio.get_running_loop().time()
            found = await self._wait()
            if isinstance(found, Reply):
                return found
            worker = found
            waited = 1e3 * (asyncio.get_running_loop().time() - begun)
        if waited:
            job = Job(kind=job.kind, target=job.target, media_type=job.media_type, accept=job.accept, queued_ms=waited)
        return await self._run(worker, job, body)

    async def close(self, grace_ms: int) -> None:
        """Take no more jobs, let running and waiting ones finish for `grace_ms`, then stop everything."""
        self._closing = True
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_ms / 1000
        while (self._busy or self._waiting) and loop.time() < until:
            await asyncio.sleep(_TICK_S)
        for worker in [*self._busy, *self._idle, *self._starting.values()]:
            worker.kill()
        self._nursery.stop()

    # ---- a job

    async def _wait(self) -> WorkerProcess | Reply:
        """A worker as soon as one is free; a reply that says why none can be had."""
        if self._closing:
            return _refusal("overloaded", "the server is stopping", hint="send the request to another server")
        if len(self._waiting) >= self._queue_size:
            return _refusal("overloaded", f"{len(self._waiting)} requests wait already", hint="try again later")
        turn: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._hand_out()
        try:
            async with asyncio.timeout(self._queue_s):
                return await turn
        except TimeoutError:
            self._give_up(turn)
            message = f"no worker was free within {1000 * self._queue_s:.0f} ms"
            return _refusal("overloaded", message, hint="try again later")
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def _give_up(self, turn: asyncio.Future[WorkerProcess]) -> None:
        """Leave the queue; a worker that was handed out in the same moment goes to the next."""
        if turn.done() and not turn.cancelled():
            self._free(turn.result())
        elif turn in self._waiting:
            self._waiting.remove(turn)

    def _take(self) -> WorkerProcess:
        # The last that became free: its memory is the likeliest to be in the processor's caches.
        worker = self._idle.pop()
        self._busy.add(worker)
        return worker

    def _hand_out(self) -> None:
        while self._waiting and self._idle and len(self._busy) < self._most:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._take())

    async def _run(self, worker: WorkerProcess, job: Job, body: bytes) -> Reply:
        loop = asyncio.get_running_loop()
        watch = _Deadline(self, worker, loop.time())
        timer = loop.call_later(_LOOK_S, watch.look)
        try:
            reply = await worker.give(job, body)
        except BaseException:
            # Above all a cancellation: the client has left, so what runs for it is stopped, its worker with it.
            self._counts["killed"] += 1
            self._dismiss(worker)
            raise
        finally:
            timer.cancel()
            watch.cancel()
        if worker in self._busy:
            if reply.retire:
                self._counts["retired"] += 1
                self._dismiss(worker)
            else:
                self._free(worker)
        return reply

    def _free(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        if worker in self._leaving:
            self._dismiss(worker)
        elif not worker.ended:
            self._idle.append(worker)
        self._hand_out()

    def overdue(self, worker: WorkerProcess, deadline_ms: int) -> None:
        """The job of `worker` has run past its deadline: answer for it and kill the worker."""
        job = worker.job
        if job is None or job.done():
            return
        node = worker.page.running()
        message = f"the run took longer than {deadline_ms} ms"
        if node is not None:
            message += f"; node {node!r} was running"
        job.set_result(_refusal("deadline_exceeded", message, node=node, hint="ask for less, or allow more time"))
        self._counts["killed"] += 1
        self._dismiss(worker)

    # ---- processes

    def _dismiss(self, worker: WorkerProcess) -> None:
        """Let go of a worker and have its place taken."""
        self._busy.discard(worker)
        self._leaving.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        worker.kill()
        self._hand_out()
        self._grow()

    def _ended(self, worker: WorkerProcess) -> None:
        """A worker's process has gone; where it held a job, that job alone is lost."""
        job, worker.job = worker.job, None
        if job is not None and not job.done():
            self._counts["lost"] += 1
            node = worker.page.running()
            _log.error("worker %s died at node %r", worker.pid, node)
            job.set_result(_refusal("worker_lost", "the worker that ran this request died", node=node))
        self._busy.discard(worker)
        self._leaving.discard(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        for number, starting in list(self._starting.items()):
            if starting is worker:
                del self._starting[number]
        self._hand_out()
        self._grow()

    def _grow(self) -> None:
        """Ask for as many workers as are missing."""
        if self._growing or self._closing or not self._nursery.ready:
            return
        self._growing = True
        task = asyncio.get_running_loop().create_task(self._spawn_missing())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _spawn_missing(self) -> None:
        try:
            while self._nursery.ready and not self._closing and self._missing() > 0:
                self._number += 1
                worker = WorkerProcess(self._ended)
                self._starting[self._number] = worker
                descriptors = await worker.connect()
                if not self._nursery.spawn(self._number, descriptors):
                    self._starting.pop(self._number, None)
                    worker.close()
                    return
                worker.handed_over()
        finally:
            self._growing = False

    def _missing(self) -> int:
        staying = len(self._idle) + len(self._busy - self._leaving) + len(self._starting)
        return self._most + 1 - staying

    def _told(self, message: dict[str, Any]) -> None:
        """What the nursery says: it is ready, a worker has started, a worker has ended."""
        if "ready" in message:
            self._grow()
        elif "started" in message:
            worker = self._starting.pop(message["started"], None)
            if worker is not None and not worker.ended:
                worker.started(message["pid"])
                self._idle.append(worker)
                self._hand_out()

    def _another_nursery(self) -> None:
        """Start a nursery in place of one that died. Its workers finish what they run, then they are replaced: what
        nobody reaps or kills with the nursery should not stay."""
        if self._closing:
            return
        self._leaving |= self._busy
        for worker in [*self._idle, *self._starting.values()]:
            worker.kill()
        self._nursery = Nursery(self._limits, self._told, self._another_nursery)
        self._nursery.start()


class _Deadline:
    """Watches one job. The deadline counts from when the worker got the job; the worker reads it in the body."""

    def __init__(self, pool: WorkerPool, worker: WorkerProcess, begun: float) -> None:
        self._pool = pool
        self._worker = worker
        self._begun = begun
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """See which deadline holds by now, and either wait on or end the job."""
        loop = asyncio.get_running_loop()
        accepted = self._worker.page.deadline_ms()
        limit = accepted if accepted is not None else self._pool._limits.deadline_ms
        left = self._begun + limit / 1000 - loop.time()
        if left <= 0:
            self._pool.overdue(self._worker, limit)
        else:
            # Until the body is read the deadline may still turn out to be sooner.
            self._timer = loop.call_later(left if accepted is not None else min(left, _TICK_S), self.look)

    def cancel(self) -> None:
        """The job is over."""
        if self._timer is not None:
            self._timer.cancel()


def _refusal(code: str, message: str, **more: Any) -> Reply:
    status, document = problem([Finding(code, message, **more)])
    return Reply(status=status, media_type=MEDIA_TYPE, body=document)
