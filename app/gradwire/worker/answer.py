"""From a job to its reply: the only place where wire meets engine. No HTTP and no sockets in here.

The worker's loop, `gradwire run` and the tests all come this way.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

import msgspec
import numpy as np
import orjson
import torch

from gradwire.contract.frames import SPLIT, Job, Reply
from gradwire.contract.limits import Limits
from gradwire.contract.memory import Body, MappedBody
from gradwire.contract.page import JobPage
from gradwire.contract.problems import MEDIA_TYPE as PROBLEM
from gradwire.contract.problems import order, problem
from gradwire.engine import devices
from gradwire.engine.derivatives.asked import Derivatives
from gradwire.engine.failure import OutOfMemoryRefusal
from gradwire.engine.graph import Graph, TapeRequest
from gradwire.engine.ops.describe import describe, summaries
from gradwire.engine.ops.registry import Op, registry
from gradwire.engine.ops.uncallable import uncallable
from gradwire.engine.outputs import source_of
from gradwire.engine.pictures.draw import picture
from gradwire.engine.pictures.record import Record
from gradwire.engine.plan import Plan, plan
from gradwire.engine.run import run
from gradwire.engine.short_forms import derive, prepare
from gradwire.engine.values import Outcome
from gradwire.findings import Finding, Refusal
from gradwire.wire.read.batch import read_batch
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.bodies import read_request
from gradwire.wire.read.graph import read_graph, read_op, read_own_part, read_program_body
from gradwire.wire.read.short_forms import read_short_form
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.write.parts import FORMATS, FileParts, check_names
from gradwire.wire.write.picture import drawn
from gradwire.wire.write.programs import compiled_reply, python_reply
from gradwire.wire.write.reply import Written, graph_reply, op_reply
from gradwire.wire.write.room import Unwritable
from gradwire.wire.write.short_forms import short_form_reply
from gradwire.worker import sandbox
from gradwire.worker.plans import Plans, form_of, own_part

JSON = "application/json"
Result = TypeVar("Result")


class Answerer:
    """Answers jobs, one after the other, within `limits`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._plans = Plans()
        self._roads: dict[str, Callable[[Job, Any, JobPage], bytes | Reply]] = {
            "graph.run": self._run_graph,
            "graph.draw": self._draw_graph,
            "op.run": self._run_op,
            "autograd": self._run_short_form,
            "program.compile": self._compile,
            "graph.python": self._as_python,
            SPLIT: self._split,
            "op.describe": _describe,
            "catalogue": _catalogue,
            "devices": _devices,
        }

    def answer(self, job: Job, body: Body, page: JobPage) -> Reply:
        """The finished reply to `job`; a problem document where the request is wrong. JSON is bytes; another body may
        be mapped, and its memory is given back as soon as it is read.

        What this raises is a bug of ours: the loop answers `internal_error` for it.
        """
        try:
            answer = self._roads[job.kind](job, body, page)
            return answer if isinstance(answer, Reply) else Reply(status=200, media_type=JSON, body=answer)
        except Refusal as refusal:
            return _refused(refusal.findings, retire=isinstance(refusal, OutOfMemoryRefusal))
        except MemoryError:
            text = "the request needs more memory than a worker has"
            return _refused([Finding("limit_exceeded", text, hint="send or ask for less at once")], retire=True)

    def _run_graph(self, job: Job, body: Body, page: JobPage) -> Reply:
        return self._run(job, body, page, read_graph, graph_reply)

    def _draw_graph(self, job: Job, body: Body, page: JobPage) -> Reply:
        """Run as any graph, but watched, with a tape, and with a plan of its own."""
        started = perf_counter()
        bones, parts = read_request(body, job.media_type, job.boundary, self.limits.max_depth)
        graph, findings = read_graph(bones, self.limits, parts)
        graph.tape, record = None if job.target == "graph" else TapeRequest(), Record()
        prepared, more = plan(graph, record)
        _raise_if_any([*findings, *more], bones)
        del bones, parts
        _let_go(body)

        def compute() -> Outcome:
            return run(prepared, page.word, self.limits.max_steps)

        def draw(outcome: Outcome, *_: Any) -> bytes:
            return drawn(picture(prepared, record, outcome, job.target), job.accept)

        return self._answered(job, page, started, prepared, compute, draw)

    def _run_op(self, job: Job, body: Body, page: JobPage) -> Reply:
        _callable(job.target)

        def read(bones: Any, limits: Limits, parts: Parts) -> tuple[Graph, list[Finding]]:
            return read_op(bones, job.target, limits, parts)

        return self._run(job, body, page, read, op_reply)

    def _run_short_form(self, job: Job, body: Body, page: JobPage) -> Reply:
        started = perf_counter()
        limits = self.limits
        bones, parts = read_request(body, job.media_type, job.boundary, limits.max_depth)
        form, findings = read_short_form(bones, job.target, limits, parts)
        _let_go(body)
        prepared, more = prepare(form)
        _raise_if_any([*findings, *more], bones)

        def compute() -> Derivatives:
            memory, text = limits.worker_memory_bytes, limits.max_output_bytes
            return derive(prepared, page.word, limits.max_steps, memory, text)

        return self._answered(job, page, started, prepared.plan, compute, short_form_reply)

    def _split(self, job: Job, body: bytes, page: JobPage) -> bytes:
        """The byte ranges of a batch's graphs, for the front."""
        return msgspec.msgpack.encode(read_batch(body, self.limits))

    def _compile(self, job: Job, body: bytes, page: JobPage) -> bytes:
        graph = self._checked(body, read_program_body)
        return compiled_reply(graph, body, self.limits)

    def _as_python(self, job: Job, body: bytes, page: JobPage) -> bytes:
        return python_reply(self._checked(body, read_graph), self.limits)

    def _checked(self, body: bytes, read: Callable[[Any, Limits], tuple[Graph, list[Finding]]]) -> Graph:
        """The graph of a body that is to be written in another form, once it is known that it could be run."""
        bones = skeleton(body, self.limits.max_depth)
        graph, findings = read(bones, self.limits)
        _, more = plan(graph)
        _raise_if_any([*findings, *more], bones)
        return graph

    def _run(
        self,
        job: Job,
        body: Body,
        page: JobPage,
        read: Callable[[Any, Limits, Parts], tuple[Graph, list[Finding]]],
        write: Callable[..., Written],
    ) -> Reply:
        """The road of every computation: read, plan, run, write."""
        started = perf_counter()
        bones, parts = read_request(body, job.media_type, job.boundary, self.limits.max_depth)
        prepared = self._prepared(job, bones, parts, read)
        del bones, parts
        _let_go(body)

        def compute() -> Outcome:
            return run(prepared, page.word, self.limits.max_steps)

        try:
            return self._answered(job, page, started, prepared, compute, write)
        finally:
            prepared.forget_inputs()

    def _answered(
        self,
        job: Job,
        page: JobPage,
        started: float,
        prepared: Plan,
        compute: Callable[[], Result],
        write: Callable[..., Written],
    ) -> Reply:
        """What follows once a plan is made: the clock is set, `compute` runs, and its result is written."""
        parts = FileParts(job.accept) if job.accept in FORMATS else None
        if parts is not None:
            check_names([output.name for output in prepared.graph.returns or ()])
        wanted = prepared.graph.deadline_ms
        deadline = self.limits.deadline_ms if wanted is None else min(wanted, self.limits.deadline_ms)
        page.accept(deadline, prepared.labels)
        planned = perf_counter()
        result = compute()
        ran = perf_counter()
        timing = {
            "queue": job.queued_ms,
            "decode": 1e3 * (planned - started),
            "run": 1e3 * (ran - planned),
        }
        try:
            written = write(result, timing, self.limits, parts)
        except Unwritable as error:
            raise _placed(error, prepared) from None
        timing["encode"] = 1e3 * (perf_counter() - ran)
        first, *others = [written] if isinstance(written, bytes) else written
        return Reply(status=200, media_type=job.accept, body=first, rest=others, timing=_server_timing(timing))

    def _prepared(
        self,
        job: Job,
        bones: Any,
        parts: Parts,
        read: Callable[[Any, Limits, Parts], tuple[Graph, list[Finding]]],
    ) -> Plan:
        """The plan of a request, from an equal graph that came before or made anew."""
        form = form_of(job, bones)
        known = self._plans.recall(form)
        if known is not None:
            own, findings = read_own_part(own_part(bones), parts)
            if not findings:
                return known.renewed(own.inputs, own.seed, own.deadline_ms)
        graph, findings = read(bones, self.limits, parts)
        prepared, more = plan(graph)
        _raise_if_any([*findings, *more], bones)
        self._plans.keep(form, prepared)
        return prepared


