"""From text to Python's syntax tree, within limits: the only place where the text meets Python's parser."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from gradwire.findings import Refusal, Source
from gradwire.program.places import Places

MAX_TEXT_BYTES = 64 * 1024
MAX_DEPTH = 100
# What nests: the rest of the tree (operators, contexts, arguments) only hangs below these.
_NESTING = (ast.expr, ast.stmt)
# What Python's parser says where its own limits are reached.
_TOO_DEEP = ("too many nested", "too many statically nested", "too many levels of indentation", "too complex")


def parse(text: str, pointer: str) -> tuple[ast.Module, Places]:
    """The tree of `text`. Raises Refusal: `limit_exceeded` for its size and depth, `invalid_program` for its syntax."""
    _check_size(text, pointer)
    places = Places(text, pointer)
    tree = _tree(text, places)
    _check_tree(tree, places)
    return tree, places


def _check_size(text: str, pointer: str) -> None:
    # The text holds at least as many bytes as characters, so a huge one is refused before it is encoded.
    size = len(text)
    if size <= MAX_TEXT_BYTES:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise _whole(
                pointer, "invalid_program", "the text holds half of a surrogate pair", got=error.start
            ) from None
    if size > MAX_TEXT_BYTES:
        message = f"a program has at most {MAX_TEXT_BYTES} bytes"
        raise _whole(pointer, "limit_exceeded", message, got=size, expected=MAX_TEXT_BYTES)


def _whole(pointer: str, code: str, message: str, **more: object) -> Refusal:
    """A refusal of the text as a whole."""
    return Refusal([Places("", pointer).finding(code, message, Source(pointer, 1, 1, 1, 2), **more)])


def _tree(text: str, places: Places) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of "\d" and 1if, which are fine
            return ast.parse(text)
    except SyntaxError as error:
        raise _syntax_error(error, places) from None
    except (RecursionError, MemoryError):
        raise _too_deep(places, places.at(1, 1, None, None)) from None
    except (ValueError, OverflowError) as error:
        raise Refusal([places.finding("invalid_program", str(error), places.at(1, 1, None, None))]) from None


def _syntax_error(error: SyntaxError, places: Places) -> Refusal:
    source = places.at(error.lineno, error.offset, error.end_lineno, error.end_offset)
    message = error.msg or "this is no Python"
    if message.startswith(_TOO_DEEP):
        return _too_deep(places, source)
    if "Exceeds the limit" in message:
        return Refusal([places.finding("limit_exceeded", "an integer has at most 4,096 bits", source)])
    return Refusal([places.finding("invalid_program", message[:300], source, hint=_advice(message))])


def _advice(message: str) -> str | None:
    """What to write instead, where Python's own message does not say it."""
    if message.startswith("Missing parentheses in call to"):
        return "write print(…): this is Python 3"
    if "expected an indented block" in message:
        return "indent the lines of the block by four spaces"
    return None


def _too_deep(places: Places, source: Source) -> Refusal:
    message = f"the syntax nests more than {MAX_DEPTH} deep"
    hint = "give the parts names of their own, or write a loop"
    return Refusal([places.finding("limit_exceeded", message, source, expected=MAX_DEPTH, hint=hint)])


def _check_tree(tree: ast.Module, places: Places) -> None:
    """Depth and texts. Without recursion: Python's parser takes chains that a recursive walk does not."""
    pending: list[tuple[ast.AST, int]] = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if isinstance(node, _NESTING):
            depth += 1
            if depth > MAX_DEPTH:
                raise _too_deep(places, places.source(node))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _is_writable(node.value):
            message, source = "a text holds half of a surrogate pair, which no reply can hold", places.source(node)
            raise Refusal([places.finding("invalid_program", message, source, hint="write the whole character")])
        pending += [(child, depth) for child in _children(node)]


def _is_writable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        value = getattr(node, name, None)
        if isinstance(value, ast.AST):
            if value._fields:
                yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))
