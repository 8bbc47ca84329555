"""Records of how an op may be called: overloads, parameters and what types a parameter takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from gradwire.engine.ops.registry import Op

_T = TypeVar("_T")


class _Required:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED: Final = _Required()

# Words for the kinds of value that declarations name; "[]" after one means a list or tuple of it.
_SPOKEN = {
    "None": "none",
    "Number": "number",
    "str": "string",
    "Any": "any value",
    "dict": "object",
}


@dataclass(frozen=True, slots=True)
class ParamType:
    """The kinds of value that a parameter takes.

    `atoms` are kinds: Tensor, Number, complex, int, float, bool, str, dtype, device, layout, memory_format, Generator,
    Dimname, Callable, ndarray, dict, None and Any; `int[]` is a list or tuple of ints. `choices` are the strings that
    its declaration or docstring names: to be shown, never a reason to refuse another.
    """

    atoms: tuple[str, ...]
    choices: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For people: `Tensor or number`, `int or list of int`."""
        implied = {"None"} | ({"complex", "int", "float"} if "Number" in self.atoms else set())
        implied |= {"int"} if "device" in self.atoms else set()  # the index of a device
        words = [_spoken(atom) for atom in self.atoms if atom not in implied]
        return " or ".join(dict.fromkeys(words)) or "none"

    def __contains__(self, atom: str) -> bool:
        return atom in self.atoms

    @property
    def is_any(self) -> bool:
        """Whether the declaration says nothing."""
        return "Any" in self.atoms


ANY: Final = ParamType(("Any",))


def _spoken(atom: str) -> str:
    if atom.endswith("[]"):
        return f"list of {_spoken(atom[:-2])}"
    return _SPOKEN.get(atom, atom)


def distinct(overloads: Iterable[Overload | None]) -> tuple[Overload, ...]:
    """The overloads without those that stand there twice or could not be read, in order."""
    found: list[Overload] = []
    for one in overloads:
        if one is not None and one not in found:
            found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `variadic`: it takes all further positional arguments, as `*sizes` does."""

    name: str
    type: ParamType
    default: Any = REQUIRED
    keyword_only: bool = False
    variadic: bool = False

    @property
    def required(self) -> bool:
        """Whether a call must give it."""
        return self.default is REQUIRED and not self.variadic

    @property
    def text(self) -> str:
        """As in a signature: `Number alpha=1`."""
        star = "*" if self.variadic else ""
        default = "" if self.default is REQUIRED or self.variadic else f"={self.default}"
        return f"{self.type.text} {star}{self.name}{default}"


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call an op."""

    parameters: tuple[Parameter, ...]
    returns: str
    # A function that takes any keyword (**kwargs) declares nothing about them.
    open_keywords: bool = False

    @property
    def text(self) -> str:
        """As PyTorch's own messages write it: `(Tensor input, Tensor other, *, number alpha=1)`."""
        parts: list[str] = []
        for parameter in self.parameters:
            if parameter.keyword_only and "*" not in parts and not any(part.startswith("*") for part in parts):
                parts.append("*")
            parts.append(parameter.text)
        if self.open_keywords:
            parts.append("**")
        return f"({', '.join(parts)}) -> {self.returns}"

    def named(self, name: str) -> Parameter | None:
        """The parameter that may be given as `name=`."""
        return next((one for one in self.parameters if one.name == name and not one.variadic), None)


# PyTorch's C functions take NumPy's words for these parameters, too (torch/csrc/utils/python_arg_parser.cpp).
_NUMPYS_WORDS = {"axis": "dim", "keepdims": "keepdim", "x": "input", "a": "input", "x1": "input", "x2": "other"}


def in_pytorchs_words(op: Op, kwargs: Mapping[str, _T]) -> dict[str, _T]:
    """The keywords of a call of `op` by the names of its parameters, so that what looks at a call knows one of each."""
    if _NUMPYS_WORDS.keys().isdisjoint(kwargs) or op.is_numpy or isinstance(op.call, FunctionType):
        return dict(kwargs)
    overloads = [*op.overloads, *(op.alternative.overloads if op.alternative is not None else ())]
    renamed: dict[str, _T] = {}
    for name, value in kwargs.items():
        own = _NUMPYS_WORDS.get(name, name)
        known = any((one.named(own) or one.open_keywords) and not one.named(name) for one in overloads)
        renamed[own if known and own not in kwargs else name] = value
    return renamed
