"""What a run may still do: steps, calls, printed text. One for each run; every part that repeats something asks it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradwire.findings import Finding, Refusal

MAX_STEPS = 1_000_000
MAX_CALL_DEPTH = 60
MAX_PRINTED_CHARACTERS = 1_000_000
MAX_PRINTED_ENTRIES = 100_000
MAX_ITEMS = 1_000_000
MAX_VALUE_DEPTH = 100
MAX_INT_BITS = 4_096
MAX_FORMAT_WIDTH = 999


@dataclass(frozen=True, slots=True)
class Printed:
    """One call of `print`: its text without the final newline, and `end` where that is not a newline.

    `position` is the node's, from 1, in the order of the plan.
    """

    position: int
    text: str
    end: str = "\n"


@dataclass(slots=True)
class Budget:
    """The counts of one run. `steps` are nodes run and turns of loops, all together."""

    steps: int = MAX_STEPS
    most: int = MAX_STEPS
    characters: int = MAX_PRINTED_CHARACTERS
    printed: list[Printed] = field(default_factory=list)

    def take(self, count: int = 1) -> None:
        """Count `count` nodes or turns. Raises Refusal (`limit_exceeded`) where there are no more."""
        self.steps -= count
        if self.steps < 0:
            raise exceeded(f"a run has at most {self.most} nodes and turns of loops", f"at most {self.most}")

    def write(self, entry: Printed) -> None:
        """Keep what a `print` printed. Raises Refusal (`limit_exceeded`) where it is too much."""
        self.characters -= len(entry.text) + len(entry.end)
        if self.characters < 0 or len(self.printed) >= MAX_PRINTED_ENTRIES:
            most = f"{MAX_PRINTED_CHARACTERS} characters in {MAX_PRINTED_ENTRIES} calls"
            raise exceeded(f"a run prints at most {most}", f"at most {most}")
        self.printed.append(entry)


def exceeded(message: str, expected: str) -> Refusal:
    """The refusal for a limit; its place is the node that was running, which the run adds."""
    return Refusal([Finding("limit_exceeded", message, expected=expected)])
