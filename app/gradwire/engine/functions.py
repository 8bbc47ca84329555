"""The client's functions as values: nodes with parameters, closed over the scope that they were defined in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from gradwire.engine.errors import NoOverload
from gradwire.engine.execute import ReturnSignal, execute
from gradwire.engine.references import Getter
from gradwire.engine.scope import RUN, UNBOUND
from gradwire.engine.steps import Run, Step


@dataclass(slots=True)
class Code:
    """What all functions made by one definition share.

    `qualified` is the name with those of the functions around it, as Python prints it. Parameters are (name, slot);
    those without a default come first among the positional ones. `result` reads what the function gives at its end;
    None where it gives nothing. `size` is how long a frame is. `note` looks at a frame once the parameters are in
    it.
    """

    name: str
    qualified: str
    positional: Sequence[tuple[str, int]]
    keyword_only: Sequence[tuple[str, int]]
    steps: list[Step] = field(default_factory=list)
    result: Getter | None = None
    size: int = 0
    note: Callable[[list[Any]], None] | None = None


class Function:
    """A function that can be called with values, by a node or by one of PyTorch's transforms.

    Raises NoOverload where the arguments do not fit its parameters, and Refusal with the inner node that failed.
    """

    __slots__ = ("__name__", "_code", "_defaults", "_frame", "qualified")

    def __init__(self, code: Code, frame: list[Any], defaults: dict[str, Any]) -> None:
        self.__name__, self.qualified = code.name, code.qualified
        self._code = code
        self._frame = frame
        self._defaults = defaults

    def __repr__(self) -> str:
        return f"<function {self.qualified} at 0x0>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        code = self._code
        run: Run = self._frame[RUN]
        frame: list[Any] = [UNBOUND] * code.size
        frame[:2] = run, self._frame
        self._bind(frame, args, kwargs)
        if code.note is not None:
            code.note(frame)
        run.enter(code.name)
        try:
            run.budget.take(len(code.steps))
            execute(code.steps, frame, run)
            return code.result(frame) if code.result is not None else None
        except ReturnSignal as signal:
            return signal.value
        finally:
            run.leave()

    def _bind(self, frame: list[Any], args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        """Put arguments and defaults in their slots."""
        code = self._code
        if len(args) > len(code.positional):
            raise self._misfit(len(args))
        for (_, slot), value in zip(code.positional, args, strict=False):
            frame[slot] = value
        left = dict(kwargs)
        for name, slot in (*code.positional[len(args) :], *code.keyword_only):
            if name in left:
                frame[slot] = left.pop(name)
            elif name in self._defaults:
                frame[slot] = self._defaults[name]
            else:
                raise self._misfit(len(args), f" and lacks '{name[:64]}'")
        if left:
            word = next(iter(left))
            known = [name for name, _ in (*code.positional, *code.keyword_only)]
            twice = word in known
            message = f"{code.name} " + ("is given" if twice else "takes no argument called") + f" '{word[:64]}'"
            raise NoOverload(message + " twice" * twice, word, expected=known)

    def _misfit(self, count: int, more: str = "") -> NoOverload:
        names = [name for name, _ in self._code.positional]
        needed = sum(name not in self._defaults for name in names)
        wanted = str(needed) if needed == len(names) else f"{needed} to {len(names)}"
        noun = "argument" if wanted == "1" else "arguments"
        message = f"{self.__name__} takes {wanted} {noun} ({', '.join(names)[:500]}), got {count}{more}"
        return NoOverload(message, expected=names, got=count)


# Errors of Python's and PyTorch's speak of types by name.
Function.__name__ = Function.__qualname__ = "function"
