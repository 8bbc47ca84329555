"""The options of transforms: which there are, and what is wrong with those that a node gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from gradwire.engine.errors import NoOverload

Options: TypeAlias = Mapping[str, Any]

_FLAGS = frozenset(("has_aux", "strict", "create_graph", "vectorize"))
_WORDS = {
    "randomness": ("error", "different", "same"),
    "strategy": ("reverse-mode", "forward-mode"),
    "outer_jacobian_strategy": ("reverse-mode", "forward-mode"),
}


def options_of(transform: Callable[..., Any], skip: int) -> frozenset[str]:
    """The keyword arguments that its documentation knows."""
    names = list(inspect.signature(transform).parameters)[skip:]
    return frozenset(one for one in names if not one.startswith("_"))


def checked(options: Options) -> None:
    """Raise NoOverload for an option that no transform takes so."""
    for name, value in options.items():
        expected = None
        if name in _FLAGS and not isinstance(value, bool):
            expected = "true or false"
        elif name == "argnums" and not _are_argnums(value):
            expected = "an integer, or a list of integers"
        elif name == "chunk_size" and value is not None and (type(value) is not int or value < 1):
            expected = "an integer from 1, or null"
        elif name in _WORDS and value not in _WORDS[name]:
            expected = " or ".join(_WORDS[name])
        if expected is not None:
            raise NoOverload(f"{name} is {expected}", name, expected=expected, got=str(value)[:64])


def _are_argnums(value: Any) -> bool:
    return type(value) is int or (
        isinstance(value, (list, tuple)) and len(value) > 0 and all(type(one) is int for one in value)
    )


def places(count: int, argnums: Any) -> set[int]:
    """Which of `count` arguments are differentiated by. Raises NoOverload where there is no such argument."""
    chosen = argnums if isinstance(argnums, (list, tuple)) else (argnums,)
    for one in chosen:
        if not -count <= one < count:
            noun = "argument" if count == 1 else "arguments"
            message = f"argnums {one} is none of {count} {noun}"
            raise NoOverload(message, "argnums", expected=f"{-count} to {count - 1}" if count else None, got=one)
    return {one % count for one in chosen}
