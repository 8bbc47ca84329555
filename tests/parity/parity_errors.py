"""The error inputs of op_db: calls that PyTorch refuses must be refused over HTTP, with its own message."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

import httpx
import torch
from parity_calls import Call, Inputs, Unwritable, expression
from parity_entry import SEED, Prepared, add
from parity_recipes import NOT_COMPARED, NOT_HERE, SUBSTITUTED, call_of
from parity_values import Json, difference, written


@dataclass(slots=True)
class ErrorFigures:
    """What came of one entry's error inputs.

    `alike`: the same message. `refused_before`: `invalid_argument` where PyTorch's parser says TypeError.
    `as_tensors`: PyTorch's parser refused a number or list here, which the contract makes a tensor; the service does
    what PyTorch does for tensors. `no_error`: local PyTorch takes the case, too, and the answer has the
    same bits: operators on two numbers, and memory that overlaps no more once it was sent.
    """

    entry: str
    cases: int = 0
    alike: int = 0
    refused_before: int = 0
    as_tensors: int = 0
    no_error: int = 0
    unwritable: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    varying: list[str] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0

    @property
    def verdict(self) -> str:
        """As of samples."""
        if self.differences:
            return "differs"
        if self.note:
            return "not here" if self.entry in NOT_HERE else "not public"
        return "passed" if self.cases else "no samples"

    def record(self) -> dict[str, Json]:
        """For JSON."""
        return {item.name: getattr(self, item.name) for item in fields(self)} | {"verdict": self.verdict}


class ErrorEntry:
    """Compares the error inputs of one entry with the service at `client`."""

    def __init__(self, info: Any, client: httpx.Client, most: int | None = None) -> None:
        self.info = info
        self.client = client
        self.most = most
        self.figures = ErrorFigures(info.full_name)

    def compare(self) -> ErrorFigures:
        """All cases; with `most`, that many."""
        started = time.monotonic()
        if self.info.name in NOT_COMPARED or self.info.name in SUBSTITUTED:
            self.figures.note = NOT_COMPARED.get(self.info.name, "private: its messages are its own")
        elif self.info.error_inputs_func is not None:
            torch.manual_seed(SEED)
            for number, case in enumerate(self.info.error_inputs("cpu")):
                if self.most is not None and self.figures.cases >= self.most:
                    break
                self._case(number, case)
        self.figures.seconds = round(time.monotonic() - started, 2)
        return self.figures

    def _case(self, number: int, case: Any) -> None:
        inputs = Inputs()
        try:
            call = expression(call_of(self.info, case.sample_input), inputs)
            prepared = Prepared(call, inputs, "error", number, gradient=False)
            body: dict[str, Json] = {"seed": SEED, "encoding": "base64", "inputs": {}, "nodes": [], "returns": {}}
            for tensor in inputs.tensors:
                written(tensor)
            add(body, prepared, "s0")
        except Unwritable as error:
            self.figures.unwritable[str(error)] += 1
            return
        reply = self.client.post("/v1/graphs/run", json=body)
        if reply.status_code == 413:
            self.figures.unwritable["a body over the limit"] += 1
            return
        self.figures.cases += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.manual_seed(SEED)
                prepared.run()
        except Exception as error:
            wrong = self._refused(reply, prepared, error)
        else:
            wrong = self._given(reply, prepared.value)
        if wrong:
            self.figures.differences.append(f"case {number}, {body['nodes'][-1]['op']}: {wrong}"[:600])

    def _refused(self, reply: httpx.Response, prepared: Prepared, error: Exception) -> str | None:
        """What is wrong with the reply to a call that local PyTorch refuses with `error`."""
        message = message_of(error)
        if reply.status_code == 200:
            return self._served(reply, prepared, message)
        first = reply.json()["errors"][0]
        if reply.status_code != 422:
            return f"{reply.status_code} {first['message']} for {message}"
        if first["message"] == message[:4000]:
            self.figures.alike += 1
        elif first["code"] == "invalid_argument" and first["pointer"] and isinstance(error, TypeError):
            self.figures.refused_before += 1
        elif first["message"] == _of_tensors(prepared)[:4000]:
            self.figures.as_tensors += 1
        else:
            return f"{first['code']} {first['message']!r} for {message!r}"
        return None

    def _served(self, reply: httpx.Response, prepared: Prepared, message: str) -> str | None:
        """An answer is right where numbers and lists as tensors give it."""
        prepared.call = _with_tensors(prepared.call)
        try:
            prepared.run()
        except Exception as error:
            return f"an answer for {message!r}, and for tensors {message_of(error)!r}"
        self.figures.as_tensors += 1
        return difference(reply.json()["outputs"]["s0"], prepared.value)

    def _given(self, reply: httpx.Response, value: Any) -> str | None:
        if reply.status_code != 200:
            return f"{reply.status_code} {reply.json()['errors'][0]['message']} for a call that PyTorch answers"
        self.figures.no_error += 1
        return difference(reply.json()["outputs"]["s0"], value)


def message_of(error: Exception) -> str:
    """PyTorch's message, without the trace of C++ behind it."""
    return str(error).partition("\nException raised from")[0].strip() or type(error).__name__


def _with_tensors(call: Any) -> Any:
    """The call with tensors for its numbers and lists."""
    made = [torch.tensor(one) if isinstance(one, (bool, int, float, complex)) else one for one in call.args]
    return Call(call.name, tuple(made), call.kwargs)


def _of_tensors(prepared: Prepared) -> str:
    """What PyTorch says to the same call with tensors for numbers; nothing where it answers."""
    call, prepared.call = prepared.call, _with_tensors(prepared.call)
    try:
        prepared.run()
    except Exception as error:
        return message_of(error)
    finally:
        prepared.call = call
    return ""
