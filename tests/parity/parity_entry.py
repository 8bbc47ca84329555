"""One entry of op_db against the service: its samples in graphs of many, outputs and gradients held bit for bit."""

from __future__ import annotations

import itertools
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Any

import httpx
import torch
from parity_calls import Call, Inputs, Leaf, Substitute, Unwritable, expression
from parity_forward import Forward, add_tangents, forward
from parity_recipes import NOT_COMPARED, NOT_HERE, call_of, varies
from parity_samples import Prepared
from parity_values import Json, Writer, dense, difference, written

from tensor_json import to_bytes

DTYPES = (torch.float32, torch.float64, torch.complex64, torch.int64, torch.bool, torch.bfloat16)
SEED = 20_240_229
_MOST_SAMPLES = 40
_MOST_BYTES = 4 * 2**20
_MOST_SHOWN = 5
_FORM_DTYPES = (torch.float32, torch.int64)
_FORWARD_DTYPES = (torch.float32, torch.float64, torch.complex64)
_MOST_OF_A_FORM = 12
# Ops whose memory PyTorch leaves as it finds it; the service fills it, so the filling is expected.
FILLED = ("empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided")
GROWN = ("resize_", "resize_as_")


@dataclass(slots=True)
class Figures:
    """What came of one entry.

    `samples` of the function, and the first of them as `methods` and `in_place` ops; `gradients`: those of all that had
    one. `forward`: those in forward mode that gave a tangent. `unwritable` counts samples by what JSON cannot carry.
    """

    entry: str
    samples: int = 0
    methods: int = 0
    in_place: int = 0
    gradients: int = 0
    forward: int = 0
    by_dtype: Counter[str] = field(default_factory=Counter)
    unwritable: Counter[str] = field(default_factory=Counter)
    local_errors: int = 0
    differences: list[str] = field(default_factory=list)
    varying: list[str] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """`passed`, `differs`, `varies` (local PyTorch does, too), `not here`, `not public` or `no samples`."""
        if self.differences:
            return "differs"
        if self.note:
            return "not here" if self.entry in NOT_HERE else "not public"
        if self.varying:
            return "varies"
        return "passed" if self.samples + self.local_errors else "no samples"

    def record(self) -> dict[str, Json]:
        """For JSON."""
        return {item.name: getattr(self, item.name) for item in fields(self)} | {"verdict": self.verdict}


