"""Where things stand in program text: lines and columns as people count them, and the text with a caret under it."""

from __future__ import annotations

import ast
import re
from typing import Any

from gradwire.findings import Finding, Source

_WIDTH = 100
_BEFORE = 60
_NEWLINE = re.compile(r"\r\n|\r|\n")


def lines_of(text: str) -> list[str]:
    """The lines as Python's tokenizer counts them: a bare CR ends one, U+2028 does not."""
    return _NEWLINE.split(text)


class Places:
    """Turns places of the syntax tree (UTF-8 bytes from 0) into sources (characters from 1, ends exclusive)."""

    def __init__(self, text: str, pointer: str) -> None:
        self.pointer = pointer
        self.lines = lines_of(text)
        self._ascii = text.isascii()
        self._columns: dict[int, list[int]] = {}

    def source(self, node: ast.AST) -> Source:
        """The place of a node that has one: every expression, statement, argument, keyword and alias."""
        place: Any = node
        line, end_line = place.lineno, place.end_lineno
        column, end_column = place.col_offset, place.end_col_offset
        if self._ascii:
            return Source(self.pointer, line, column + 1, end_line, end_column + 1)
        return Source(
            self.pointer, line, self._characters(line, column), end_line, self._characters(end_line, end_column)
        )

    def at(self, line: int | None, column: int | None, end_line: int | None, end_column: int | None) -> Source:
        """The place that Python's parser named in an error, held to what the text has."""
        line = min(max(line or 1, 1), len(self.lines))
        column = min(max(column or 1, 1), len(self.lines[line - 1]) + 1)
        if not end_line or not end_column or not line <= end_line <= len(self.lines):
            end_line, end_column = line, column + 1
        if end_line == line:
            end_column = max(end_column, column + 1)
        return Source(self.pointer, line, column, end_line, end_column)

    def finding(self, code: str, message: str, source: Source, **more: Any) -> Finding:
        """A finding whose message ends in the line that it is about, with a caret."""
        return Finding(code, f"{message}\n{caret(self.lines, source)}", source, **more)

    def _characters(self, line: int, column: int) -> int:
        """The column in characters, from 1."""
        text = self.lines[line - 1]
        if text.isascii():
            return column + 1
        if line not in self._columns:
            self._columns[line] = _columns_of(text)
        columns = self._columns[line]
        return columns[min(column, len(columns) - 1)]


def _columns_of(text: str) -> list[int]:
    """For each byte of a line in UTF-8, and its end, the column of its character, from 1."""
    columns = [place for place, character in enumerate(text, 1) for _ in character.encode()]
    return [*columns, len(text) + 1]


def caret(lines: list[str], source: Source) -> str:
    """The source line and, below it, carets under the place; long lines are cut around it."""
    line, column = source.line or 1, source.column or 1
    text = lines[line - 1] if line <= len(lines) else ""
    start = len(text) - len(text.lstrip())
    if len(text) - start > _WIDTH:
        start = max(start, column - 1 - _BEFORE)
    shown = text[start : start + _WIDTH].rstrip().replace("\t", " ")
    end = source.end_column if source.end_line == line and source.end_column else len(text) + 1
    begin = max(column - 1 - start, 0)
    count = max(1, min(end - column, len(shown) - begin))
    return f"    {shown}\n    {' ' * begin}{'^' * count}"
