"""Texts with values in them: f-strings, `str.format` and `format`, all as one `format` node."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from string import Formatter
from typing import Final

from gradwire.engine.graph import Expression, Literal, Star
from gradwire.program.lowering import Lowering, expression

MAX_WIDTH: Final = 999
_DIGITS = re.compile(r"[0-9]+")
_FIELD = re.compile(r"(?:[0-9]{1,6}|(?!_)\w*)")
_PLAIN_HINT = "give the value a name first: fields are empty, a number or a name"


@expression(ast.JoinedStr)
def f_string(low: Lowering, node: ast.JoinedStr) -> Expression:
    """`f"{x:.3f}"`."""
    pieces: list[str] = []
    parts: list[Callable[[], Expression]] = []
    for one in node.values:
        if isinstance(one, ast.FormattedValue):
            pieces.append(_field(low, one, parts))
        else:
            pieces.append(_text(one).replace("{", "{{").replace("}", "}}"))
    source = low.source(node)
    if not parts:
        return Literal("".join(pieces).format(), source)
    return low.node("format", [Literal("".join(pieces), source), *low.in_order(parts)], source)


@expression(ast.FormattedValue)
def formatted(low: Lowering, node: ast.FormattedValue) -> Expression:
    """A field on its own, as Python's parser never makes it."""
    raise low.unsupported(node)


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""


def _field(low: Lowering, node: ast.FormattedValue, parts: list[Callable[[], Expression]]) -> str:
    """One field as `str.format` writes it; its values go into `parts`, in the order that they are numbered."""
    parts.append(lambda: low.expression(node.value))
    conversion = f"!{chr(node.conversion)}" if node.conversion != -1 else ""
    if node.format_spec is None:
        return f"{{{conversion}}}"
    return f"{{{conversion}:{_spec(low, node.format_spec, parts)}}}"


def _spec(low: Lowering, spec: ast.expr, parts: list[Callable[[], Expression]]) -> str:
    pieces: list[str] = []
    for one in spec.values if isinstance(spec, ast.JoinedStr) else []:
        if isinstance(one, ast.FormattedValue):
            if one.format_spec is not None:
                raise low.refuse("a field in a field in a field is not understood here", one, _PLAIN_HINT)
            pieces.append(_field(low, one, parts))
        else:
            text = _text(one)
            if "{" in text or "}" in text:
                raise low.refuse("braces cannot stand in a format spec here", spec, "put them beside the field")
            _check_widths(low, text, spec)
            pieces.append(text)
    return "".join(pieces)


def _check_widths(low: Lowering, spec: str, node: ast.AST) -> None:
    for digits in _DIGITS.findall(spec):
        if len(digits.lstrip("0")) > 3:
            message = f"a width or precision is at most {MAX_WIDTH}"
            raise low.refuse(message, node, f"write at most {MAX_WIDTH}", code="limit_exceeded")


def format_method(low: Lowering, node: ast.Call, template: ast.Constant) -> Expression:
    """`"{:.3f}".format(x)`."""
    text = str(template.value)
    check_template(low, text, template)
    args, kwargs = _arguments(low, node.args, node)
    return low.node("format", [Literal(text, low.source(template)), *args], low.source(node), kwargs)


def format_call(low: Lowering, node: ast.Call) -> Expression:
    """`format(x, ".3f")`."""
    spec = node.args[1] if len(node.args) == 2 else None
    plain = spec is None or (isinstance(spec, ast.Constant) and isinstance(spec.value, str))
    if not 1 <= len(node.args) <= 2 or node.keywords or not plain:
        raise low.refuse("format takes a value and a text here", node, 'write format(x, ".3f") or an f-string')
    text = str(spec.value) if isinstance(spec, ast.Constant) else ""
    if "{" in text or "}" in text:
        raise low.refuse("braces cannot stand in a format spec here", node, 'write format(x, ".3f") or an f-string')
    _check_widths(low, text, node)
    source = low.source(node)
    args, _ = _arguments(low, node.args[:1], node)
    return low.node("format", [Literal(f"{{:{text}}}", source), *args], source)


def _arguments(low: Lowering, nodes: list[ast.expr], call: ast.Call) -> tuple[list[Expression], dict[str, Expression]]:
    """The values of a call's arguments."""

    def part(node: ast.expr) -> Callable[[], Expression]:
        if isinstance(node, ast.Starred):
            inner = node.value
            return lambda: Star(low.reference(inner), low.source(node))
        return lambda: low.expression(node)

    values = low.in_order([part(one) for one in (*nodes, *(keyword.value for keyword in call.keywords))])
    named = [keyword.arg or "" for keyword in call.keywords]
    return values[: len(nodes)], dict(zip(named, values[len(nodes) :], strict=True))


def check_template(low: Lowering, text: str, node: ast.AST, depth: int = 0) -> None:
    """Raise Refusal for a template of `str.format` with a field that is more than empty, a number or a name."""
    try:
        pieces = list(Formatter().parse(text))
    except ValueError as error:
        raise low.refuse(f"the text is no template: {error}", node, "write {{ and }} for braces") from None
    for _, field, spec, _ in pieces:
        if field is None:
            continue
        if not _FIELD.fullmatch(field):
            raise low.refuse(f"'{{{field[:64]}}}' is not understood here", node, _PLAIN_HINT)
        if depth > 1:
            raise low.refuse("a field in a field in a field is not understood here", node, _PLAIN_HINT)
        _check_widths(low, re.sub(r"\{[^{}]*\}", "", spec or ""), node)
        check_template(low, spec or "", node, depth + 1)