class Entry:
    """Compares one entry of op_db with the service at `client`."""

    def __init__(self, info: Any, client: httpx.Client, most: int | None = None) -> None:
        self.info = info
        self.client = client
        self.most = most
        self.figures = Figures(info.full_name)

    def compare(self) -> Figures:
        """All samples in all dtypes; with `most`, that many writable ones in the first dtype."""
        started = time.monotonic()
        if self.info.name in NOT_COMPARED:
            self.figures.note = NOT_COMPARED[self.info.name]
            return self.figures
        for dtype in DTYPES:
            if dtype in self.info.supported_dtypes("cpu"):
                self._dtype(dtype)
                if self.most is not None and self.figures.samples:
                    break
        self.figures.seconds = round(time.monotonic() - started, 2)
        return self.figures

    def _dtype(self, dtype: torch.dtype) -> None:
        self._all(self._samples(dtype))
        if self.most is None and dtype in _FORM_DTYPES:
            for form in ("methods", "in_place"):
                self._all(self._forms(dtype, form))
        backward = self.info.supported_backward_dtypes("cpu")
        if self.info.supports_forward_ad and dtype in _FORWARD_DTYPES and dtype in backward:
            self._all(one for one in map(forward, self._samples(dtype)) if one is not None)

    def _forms(self, dtype: torch.dtype, form: str) -> Iterator[Prepared]:
        """The first samples as calls of the method, or of the in-place method on a copy."""
        variant = self.info.method_variant if form == "methods" else self.info.inplace_variant
        name = getattr(variant, "__name__", "")
        if variant is None or getattr(torch.Tensor, name, None) is not variant or name.startswith("_"):
            return
        for sample in itertools.islice(self._samples(dtype), _MOST_OF_A_FORM):
            call = sample.call
            if isinstance(call, Call) and call.args and isinstance(call.args[0], Leaf):
                first = call.args[0] if form == "methods" else Call("clone", (call.args[0],))
                sample.call = Call(f"Tensor.{name}", (first, *call.args[1:]), call.kwargs)
                sample.form = form
                yield sample

    def _all(self, samples: Iterator[Prepared]) -> None:
        waiting: list[Prepared] = []
        for sample in samples:
            waiting.append(sample)
            full = sum(one.inputs.bytes for one in waiting) > _MOST_BYTES
            if len(waiting) >= (self.most or _MOST_SAMPLES) or full:
                self._graph(waiting)
                waiting = []
                if self.most is not None and self.figures.samples >= self.most:
                    return
        if waiting:
            self._graph(waiting)

    def _samples(self, dtype: torch.dtype) -> Iterator[Prepared]:
        gradient = self.info.supports_autograd and dtype in self.info.supported_backward_dtypes("cpu")
        torch.manual_seed(SEED)
        for number, sample in enumerate(self.info.sample_inputs("cpu", dtype, requires_grad=gradient)):
            state = torch.get_rng_state()
            inputs = Inputs()
            try:
                call = expression(call_of(self.info, sample), inputs)
                Writer("").reference(call)
                for tensor in inputs.tensors:
                    written(tensor[:0] if tensor.dim() else tensor)
            except Unwritable as error:
                self.figures.unwritable[str(error)] += 1
                continue
            yield Prepared(call, inputs, str(dtype).removeprefix("torch."), number, gradient)
            torch.set_rng_state(state)

    def _graph(self, samples: list[Prepared]) -> None:
        """One graph for the samples that run here; those that do not are held to their error, each on its own."""
        samples, failed = self._run_here(samples)
        for sample, error in failed:
            self._error(sample, error)
        while samples:
            reply = self._post(samples)
            if reply.status_code == 200:
                outputs = reply.json()["outputs"]
                for place, sample in enumerate(samples):
                    self._compare(sample, f"s{place}", outputs)
                return
            at = _failing(reply, len(samples))
            self.figures.differences.append(f"{samples[at].label}: {reply.status_code} {_message(reply)}"[:500])
            samples, _ = self._run_here(samples[:at] + samples[at + 1 :])

    def _run_here(self, samples: list[Prepared]) -> tuple[list[Prepared], list[tuple[Prepared, Exception]]]:
        failed: list[tuple[Prepared, Exception]] = []
        while True:
            torch.manual_seed(SEED)
            for sample in samples:
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        sample.run()
                except Exception as error:
                    failed.append((sample, error))
                    # Where only the gradient is refused, the value is still compared.
                    rest = [replace(sample, gradient=False)] if sample.outs else []
                    place = samples.index(sample)
                    samples = [*samples[:place], *rest, *samples[place + 1 :]]
                    break
            else:
                return samples, failed

    def _post(self, samples: list[Prepared]) -> httpx.Response:
        body: dict[str, Json] = {"seed": SEED, "encoding": "base64", "inputs": {}, "nodes": [], "returns": {}}
        for place, sample in enumerate(samples):
            add(body, sample, f"s{place}")
        return self.client.post("/v1/graphs/run", json=body)

    def _error(self, sample: Prepared, error: Exception) -> None:
        """A sample that PyTorch refuses here must be refused there, in the same words."""
        reply = self._post([sample])
        message = str(error).partition("\nException raised from")[0].strip()
        said = _message(reply) if reply.status_code != 200 else "success"
        in_own_words = isinstance(error, TypeError) and said.startswith("invalid_argument: ")
        if reply.status_code != 422 or not (in_own_words or said.partition(": ")[2] == message[:4000]):
            self.figures.differences.append(f"{sample.label}: {reply.status_code} {said!r} for {message!r}"[:500])
        self.figures.local_errors += 1

    def _compare(self, sample: Prepared, prefix: str, outputs: dict[str, Json]) -> None:
        if isinstance(sample, Forward):
            self._compare_tangents(sample, prefix, outputs)
            return
        setattr(self.figures, sample.form, getattr(self.figures, sample.form) + 1)
        self.figures.by_dtype[sample.dtype] += sample.form == "samples"
        self.figures.gradients += any(grad is not None for grad in sample.grads)
        expected = self._expected(sample)
        found = difference(outputs[prefix], expected, names=not isinstance(sample.call, Substitute))
        if found is None and sample.grads:
            found = difference(outputs[f"{prefix}g"], sample.grads)
            found = found and f"gradient: {found}"
        for index, leaf in enumerate(sample.leaves):
            if found is None and f"{prefix}x{index}" in outputs:
                found = difference(outputs[f"{prefix}x{index}"], leaf)
                found = found and f"input {index}: {found}"
        if found is None:
            return
        kept = self.figures.varying if varies(sample.call) or self._varies(sample) else self.figures.differences
        kept.append(f"{sample.label}: {found}"[:300])
        del kept[_MOST_SHOWN:]

    def _compare_tangents(self, sample: Forward, prefix: str, outputs: dict[str, Json]) -> None:
        self.figures.forward += any(one is not None for one in sample.tangents.values())
        for index, (path, tangent) in enumerate(sample.tangents.items()):
            found = difference(outputs[f"{prefix}t{index}"], tangent)
            if found is not None:
                varying = varies(sample.call) or self._varies(sample)
                kept = self.figures.varying if varying else self.figures.differences
                kept.append(f"{sample.label}: tangent of output {path}: {found}"[:300])
                del kept[_MOST_SHOWN:]

    def _expected(self, sample: Prepared) -> Any:
        name = sample.call.name.removeprefix("Tensor.") if isinstance(sample.call, Call) else ""
        if name in FILLED:
            return _filled(sample.value)
        if name in GROWN:
            kept = min(sample.leaves[0].numel(), sample.value.numel())
            with torch.no_grad():
                value = sample.value.detach().clone()
                value.view(-1)[kept:] = _filled(value.view(-1)[kept:])
            return value.requires_grad_(sample.value.requires_grad) if sample.value.is_leaf else _with(sample, value)
        return sample.value

    def _varies(self, sample: Prepared) -> bool:
        """Whether local PyTorch itself gives other bits when asked again after the same seed."""
        found = set()
        for turn in range(8):
            _use_memory(turn)
            torch.manual_seed(SEED)
            sample.run()
            found.add(tuple(_arrays(sample)))
        return len(found) > 1


