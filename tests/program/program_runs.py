"""One program twice: by local Python, and compiled and run here; each in a forked child, as plain values to compare."""

from __future__ import annotations

import contextlib
import functools
import gc
import io
import os
import pickle
import re
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from gradwire.engine.graph import Graph, Output, Ref
from gradwire.engine.ops.registry import registry
from gradwire.engine.plan import plan
from gradwire.engine.run import run
from gradwire.engine.values import NoneBecause
from gradwire.findings import Finding, Refusal, Source
from gradwire.program.parse import read_program

SEED = 1234
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
_PLAIN = (bool, int, complex, str, type(None))


@dataclass
class Ran:
    """What a program printed, its variables by name as comparable values, and what stopped it."""

    printed: str = ""
    variables: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    findings: list[Finding] = field(default_factory=list)


@functools.cache
def locally(text: str) -> Ran:
    """`text` run by Python with torch; once, however many tests ask."""
    return forked(lambda: _by_python(text))


def here(text: str, names: list[str]) -> Ran:
    """`text` compiled and run; `names` are the variables to give back."""
    return forked(lambda: _compiled(text, names))


def findings_of(text: str, **more: Any) -> list[Finding]:
    """What is wrong with `text`."""
    return read_program(text, "/program", **more)[1]


def _by_python(text: str) -> Ran:
    torch.manual_seed(SEED)
    np.random.seed(SEED % 2**32)
    written, namespace, error = io.StringIO(), {"__name__": "program"}, ""
    with contextlib.redirect_stdout(written):
        try:
            exec(compile(text, "program", "exec"), namespace)  # noqa: S102  # the tests' own programs
        except Exception:
            error = traceback.format_exc(limit=-2)
    program, _ = read_program(text, "/program")
    variables = {name: plain(namespace[name]) for name in program.assigned if name in namespace}
    return Ran(_ADDRESS.sub("0x0", written.getvalue()), {k: v for k, v in variables.items() if v is not None}, error)


def _compiled(text: str, names: list[str]) -> Ran:
    program, findings = read_program(text, "/program")
    if findings:
        return Ran(findings=findings, error=str([finding.message for finding in findings]))
    return run_graph(Graph(nodes=program.statements, seed=SEED), names)


def run_graph(graph: Graph, names: list[str]) -> Ran:
    """Run `graph` for the values of `names`."""
    graph.returns = [Output(name, Ref(name, Source())) for name in names]
    prepared, findings = plan(graph)
    if findings:
        return Ran(findings=findings, error=str([(one.message, one.source.line) for one in findings]))
    try:
        outcome = run(prepared)
    except Refusal as refusal:
        return Ran(findings=refusal.findings, error=str([(f.message, f.source.line) for f in refusal.findings]))
    printed = "".join(entry.text + entry.end for entry, _ in outcome.printed or ())
    return Ran(printed, {name: plain(outcome.outputs[name].value) for name in names})


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as something to compare bit by bit; None for modules, functions and what else no reply can hold."""
    if isinstance(value, torch.Tensor):
        return _tensor(value, depth)
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        return (type(value).__name__, array.dtype.str, array.shape, array.tobytes())
    if type(value) is float:
        return ("float", np.float64(value).tobytes())
    if isinstance(value, NoneBecause):
        return ("NoneType", None)
    if isinstance(value, _PLAIN):
        return (type(value).__name__, value)
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [plain(one, depth) for one in value])
    if isinstance(value, dict):
        return ("dict", [(str(key), plain(one, depth)) for key, one in value.items()])
    if isinstance(value, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
        return str(value)
    return None


def _tensor(value: torch.Tensor, depth: int) -> Any:
    raw = value.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    bits = raw.view(torch.uint8).numpy().tobytes() if raw.numel() else b""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad = value.grad if depth == 0 else None
    made = type(value.grad_fn).__name__ if value.grad_fn is not None else None
    strides = (tuple(value.shape), value.stride(), value.storage_offset())
    return ("tensor", str(value.dtype), strides, value.requires_grad, made, bits, plain(grad, 1))


@functools.cache
def _preload() -> None:
    """What a child would import for itself: PyTorch's transforms load its compiler at their first call."""
    torch.func.hessian(torch.sum)(torch.ones(2))
    registry()
    run_graph(Graph(nodes=read_program("x = 1 + 1", "/program")[0].statements), ["x"])
    gc.freeze()


def forked(work: Callable[[], Ran]) -> Ran:
    """What `work` gives in a child, which leaves nothing behind."""
    read, write = os.pipe()
    _preload()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(read)
            warnings.simplefilter("ignore")
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(work(), pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(told)  # noqa: S301  # from our own child
