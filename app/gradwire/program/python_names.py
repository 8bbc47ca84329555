"""Names of a graph as Python's identifiers: those that Python lacks are changed."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

from gradwire.engine.graph import Def, Graph, NamedFunction, Node
from gradwire.engine.statements import every
from gradwire.program import names
from gradwire.program.records import keys_in, names_in, operands

# What lowering calls the values in between: a number behind a mark, `<lambda>` or a comprehension's target ahead of it.
TEMPORARY = re.compile(r"(\w*|<lambda>)%+([0-9]+)")
_MODULES = frozenset(("torch", "np", "math", "functools", "operator"))


class Names:
    """What each name of a graph is called in Python; `changed` are the client's own that are called otherwise.

    `keys` are those of all dicts that the graph spells out: such a step of a path is an item, not an attribute.
    """

    def __init__(self, graph: Graph) -> None:
        self.known = dict.fromkeys(_names(graph))
        self.keys = set(_keys(graph))
        self._taken = set(_MODULES) | _builtins(graph)
        self._written: dict[str, str] = {}
        for one in self.known:
            if self._fits(one):
                self._written[one] = one
        self._taken |= set(self._written)
        for one in self.known:
            if one not in self._written:
                self._written[one] = self.fresh(_readable(one))
        wanted = {one: name for one, name in self._written.items() if one != name}
        self.changed = {one: name for one, name in wanted.items() if not is_temporary(one)}

    def of(self, name: str) -> str:
        """The identifier for `name`."""
        return self._written.get(name, name)

    def fresh(self, base: str) -> str:
        """An identifier that nothing has, like `base`."""
        found, count = base, 1
        while found in self._taken or keyword.iskeyword(found):
            count += 1
            found = f"{base}_{count}"
        self._taken.add(found)
        return found

    def _fits(self, name: str) -> bool:
        stable = unicodedata.normalize("NFKC", name) == name  # as Python's parser reads identifiers
        plain = name.isidentifier() and stable and not keyword.iskeyword(name) and not name.startswith("__")
        return plain and name not in self._taken


def is_temporary(name: str) -> bool:
    """Whether lowering made the name."""
    return TEMPORARY.fullmatch(name) is not None


def _readable(name: str) -> str:
    temporary = TEMPORARY.fullmatch(name)
    if temporary is not None:
        word = temporary[1].strip("<>") or "t"
        return f"{word}{temporary[2]}" if word == "t" else f"{word}_{temporary[2]}"
    word = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:64]
    return word if word and not word[0].isdigit() else f"v_{word}".rstrip("_")


def _names(graph: Graph) -> Iterable[str]:
    yield from graph.inputs
    for one in every([*graph.functions, *graph.nodes]):
        yield from names_in(one)


def _keys(graph: Graph) -> Iterable[str]:
    for one in every([*graph.functions, *graph.nodes]):
        given = [one.returns] if isinstance(one, Def) and one.returns is not None else []
        yield from keys_in([*operands(one), *given])


def _builtins(graph: Graph) -> set[str]:
    """The builtins that the graph uses, which no variable may hide."""
    used: set[str] = {"print"}
    for one in every([*graph.functions, *graph.nodes]):
        words = [value.name for value in operands(one) if isinstance(value, NamedFunction)]
        words += [one.op] if isinstance(one, Node) else []
        used |= {word.removeprefix("builtins.") for word in words if word.startswith("builtins.")}
    return used if used <= {"print"} else used | names.BUILTINS & {"tuple", "list", "dict", "bool", "abs"}
