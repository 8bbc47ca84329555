"""A pool of worker processes: one job each, a bounded queue, deadlines by killing, a warm spare for every loss."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import Any

import msgspec

from gradwire.contract.frames import Job, Reply
from gradwire.contract.limits import Limits
from gradwire.contract.memory import FiledBody
from gradwire.contract.problems import MEDIA_TYPE, problem
from gradwire.findings import Finding, Source
from gradwire.front.executors import Spent
from gradwire.front.executors.deadline import Deadline
from gradwire.front.executors.line import Line
from gradwire.front.executors.nursery import Nursery
from gradwire.front.executors.process import WorkerProcess

_log = logging.getLogger("gradwire.front")

# Above max_output_bytes: the catalogue and problem documents are no client's output.
_REPLY_ROOM = 16 * 2**20
# A worker is warm some 30 ms after it was asked for; one that takes this long hangs.
_WARM_S = 60.0
# How long to wait before trying again what has just failed: a nursery that died, a worker that never became ready.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0
_TICK_S = 0.02


class WorkerPool:
    """The `Executor` of a server: `workers` jobs at once, at most `queue_size` waiting for at most `queue_ms`.

    One more process than `workers` is kept, so that a killed worker's place is taken at once.
    """

    def __init__(self, limits: Limits, *, workers: int, queue_size: int, queue_ms: int) -> None:
        self._limits = limits
        self._most = workers
        self._queue_s = queue_ms / 1000
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._starting: dict[int, WorkerProcess] = {}
        # Workers of a nursery that has died: they serve until there are others.
        self._orphans: set[WorkerProcess] = set()
        self._waiting: Line[WorkerProcess] = Line(queue_size)
        self._counts = {"lost": 0, "killed": 0, "retired": 0}
        # Processes that died on their own, whose exit status the nursery has still to tell.
        self._fallen: set[int] = set()
        self._number = 0
        self._pause_s = _FIRST_PAUSE_S
        self._closing = False
        self.broken: str | None = None
        self._growing: asyncio.Task[None] | None = None
        self._nursery = Nursery(limits, self)

    async def start(self) -> None:
        """Start the nursery. Jobs may be submitted at once; they wait until the first worker is ready."""
        self._nursery.start()

    @property
    def ready(self) -> bool:
        """Whether a warm worker could take a job at once."""
        return bool(self._idle) and len(self._busy) < self._most and not self._closing

    def workers(self) -> dict[str, Any]:
        """Counts: ready (the spare too) and busy now; lost, killed and retired since the start."""
        return {"ready": len(self._idle), "busy": len(self._busy), **self._counts}

    async def submit(self, job: Job, body: bytes | FiledBody, spent: Spent | None = None) -> Reply:
        """Run `job` on the next free worker; see `Executor.submit`."""
        if self._idle and len(self._busy) < self._most and not self._waiting and not self._closing:
            return await self._run(self._take(), job, body, spent)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        found = await self._wait(len(body))
        if isinstance(found, Reply):
            return found
        job = msgspec.structs.replace(job, queued_ms=1e3 * (loop.time() - begun))
        return await self._run(found, job, body, spent)

    async def close(self, grace_ms: int) -> None:
        """Take no more jobs, let running and waiting ones finish for `grace_ms`, then stop everything."""
        self._closing = True
        loop = asyncio.get_running_loop()
        until = loop.time() + grace_ms / 1000
        try:
            while (self._busy or self._waiting) and loop.time() < until:
                await asyncio.sleep(_TICK_S)
        finally:
            self._stop()

    def _stop(self) -> None:
        """Tell whoever still waits that the server stops, and end all processes."""
        stopping = _refusal("overloaded", "the server is stopping", hint="send the request to another server")
        for worker in [*self._busy, *self._idle, *self._starting.values()]:
            if worker.job is not None and not worker.job.done():
                worker.job.set_result(stopping)
            worker.kill()
        self._waiting.send_away(_Stopping())
        if self._growing is not None:
            self._growing.cancel()
        self._nursery.stop()

    # ---- a job

    async def _wait(self, size: int) -> WorkerProcess | Reply:
        """A worker for a body of `size` bytes as soon as one is free; a reply that says why none can be had."""
        if self._closing:
            return _refusal("overloaded", "the server is stopping", hint="send the request to another server")
        if self._waiting.is_full(size) and not self._has_room():
            return _refusal("overloaded", f"{len(self._waiting)} requests wait already", hint="try again later")
        turn = self._waiting.join(size)
        self._hand_out()
        try:
            async with asyncio.timeout(self._queue_s):
                return await turn
        except TimeoutError:
            self._give_up(turn)
            message = f"no worker was free within {1000 * self._queue_s:.0f} ms"
            return _refusal("overloaded", message, hint="try again later")
        except _Stopping:
            return _refusal("overloaded", "the server is stopping", hint="send the request to another server")
        except asyncio.CancelledError:
            self._give_up(turn)
            raise

    def _has_room(self) -> bool:
        return bool(self._idle) and len(self._busy) < self._most

    def _give_up(self, turn: asyncio.Future[WorkerProcess]) -> None:
        """Leave the queue; a worker that was handed out in the same moment goes to the next."""
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._free(turn.result())
        else:
            self._waiting.leave(turn)

    def _take(self) -> WorkerProcess:
        # The last that became free: its memory is the likeliest to be in the processor's caches.
        worker = self._idle.pop()
        self._busy.add(worker)
        return worker

    def _hand_out(self) -> None:
        while self._has_room() and (turn := self._waiting.call()) is not None:
            turn.set_result(self._take())

    async def _run(self, worker: WorkerProcess, job: Job, body: bytes | FiledBody, spent: Spent | None) -> Reply:
        if worker.ended:
            # It died between being handed out and being given the job.
            return await self.submit(job, body, spent)
        begun = asyncio.get_running_loop().time()
        deadline = Deadline(worker, self._limits.deadline_ms, self._overdue)
        try:
            reply = await worker.give(job, body)
        except _NotTaken:
            return await self.submit(job, body, spent)
        except BaseException:
            # Above all a cancellation: the client has left, so what runs for it is stopped, its worker with it.
            self._killed(worker, "its client left")
            raise
        finally:
            deadline.cancel()
            if spent is not None:
                spent(asyncio.get_running_loop().time() - begun)
        if worker in self._busy:
            if reply.retire:
                self._counts["retired"] += 1
                _log.info("worker %s is retired", worker.pid)
                self._dismiss(worker)
            else:
                self._free(worker)
        return reply

    def _free(self, worker: WorkerProcess) -> None:
        self._busy.discard(worker)
        if worker in self._orphans and len(self._idle) > 0:
            self._dismiss(worker)
        elif not worker.ended:
            self._idle.append(worker)
        self._hand_out()

    def _overdue(self, worker: WorkerProcess, deadline_ms: int) -> None:
        """The job of `worker` has run past its deadline: answer for it and kill the worker."""
        if worker.job is None or worker.job.done():
            return
        where = f"the run took longer than {deadline_ms} ms"
        try:
            worker.job.set_result(_stopped("deadline_exceeded", where, worker, "ask for less, or allow more time"))
        finally:
            self._killed(worker, f"its job ran past {deadline_ms} ms")

    def _killed(self, worker: WorkerProcess, why: str) -> None:
        self._counts["killed"] += 1
        _log.info("worker %s was killed: %s", worker.pid, why)
        self._dismiss(worker)

    # ---- processes

    def nursery_ready(self) -> None:
        self._grow()

    def worker_started(self, number: int, pid: int, descriptor: int | None) -> None:
        # One that was given up in the meantime is not there any more; it ends by itself, as its socket is closed.
        worker = self._starting.get(number)
        if worker is not None:
            worker.started(pid, descriptor)
        elif descriptor is not None:
            os.close(descriptor)

    def worker_ready(self, worker: WorkerProcess) -> None:
        if self._starting.pop(worker.number, None) is None:
            return
        worker.warm()
        _log.info("worker %s is ready", worker.pid)
        self._pause_s = _FIRST_PAUSE_S
        self._idle.append(worker)
        for orphan in self._orphans.intersection(self._idle):
            self._dismiss(orphan)
            break
        self._hand_out()

    def worker_exited(self, pid: int, code: int) -> None:
        if pid in self._fallen:
            self._fallen.discard(pid)
            _log.error("worker %d: %s", pid, f"signal {-code}" if code < 0 else f"exit status {code}")

    def worker_ended(self, worker: WorkerProcess) -> None:
        """A worker's process has gone; where it held a job, that job alone is lost."""
        if self._starting.pop(worker.number, None) is not None:
            if not self._closing:
                _log.error("worker %s did not become ready", worker.pid)
                self._grow_later()
            return
        job, worker.job = worker.job, None
        if job is not None and not job.done():
            if worker.page.taken:
                job.set_result(_stopped("worker_lost", "the worker that ran this request died", worker, None))
            else:
                job.set_exception(_NotTaken)
            self._lost(worker)
        elif worker in self._idle and not self._closing:
            self._lost(worker)
        self._dismiss(worker)

    def _lost(self, worker: WorkerProcess) -> None:
        self._counts["lost"] += 1
        _log.error("worker %s died", worker.pid)
        if worker.pid is not None and worker not in self._orphans:
            self._fallen.add(worker.pid)

    def nursery_died(self) -> None:
        """Start another. The workers of the one that died serve on until there are new ones."""
        self._orphans |= {*self._idle, *self._busy}
        starting = list(self._starting.values())
        self._starting.clear()
        for worker in starting:
            worker.kill()
        if not self._closing:
            asyncio.get_running_loop().call_later(self._backed_off(), self._start_another)

    def nursery_refused(self, why: str) -> None:
        """There will be no workers at all: whoever waits is told, and the server ends."""
        _log.error("%s", why)
        self.broken = why
        self._closing = True
        self._waiting.send_away(_Stopping())

    def _start_another(self) -> None:
        if not self._closing:
            self._nursery = Nursery(self._limits, self)
            self._nursery.start()

    def _dismiss(self, worker: WorkerProcess) -> None:
        """Let go of a worker and have its place taken."""
        self._busy.discard(worker)
        self._orphans.discard(worker)
        with contextlib.suppress(ValueError):
            self._idle.remove(worker)
        worker.kill()
        self._hand_out()
        self._grow()

    def _grow_later(self) -> None:
        if not self._closing:
            asyncio.get_running_loop().call_later(self._backed_off(), self._grow)

    def _backed_off(self) -> float:
        """How long to wait this time; twice as long the next, until a worker becomes ready."""
        pause = self._pause_s
        self._pause_s = min(2 * pause, _LONGEST_PAUSE_S)
        return pause

    def _grow(self) -> None:
        """Ask for as many workers as are missing."""
        if self._growing is None and not self._closing and self._nursery.ready:
            self._growing = asyncio.get_running_loop().create_task(self._spawn_missing())

    async def _spawn_missing(self) -> None:
        try:
            while self._nursery.ready and not self._closing and self._missing() > 0:
                if not await self._spawn():
                    self._grow_later()
                    return
        finally:
            self._growing = None

    def _missing(self) -> int:
        staying = len(self._idle) + len(self._busy) + len(self._starting) - len(self._orphans)
        return self._most + 1 - staying

    async def _spawn(self) -> bool:
        """Ask for one worker; False where the nursery cannot be asked now."""
        self._number += 1
        worker = WorkerProcess(self._number, self, self._limits.max_output_bytes + _REPLY_ROOM)
        descriptors = await worker.connect()
        if not self._nursery.spawn(worker.number, descriptors):
            worker.let_go()
            return False
        self._starting[worker.number] = worker
        worker.handed_over()
        worker.watchdog = asyncio.get_running_loop().call_later(_WARM_S, worker.kill)
        return True


class _NotTaken(Exception):
    """The worker was dead when it got the job, so the job cannot have been the reason: another may have it."""


class _Stopping(Exception):
    """The pool closes: whoever waits for a worker gets none."""


def _stopped(code: str, message: str, worker: WorkerProcess, hint: str | None) -> Reply:
    """The reply for a job whose worker is no more, with the node that was running."""
    running = worker.page.running()
    if running is None:
        return _refusal(code, message, hint=hint)
    source = Source(running.pointer, running.line) if worker.runs_graph else Source()
    place = f"the node {running.label!r}" if running.line is None else f"line {running.line}"
    message += f"; {place} was running"
    return _refusal(code, message, source=source, node=running.label, hint=hint)


def _refusal(code: str, message: str, **more: Any) -> Reply:
    status, document = problem([Finding(code, message, **more)])
    return Reply(status=status, media_type=MEDIA_TYPE, body=document)
