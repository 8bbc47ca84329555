"""Indices as a client writes them: typed JSON, or the text between Python's square brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from gradwire.engine.graph import Collection, Expression, Literal, Numbers, Ref, SliceOf
from gradwire.engine.references import split
from gradwire.findings import Refusal, Source, refuse

MAX_TEXT = 1024
_TOKEN = re.compile(r"\s*(?:(?P<ref>\$[^\s,:\[\]]+)|(?P<int>-?[0-9]+)|(?P<word>[A-Za-z]+)|(?P<mark>\.\.\.|[:,\[\]]))")
_WORDS = {"True": True, "False": False, "None": None, "newaxis": None}
_ALLOWED = "integers, True, False, None, newaxis, '...', ':', ',', '[ ]' and references such as $i"


def typed(index: Expression) -> Expression:
    """A typed index: its outermost list is the tuple of indices, so [2, 3] is x[2, 3] and [[2, 3]] is x[[2, 3]]."""
    if isinstance(index, Numbers):
        values = index.tolist()
        return Collection("tuple", tuple(Literal(value, index.source) for value in values), index.source)
    if isinstance(index, Collection) and index.kind == "list":
        return Collection("tuple", index.items, index.source)
    return index


def parse(text: str, names: Container[str], source: Source) -> Expression:
    """An index from Python's own text: `:, 1`, `..., None`, `[0, 2], ::2`, `$i`.

    A text that is `$` and one known reference is that reference. Raises Refusal (`invalid_argument`) otherwise for
    anything but the grammar of contract section 2.
    """
    if text.startswith("$") and _one_reference(text[1:], names):
        return Ref(text[1:], source)
    if len(text) > MAX_TEXT:
        raise refuse("invalid_argument", f"an index has at most {MAX_TEXT} characters", source, got=len(text))
    return _Reader(text, source).whole()


def _one_reference(text: str, names: Container[str]) -> bool:
    """Whether all of `text` is one reference; a name may hold any character, a path may not."""
    parts = split(text, names)
    return parts is not None and not any(re.search(r"[\s,:\[\]]", step) for step in parts[1])


class _Reader:
    """Recursive descent over the tokens of one index text."""

    def __init__(self, text: str, source: Source) -> None:
        self.text = text
        self.source = source
        self.tokens = list(self._tokens())
        self.at = 0

    def _tokens(self) -> list[tuple[str, str]]:
        found, end = [], 0
        stripped = self.text.rstrip()
        while end < len(stripped):
            match = _TOKEN.match(stripped, end)
            if match is None:
                raise self._wrong(f"'{stripped[end:].strip()[:20]}' does not belong in an index")
            kind = str(match.lastgroup)
            found.append((kind, match.group(kind)))
            end = match.end()
        return found

    def _wrong(self, message: str) -> Refusal:
        return refuse("invalid_argument", message, self.source, got=self.text, expected=_ALLOWED)

    def _peek(self) -> str:
        """The mark that comes next, or an empty text."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "mark":
            return self.tokens[self.at][1]
        return ""

    def _done(self) -> bool:
        return self.at >= len(self.tokens)

    def whole(self) -> Expression:
        if self._done():
            raise self._wrong("an index cannot be empty")
        items, commas = self._sequence(self._element, self._done)
        if commas == 0:
            return items[0]
        return Collection("tuple", tuple(items), self.source)

    def _sequence(self, element: Callable[[], Expression], ended: Callable[[], bool]) -> tuple[list[Expression], int]:
        """Elements between commas, a comma at the end allowed; and how many commas there were."""
        items, commas = [element()], 0
        while not ended():
            if self._peek() != ",":
                raise self._wrong("a ',' is missing")
            self.at += 1
            commas += 1
            if ended():
                break
            items.append(element())
        return items, commas

    def _element(self) -> Expression:
        """One index: a value, or a slice."""
        bounds: list[Expression] = []
        current: Expression | None = None
        while not self._done() and self._peek() not in (",", "]"):
            if self._peek() == ":":
                self.at += 1
                bounds.append(current or Literal(None, self.source))
                current = None
            elif current is not None:
                raise self._wrong("a ',' is missing")
            else:
                current = self._value()
        if not bounds:
            if current is None:
                raise self._wrong("an index is missing before ','")
            return current
        if len(bounds) > 2:
            raise self._wrong("a slice has at most two ':'")
        bounds.append(current or Literal(None, self.source))
        bounds += [Literal(None, self.source)] * (3 - len(bounds))
        return SliceOf(bounds[0], bounds[1], bounds[2], self.source)

    def _value(self) -> Expression:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == "int":
            return Literal(int(text), self.source)
        if kind == "ref":
            return Ref(text[1:], self.source)
        if kind == "word":
            if text not in _WORDS:
                raise self._wrong(f"'{text[:20]}' does not belong in an index")
            return Literal(_WORDS[text], self.source)
        if text == "...":
            return Literal(..., self.source)
        if text == "[":
            return self._list()
        raise self._wrong(f"'{text}' does not belong here")

    def _list(self) -> Expression:
        items: list[Expression] = []
        if self._peek() != "]":
            items, _ = self._sequence(self._inner, lambda: self._peek() == "]" or self._done())
        if self._peek() != "]":
            raise self._wrong("a ']' is missing")
        self.at += 1
        return Collection("list", tuple(items), self.source)

    def _inner(self) -> Expression:
        """An element of a list: no slices in there, as in Python."""
        if self._done() or self._peek() in (":", ",", "]"):
            raise self._wrong("a list in an index holds values, not slices")
        return self._value()