def _use_memory(turn: int) -> None:
    """Leave other values in the memory that the next allocations get."""
    kept = [torch.full((size,), turn * 0x0101010101010101, dtype=torch.int64) for size in (*range(1, 64), 256, 1024)]
    del kept


def _with(sample: Prepared, value: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return sample.value.copy_(value)


def _arrays(sample: Prepared) -> Iterator[bytes]:
    values = sample.value if isinstance(sample.value, (list, tuple)) else [sample.value]
    for value in (*values, *sample.grads):
        if isinstance(value, torch.Tensor) and value.layout is torch.strided:
            yield to_bytes(dense(value))


def _filled(value: torch.Tensor) -> torch.Tensor:
    """The value with NaN, the largest integer or True in place of what was there."""
    fill: Any = True
    if value.is_complex():
        fill = complex("nan+nanj")
    elif value.is_floating_point():
        fill = float("nan")
    elif value.dtype is not torch.bool:
        fill = torch.iinfo(value.dtype).max
    return torch.full(value.shape, fill, dtype=value.dtype, requires_grad=value.requires_grad)


def add(body: dict[str, Json], sample: Prepared, prefix: str) -> None:
    """Add one sample to a graph: its inputs, its nodes, its gradients, and what is wanted of it."""
    writer = Writer(prefix)
    reference = writer.reference(sample.call)
    for index, tensor in enumerate(sample.inputs.tensors):
        body["inputs"][f"{prefix}x{index}"] = written(tensor)
    body["nodes"] += writer.nodes
    if isinstance(sample, Forward):
        add_tangents(body, sample, prefix, reference)
        return
    body["returns"][prefix] = reference
    for index, leaf in enumerate(sample.leaves):
        if leaf._version:
            body["returns"][f"{prefix}x{index}"] = f"{prefix}x{index}"
    if not sample.outs or not any(tensor.requires_grad for tensor in sample.inputs.tensors):
        return
    for index, cotangent in enumerate(sample.cotangents):
        body["inputs"][f"{prefix}c{index}"] = written(cotangent)
    roots = ["$" + ".".join([reference, *map(str, path)]) for path, _ in sample.outs]
    wanted = [f"${prefix}x{index}" for index, one in enumerate(sample.inputs.tensors) if one.requires_grad]
    ways = [f"${prefix}c{index}" for index in range(len(sample.cotangents))]
    call = {"op": "autograd.grad", "args": [roots, wanted, ways], "kwargs": {"allow_unused": True}}
    body["nodes"].append(call | {"id": f"{prefix}g"})
    body["returns"][f"{prefix}g"] = f"{prefix}g"


def _failing(reply: httpx.Response, count: int) -> int:
    """The place of the sample whose node failed; the first where nothing tells."""
    label = str((reply.json().get("errors") or [{}])[0].get("node") or "")
    number = label[1:].partition("n")[0].partition("g")[0]
    return int(number) if number.isdecimal() and int(number) < count else 0


def _message(reply: httpx.Response) -> str:
    problem = reply.json()
    errors = problem.get("errors") or [{}]
    return f"{errors[0].get('code')}: {errors[0].get('message')}"
