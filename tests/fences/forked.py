"""Running calls in forked children that may die of them, and watching how they end."""

from __future__ import annotations

import json
import mmap
import os
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import torch
from arena import BYTES, Arena
from hostile import Variant

from gradwire.engine import seeds
from gradwire.engine.errors import NoOverload, is_out_of_memory
from gradwire.engine.ops import fences
from gradwire.engine.ops.arguments import invoke
from gradwire.engine.ops.registry import Op

MEMORY = 2 << 30
OUT_OF_MEMORY = 77
_READ_ELEMENTS = 300_000
_POLL = 0.05


@dataclass
class Outcome:
    """How a call ended that should have raised or returned. `kind`: SIGSEGV and its kind, hang, write, read."""

    index: int
    kind: str
    said: str = ""
    fenced: bool = False


@dataclass
class Ran:
    """What running the variants of one op came to."""

    outcomes: list[Outcome] = field(default_factory=list)
    calls: int = 0
    returned: int = 0
    refused: int = 0


class Watched:
    """Runs the variants of one op, in as many children as they kill."""

    def __init__(self, op: Op, variants: Sequence[Variant], seconds: float, fenced_runs: int = 1) -> None:
        self.op = op
        self.variants = variants
        self.seconds = seconds
        self.page = mmap.mmap(-1, 64)
        self.fenced_runs = fenced_runs

    def run(self, most_outcomes: int = 8, indices: Sequence[int] | None = None) -> Ran:
        """All variants, or those at `indices`; stops after `most_outcomes`."""
        ran = Ran()
        todo = list(range(len(self.variants)) if indices is None else indices)
        fenced_left = self.fenced_runs
        while todo and len(ran.outcomes) < most_outcomes:
            index, outcome, told = self._child(todo, fenced_left)
            for one in told:
                found = Outcome(one["index"], one["kind"], one["said"], one["fenced"])
                ran.outcomes.append(found)
            ran.calls += self._word(2)
            ran.returned += self._word(3)
            ran.refused += self._word(4)
            if outcome is not None:
                outcome.fenced = bool(self._word(5))
                ran.outcomes.append(outcome)
                fenced_left -= outcome.fenced
            if index is None:
                break
            todo = todo[todo.index(index) + 1 :]
        return ran

    def _word(self, position: int) -> int:
        return int(struct.unpack_from("q", self.page, 8 * position)[0])

    def _child(self, todo: Sequence[int], fenced_left: int) -> tuple[int | None, Outcome | None, list[dict[str, Any]]]:
        """(last index reached, how it ended there, what the child told); no index where it ran to the end."""
        self.page[:] = bytes(64)
        reading, writing = os.pipe()
        said = tempfile.TemporaryFile()  # noqa: SIM115
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _Child(self, writing, said.fileno()).work(todo, fenced_left)
        os.close(writing)
        told, hung = self._watch(pid, reading)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        text = said.read()[-300:].decode(errors="replace").strip()
        index = self._word(0)
        lines = [json.loads(line) for line in told.splitlines() if line.endswith(b"}")]
        if hung:
            return index, Outcome(index, "hang"), lines
        if os.WIFSIGNALED(status):
            return index, Outcome(index, signal.Signals(os.WTERMSIG(status)).name, text), lines
        if os.WEXITSTATUS(status) == OUT_OF_MEMORY:
            return index, None, lines
        if os.WEXITSTATUS(status):
            return index, Outcome(index, f"exit {os.WEXITSTATUS(status)}", text), lines
        return None, None, lines

    def _watch(self, pid: int, reading: int) -> tuple[bytes, bool]:
        """What the child wrote until it ended; True where it had to be killed."""
        told = b""
        while True:
            if select.select([reading], [], [], _POLL)[0]:
                part = os.read(reading, 65536)
                if not part:
                    os.close(reading)
                    return told, False
                told += part
            began = struct.unpack_from("d", self.page, 8)[0]
            # Time of the processor, since the machine may be busy; and ten times as long by the clock.
            if began and time.monotonic() - began > self.seconds and self._spent(pid) > self.seconds:
                os.kill(pid, signal.SIGKILL)
                os.close(reading)
                return told, True

    def _spent(self, pid: int) -> float:
        """Seconds of processor time since the running call began."""
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            parts = file.read().rpartition(")")[2].split()
        spent = (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
        began = struct.unpack_from("d", self.page, 48)[0]
        slept = time.monotonic() - struct.unpack_from("d", self.page, 8)[0]
        return max(spent - began, slept / 10)


class _Child:
    def __init__(self, watched: Watched, writing: int, said: int) -> None:
        self.watched = watched
        self.op = watched.op
        self.writing = writing
        self.arena = Arena()
        self.refuses = False
        os.dup2(said, 1)
        os.dup2(said, 2)

    def work(self, todo: Sequence[int], fenced_left: int) -> NoReturn:
        status = 99
        try:
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            warnings.simplefilter("ignore")
            np.seterr(all="ignore")
            for index in todo:
                self._count(0, index)
                self._note(1, time.monotonic())
                self._note(6, time.process_time())
                self._one(index, fenced_left)
            status = 0
        except (MemoryError, torch.OutOfMemoryError):
            status = OUT_OF_MEMORY
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)

    def _count(self, position: int, value: int) -> None:
        struct.pack_into("q", self.watched.page, 8 * position, value)

    def _note(self, position: int, value: float) -> None:
        struct.pack_into("d", self.watched.page, 8 * position, value)

    def _add(self, position: int) -> None:
        self._count(position, self.watched._word(position) + 1)

    def _one(self, index: int, fenced_left: int) -> None:
        variant = self.watched.variants[index]
        self._add(2)
        self.refuses = False
        first = self._made_once(variant, 0, fenced_left)
        found = None
        if self.arena.touched():
            found = ("write", "memory around the arguments was changed")
        elif first is not None:
            second = self._made_once(variant, 1, fenced_left)
            if self.arena.touched():
                found = ("write", "memory around the arguments was changed")
            elif second is not None and second != first and self._made_once(variant, 0, fenced_left) == first:
                found = ("read", "the result depends on memory outside of the arguments")
        if found:
            told = {"index": index, "kind": found[0], "said": found[1], "fenced": self.refuses}
            os.write(self.writing, json.dumps(told).encode() + b"\n")

    def _made_once(self, variant: Variant, turn: int, fenced_left: int) -> list[Any] | None:
        """The bits of the results; None where the call was refused."""
        self.arena.reset(BYTES[turn])
        seeds.again(0)
        seeds.numpy_ready()
        try:
            args, kwargs = variant.made(self._place)
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception:  # this edit does not go with this value
            return None
        self.refuses = _refused(self.op, args, kwargs)
        self._count(5, self.refuses)
        if self.refuses:
            self._add(4)
            if fenced_left <= 0:
                return None
        try:
            result = self.op.call(*args, **kwargs) if self.refuses else invoke(self.op, args, kwargs)
            if turn == 0:
                self._add(3)
            bits = list(_bits(result))
            bits += _bits([one for one in (*args, *kwargs.values()) if isinstance(one, torch.Tensor)])
            variant.change_later(result, args, kwargs)
            return bits + list(_gradients(result, args, kwargs, expanded=bool(self.watched._word(0) % 2)))
        except (MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise MemoryError from error
            return None

    def _place(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.arena.place(value)
        return self.arena.array(value) if isinstance(value, np.ndarray) else value


def _refused(op: Op, args: list[Any], kwargs: dict[str, Any]) -> bool:
    try:
        fences.check(op, args, kwargs)
    except NoOverload:
        return True
    except Exception:
        return False
    return False


def _bits(value: Any) -> Iterator[Any]:
    """What shows two results to be equal, in a form that can be compared."""
    if isinstance(value, torch.Tensor):
        yield str(value.dtype), tuple(value.shape), str(value.layout)
        if (
            value.layout is torch.strided
            and value.numel() <= _READ_ELEMENTS
            and not value.is_meta
            and not value.is_mkldnn
        ):
            plain = value.detach().dequantize() if value.is_quantized else value.detach().resolve_conj().resolve_neg()
            flat = plain.contiguous().view(-1).view(torch.uint8) if plain.dim() else plain.reshape(1).view(torch.uint8)
            yield zlib.crc32(flat.numpy())
        elif value.layout is not torch.strided and value.numel() <= _READ_ELEMENTS:
            yield from _bits(value.detach().to_dense())
    elif isinstance(value, np.ndarray):
        yield str(value.dtype), value.shape, zlib.crc32(value.tobytes()) if value.size <= _READ_ELEMENTS else 0
    elif isinstance(value, (list, tuple)):
        for one in value[:64]:
            yield from _bits(one)
    elif isinstance(value, (bool, int, float, complex, str, np.generic)):
        yield repr(value)[:200]


def _gradients(result: Any, args: list[Any], kwargs: dict[str, Any], *, expanded: bool) -> Iterator[Any]:
    """The bits of the gradients of everything that can have one, and of second derivatives of the first."""
    flat = result if isinstance(result, (list, tuple)) else [result]
    roots = [
        one for one in flat if isinstance(one, torch.Tensor) and one.requires_grad and one.numel() <= _READ_ELEMENTS
    ]
    leaves = []
    for one in (*args, *kwargs.values()):
        for leaf in one if isinstance(one, (list, tuple)) else (one,):
            if isinstance(leaf, torch.Tensor) and leaf.requires_grad and leaf.is_leaf:
                leaves.append(leaf)
    if not roots or not leaves:
        return
    # As sum().backward() gives them, or with memory of their own.
    cotangents = [torch.ones((), dtype=one.dtype).expand_as(one) if expanded else torch.ones_like(one) for one in roots]
    firsts = torch.autograd.grad(roots, leaves, cotangents, create_graph=True, allow_unused=True)
    yield from _bits(firsts)
    again = [one for one in firsts if isinstance(one, torch.Tensor) and one.requires_grad]
    if again:
        seconds = torch.autograd.grad(again, leaves, [torch.ones_like(one) for one in again], allow_unused=True)
        yield from _bits(seconds)
