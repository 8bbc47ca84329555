"""`template % values`: each field is written by itself, so that no text grows beyond its limit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradwire.engine.errors import NoOverload
from gradwire.engine.language.formatting import allow_widths, ascii_of
from gradwire.engine.language.limits import allow_items
from gradwire.engine.language.text import repr_of, str_of

_FIELD = re.compile(r"%(?:\(([^()]*)\))?([#0\- +]*+)(\*|\d*+)(?:(\.)(\*|\d*+))?+[hlL]?+(.)", re.DOTALL)
_TEXTS = {"s": str_of, "r": repr_of, "a": ascii_of}


def percent(template: str, values: Any) -> str:
    """`template % values`. Raises TypeError and ValueError in Python's words, Refusal for what is too wide."""
    return _Percent(template, values).text()


class _Percent:
    """One formatting. A tuple holds a value for each field, anything else is the only one."""

    def __init__(self, template: str, values: Any) -> None:
        self.template = template
        self.values = values
        self.left = list(values) if isinstance(values, tuple) else [values]
        self.length = 0

    def text(self) -> str:
        pieces: list[str] = []
        at = named = 0
        while (start := self.template.find("%", at)) >= 0:
            field = _FIELD.match(self.template, start)
            if field is None:
                raise ValueError("incomplete format")
            self._put(pieces, self.template[at:start])
            self._put(pieces, self._field(field))
            named += field[1] is not None
            at = field.end()
        self._put(pieces, self.template[at:])
        if not named:
            self._check_used()
        return "".join(pieces)

    def _put(self, pieces: list[str], piece: str) -> None:
        self.length += len(piece)
        allow_items(self.length, "texts")
        pieces.append(piece)

    def _field(self, field: re.Match[str]) -> str:
        name, flags, width, dot, precision, kind = field.groups()
        if "*" in (width, precision):
            raise NoOverload("a width or precision stands in the text itself, not as *", hint="use an f-string")
        allow_widths(f"{width} {precision or ''}")
        if kind == "%":
            return "%"
        spec = f"%{flags}{width}{dot or ''}{precision or ''}"
        if kind not in "sradiouxXeEfFgGc":
            where = f"({ord(kind):#x}) at index {field.end() - 1}"
            raise ValueError(f"unsupported format character '{kind}' {where}")
        value = self._next() if name is None else self._named(name)
        if kind in _TEXTS:
            return f"{spec}s" % (_TEXTS[kind](value),)
        return f"{spec}{kind}" % (value,)

    def _next(self) -> Any:
        if not self.left:
            raise TypeError("not enough arguments for format string")
        return self.left.pop(0)

    def _named(self, name: str) -> Any:
        if not isinstance(self.values, Mapping):
            raise TypeError("format requires a mapping")
        return self.values[name]

    def _check_used(self) -> None:
        """Python lets one value that has items, as lists and tensors do, go unused."""
        alone = not isinstance(self.values, (tuple, str)) and hasattr(type(self.values), "__getitem__")
        if self.left and not alone:
            raise TypeError("not all arguments converted during string formatting")
