"""The methods of Python's own types: those that read, append or format, each within limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from gradwire.engine.language.formatting import format_
from gradwire.engine.language.functions import Bounded, in_pythons_words
from gradwire.engine.language.iterate import drained, length_of
from gradwire.engine.language.lazy import Lazy, Run
from gradwire.engine.language.limits import allow_items, bounded
from gradwire.engine.language.measure import allow_key, measure
from gradwire.engine.language.sequences import as_dict, keyed
from gradwire.engine.ops.numpy_ops import check_result


def _native(kind: type, name: str) -> Bounded:
    """The method as it is, for those whose work and result are no more than what they are given."""
    method = getattr(kind, name)

    def function(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        return bounded(method(*args, **kwargs))

    return function


def _draws(kind: type, name: str) -> Bounded:
    """A method that gives an array or a number of a dtype that PyTorch has, too."""
    method = getattr(kind, name)

    def function(run: Run, /, *args: Any, **kwargs: Any) -> Any:
        value = method(*args, **kwargs)
        check_result(value)
        return value

    return function


def _grows(kind: type, name: str) -> Bounded:
    """A method that adds one item."""
    method = getattr(kind, name)

    def function(run: Run, this: Any, /, *args: Any) -> Any:
        allow_items(len(this) + 1)
        return method(this, *args)

    return function


def _searches(kind: type, name: str) -> Bounded:
    """A method that compares a value with the items."""
    method = getattr(kind, name)

    def function(run: Run, this: Any, /, *args: Any) -> Any:
        measure(this)
        measure(args)
        run.budget.take(length_of(this) or 0)
        return method(this, *args)

    return function


def _range_searches(name: str) -> Bounded:
    """The same for ranges, which find integers at once."""
    method, slow = getattr(range, name), _searches(range, name)

    def function(run: Run, this: Any, /, *args: Any) -> Any:
        quick = len(args) == 1 and type(args[0]) in (int, bool)
        return method(this, *args) if quick else slow(run, this, *args)

    return function


def _list_extend(run: Run, this: list[Any], iterable: Any, /) -> None:
    items = drained(run, iterable)
    allow_items(len(this) + len(items))
    this.extend(items)


def _list_sort(run: Run, this: list[Any], /, *, key: Any = None, reverse: Any = False) -> None:
    measure(this)
    run.budget.take(len(this))
    this.sort(key=keyed(run, key), reverse=reverse)


def _list_copies(kind: type, name: str) -> Bounded:
    method = getattr(kind, name)

    def function(run: Run, this: Any, /, *args: Any) -> Any:
        run.budget.take(len(this))
        return method(this, *args)

    return function


def _dict_key(name: str) -> Bounded:
    """A method of dicts that takes a key first."""
    method = getattr(dict, name)

    def function(run: Run, this: dict[Any, Any], /, *args: Any) -> Any:
        if args:
            allow_key(args[0])
        if name == "setdefault":
            allow_items(len(this) + 1)
        return method(this, *args)

    return function


def _dict_update(run: Run, this: dict[Any, Any], /, *args: Any, **kwargs: Any) -> None:
    if len(args) > 1:
        raise TypeError(f"update expected at most 1 argument, got {len(args)}")
    items = as_dict(run, args[0]) if args else {}
    allow_items(len(this) + len(items) + len(kwargs))
    this.update(items, **kwargs)


def _str_pads(name: str) -> Bounded:
    """A method that pads a text to a width."""
    method = getattr(str, name)

    def function(run: Run, this: str, /, *args: Any) -> str:
        if args and hasattr(type(args[0]), "__index__"):
            allow_items(args[0].__index__(), "texts")
        return str(method(this, *args))

    return function


def _str_expandtabs(run: Run, this: str, /, tabsize: Any = 8) -> str:
    if hasattr(type(tabsize), "__index__"):
        allow_items(len(this) + this.count("\t") * tabsize.__index__(), "texts")
    return this.expandtabs(tabsize)


def _str_replace(run: Run, this: str, /, *args: Any, **kwargs: Any) -> str:
    texts = [one for one in args[:2] if isinstance(one, str)]
    if len(texts) == 2:
        found = this.count(texts[0])
        limit = args[2] if len(args) > 2 else kwargs.get("count", -1)
        if type(limit) is int and limit >= 0:
            found = min(found, limit)
        allow_items(len(this) + found * (len(texts[1]) - len(texts[0])), "texts")
    return this.replace(*args, **kwargs)


def _str_join(run: Run, this: str, iterable: Any, /) -> str:
    if not isinstance(iterable, Lazy) and not hasattr(type(iterable), "__iter__"):
        return this.join(iterable)  # Python's own TypeError
    items = drained(run, iterable)
    length = sum(len(one) for one in items if isinstance(one, str)) + len(this) * max(0, len(items) - 1)
    allow_items(length, "texts")
    return this.join(items)


def _str_format(run: Run, this: str, /, *args: Any, **kwargs: Any) -> str:
    return format_(run, this, *args, **kwargs)


def _all(kind: type, names: str, make: Callable[[type, str], Bounded]) -> dict[str, Bounded]:
    return {name: make(kind, name) for name in names.split() if hasattr(kind, name)}


_LIST: dict[str, Bounded] = {
    **_all(list, "append insert", _grows),
    **_all(list, "pop reverse clear", _native),
    **_all(list, "index count remove", _searches),
    "copy": _list_copies(list, "copy"),
    "extend": _list_extend,
    "sort": _list_sort,
}
_DICT: dict[str, Bounded] = {
    **{name: _dict_key(name) for name in ("get", "pop", "setdefault")},
    **_all(dict, "keys values items popitem clear", _native),
    "copy": _list_copies(dict, "copy"),
    "update": _dict_update,
}
_STR: dict[str, Bounded] = {
    **_all(
        str,
        "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower "
        "isnumeric isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex "
        "rpartition rsplit rstrip split splitlines startswith strip swapcase title upper",
        _native,
    ),
    **{name: _str_pads(name) for name in ("center", "ljust", "rjust", "zfill")},
    "expandtabs": _str_expandtabs,
    "replace": _str_replace,
    "join": _str_join,
    "format": _str_format,
}
# Everything that draws; `spawn` and `bytes` give what is no value here.
_DRAWING = " ".join(name for name in dir(np.random.Generator) if not re.match(r"_|bit_generator|spawn|bytes", name))
_NUMBERS = "conjugate as_integer_ratio is_integer bit_length bit_count hex"

_METHODS: Sequence[tuple[type, dict[str, Bounded]]] = (
    (list, _LIST),
    (dict, _DICT),
    (str, _STR),
    (torch.Size, {**_all(torch.Size, "numel", _native), **_all(tuple, "index count", _searches)}),
    (tuple, _all(tuple, "index count", _searches)),
    (range, {name: _range_searches(name) for name in ("index", "count")}),
    (bool, _all(bool, _NUMBERS, _native)),
    (int, _all(int, _NUMBERS, _native)),
    (float, _all(float, _NUMBERS, _native)),
    (complex, _all(complex, _NUMBERS, _native)),
    (torch.dtype, _all(torch.dtype, "to_complex to_real", _native)),
    (torch.Generator, _all(torch.Generator, "manual_seed initial_seed", _native)),
    (np.random.Generator, _all(np.random.Generator, _DRAWING, _draws)),
    (torch.autograd.graph.Node, {"name": lambda run, node: str(node.name())}),
)
# The methods by type; the first type that a value is an instance of has them.
METHODS: Sequence[tuple[type, dict[str, Bounded]]] = [
    (kind, {name: in_pythons_words(function, getattr(kind, name)) for name, function in methods.items()})
    for kind, methods in _METHODS
]