def _raise_if_any(findings: list[Finding], bones: Any) -> None:
    """Refuse a request with all that was found wrong with it, in its own order."""
    if findings:
        raise Refusal(order(findings, bones))


def _let_go(body: Body) -> None:
    """The body has been read into tensors: what it took is free for the run."""
    if isinstance(body, MappedBody):
        body.release()


def _server_timing(timing_ms: dict[str, float]) -> str:
    """As the header field Server-Timing has it: milliseconds by name."""
    return ", ".join([f"{name};dur={value:.3f}" for name, value in timing_ms.items()])


def _placed(error: Unwritable, prepared: Plan) -> Refusal:
    """The refusal of a reply that cannot be written, at the node whose value did not fit."""
    if error.output is not None:
        for finding in error.findings:
            finding.source, finding.node = source_of(prepared, error.output)
    return Refusal(error.findings)


def _refused(findings: list[Finding], *, retire: bool) -> Reply:
    status, document = problem(findings)
    return Reply(status=status, media_type=PROBLEM, body=document, retire=retire)


def _callable(name: str) -> None:
    """Refuse an op in the path that does not exist (404) or is left out (422)."""
    entry = registry().find(name)
    if not isinstance(entry, Op):
        finding = uncallable(entry, name)
        finding.parameter = "name"
        raise Refusal([finding])


def _describe(job: Job, body: bytes, page: JobPage) -> bytes:
    entry = registry().find(job.target)
    if entry is None:
        _callable(job.target)
    return orjson.dumps(describe(job.target))


def _catalogue(job: Job, body: bytes, page: JobPage) -> bytes:
    return orjson.dumps(summaries())


def _devices(job: Job, body: bytes, page: JobPage) -> bytes:
    return orjson.dumps(
        {
            "devices": list(devices.present()),
            "torch": torch.__version__.partition("+")[0],
            "numpy": np.__version__,
            "python": platform.python_version(),
            "sandbox": msgspec.to_builtins(sandbox.active),
        }
    )
