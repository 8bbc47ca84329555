"""The registry: every op by its documented name, either callable or excluded with the reason.

It is derived once per process from the public names of PyTorch, NumPy and Python's operators. A client's word is a key
into this dictionary and nothing else; no attribute is ever looked up by it.
"""

from __future__ import annotations

import difflib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from gradwire.engine.ops import exclusions, facts, fences, numpy_ops, overloads, uninitialised
from gradwire.engine.ops.namespaces import SYNTAX, candidates
from gradwire.engine.ops.parameters import Overload

# Comparing names costs time in their length and in their number; a longer word gets no suggestions.
_LONGEST_COMPARED = 64
_COMPARE_SECONDS = 0.05
_LIKELY = 0.7


@dataclass(slots=True, eq=False)
class Op:
    """One callable op. `call` is the public function itself, or the method as it stands in its class.

    What else is known of it is worked out when first asked for. `alternative` is the method of the same name, which a
    bare name also tries. `special` marks Python's syntax (`getitem`), which the engine carries out.
    """

    name: str
    call: Callable[..., Any]
    alternative: Op | None = None
    special: bool = False
    _facts: facts.Facts | None = field(default=None, repr=False)
    _overloads: tuple[Overload, ...] | None = field(default=None, repr=False)
    _plain: bool | None = field(default=None, repr=False)

    @property
    def namespace(self) -> str:
        """`torch` for names without a dot."""
        return self.name.rpartition(".")[0] or "torch"

    @property
    def last(self) -> str:
        """The name behind the last dot."""
        return self.name.rpartition(".")[2]

    @property
    def is_method(self) -> bool:
        """Whether the first argument is the value that the method belongs to."""
        return self.namespace in ("Tensor", "numpy.ndarray")

    @property
    def is_numpy(self) -> bool:
        """Whether NumPy carries it out."""
        return self.name.startswith("numpy.")

    @property
    def overloads(self) -> tuple[Overload, ...]:
        """The ways to call it; empty where nothing declares them."""
        if self._overloads is None:
            self._overloads = overloads.SYNTAX[self.last] if self.special else overloads.of(self.name, self.call)
        return self._overloads

    @property
    def facts(self) -> facts.Facts:
        """What PyTorch's schemas tell of it."""
        if self._facts is None:
            self._facts = facts.of(self.name, self.call)
        return self._facts

    @property
    def in_place(self) -> bool:
        """Whether it changes its first argument."""
        return self.facts.in_place

    @property
    def random(self) -> bool:
        """Whether it draws random numbers."""
        return self.facts.random

    @property
    def view(self) -> bool:
        """Whether its result may share memory with an argument."""
        return self.facts.view

    @property
    def uninitialised(self) -> bool:
        """Whether PyTorch would leave memory of its result as it finds it."""
        return uninitialised.leaves(self.name)

    @property
    def plain(self) -> bool:
        """Whether `call` can be called as it is: no argument needs a check and no result needs filling."""
        if self._plain is None:
            careful = self.is_numpy or self.special or self.uninitialised or fences.fenced(self.name)
            self._plain = not (careful or self.namespace == "operator")
        return self._plain

    @property
    def doc(self) -> str:
        """The docstring, as text."""
        return facts.doc(self.call, self.name)

    @property
    def summary(self) -> str:
        """The first sentence of the docstring."""
        return facts.summary(self.doc)

    @property
    def doc_url(self) -> str | None:
        """The page of the documentation."""
        return facts.doc_url(self.name)


@dataclass(frozen=True, slots=True)
class Excluded:
    """A public name that may not be called. `reason` begins with a small letter: "it reads or writes files"."""

    name: str
    reason: str
    value: Any = field(default=None, repr=False, compare=False)

    @property
    def doc(self) -> str:
        """The docstring, as text."""
        return facts.doc(self.value, self.name)


Entry = Op | Excluded


class Registry:
    """All entries by documented name."""

    def __init__(self, entries: dict[str, Entry]) -> None:
        self._entries = entries

    def find(self, name: str) -> Entry | None:
        """The entry that `name` means; None for a name that nothing has.

        A leading `torch.` is left out, `F.` and `np.` are spelled out, and a bare name without a function of its own is
        the Tensor method.
        """
        spelled = _spelled_out(name)
        entry = self._entries.get(spelled)
        if "." in spelled or isinstance(entry, Op):
            return entry
        method = self._entries.get(f"Tensor.{spelled}")
        return method if entry is None or isinstance(method, Op) else entry

    def nearest(self, name: str, count: int = 3) -> list[str]:
        """At most `count` names that `name` was probably meant to be, the most likely first; in bounded time."""
        if not 0 < len(name) <= _LONGEST_COMPARED:
            return []
        namespace, _, last = _spelled_out(name).rpartition(".")
        matcher = difflib.SequenceMatcher(b=last.lower())
        deadline = time.monotonic() + _COMPARE_SECONDS
        found: list[tuple[float, bool, int, str]] = []
        for known, entry in self._entries.items():
            own_namespace, _, own_last = known.rpartition(".")
            if isinstance(entry, Excluded) or abs(len(own_last) - len(last)) > len(last):
                continue
            matcher.set_seq1(own_last.lower())
            if matcher.real_quick_ratio() < _LIKELY or matcher.quick_ratio() < _LIKELY:
                continue
            if (ratio := matcher.ratio()) >= _LIKELY:
                found.append((-ratio, own_namespace != namespace, known.count("."), known))
            if time.monotonic() > deadline:
                break
        return [known for *_, known in sorted(found)][:count]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._entries)

    def entries(self) -> Iterator[Entry]:
        """All entries, callable and excluded."""
        return iter(self._entries.values())


def _spelled_out(name: str) -> str:
    """A name as the documentation has it: `torch.nn.functional.relu` and `F.relu` are `nn.functional.relu`."""
    name = name.removeprefix("torch.")
    if name.startswith("F."):
        return "nn.functional." + name[2:]
    return "numpy." + name[3:] if name.startswith("np.") else name


@functools.cache
def registry() -> Registry:
    """The process's registry; the first call derives it."""
    entries: dict[str, Entry] = {}
    for candidate in candidates():
        reason = exclusions.reason(candidate)
        if reason is None:
            special = candidate.name in ("operator.getitem", "operator.setitem")
            entries[candidate.name] = Op(candidate.name, candidate.value, special=special)
        else:
            entries[candidate.name] = Excluded(candidate.name, reason, candidate.value)
    for name in SYNTAX:
        entries[name] = Op(name, getattr(torch.Tensor, f"__{name}__"), special=True)
    for name, value, reason in numpy_ops.entries():
        entries[name] = Op(name, value) if reason is None else Excluded(name, reason, value)
    _tie_alternatives(entries)
    return Registry(entries)


def _tie_alternatives(entries: dict[str, Entry]) -> None:
    for name, entry in entries.items():
        if isinstance(entry, Op) and "." not in name:
            method = entries.get(f"Tensor.{name}")
            if isinstance(method, Op):
                entry.alternative = method
