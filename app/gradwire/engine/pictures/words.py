"""Nodes in a few words, as a person would write them in Python: `z = y * 3`, `for i in range(5)`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from gradwire.engine.graph import (
    Bind,
    Break,
    Callee,
    Collection,
    Continue,
    Def,
    Del,
    Dictionary,
    Expression,
    Fail,
    For,
    If,
    Literal,
    NamedFunction,
    Node,
    Numbers,
    Ref,
    Return,
    SliceOf,
    Star,
    Statement,
    Target,
    Transform,
    While,
    With,
)

_INFIX = {
    **dict(zip("add sub mul truediv floordiv mod pow matmul".split(), "+ - * / // % ** @".split(), strict=True)),
    **dict(zip("and or xor lshift rshift".split(), "& | ^ << >>".split(), strict=True)),
    **dict(zip("lt le gt ge eq ne is".split(), "< <= > >= == != is".split(), strict=True)),
    "is_not": "is not",
}
_UNARY = {"neg": "-", "pos": "+", "invert": "~", "not": "not "}
# What a name that program text did not have is shown as.
HIDDEN = "·"
_MOST_ITEMS = 4
_DEEPEST = 3
_LONGEST = 200


def words(node: Statement, say: Callable[[Expression], str] | None = None) -> str:
    """A node in a few words, of bounded length. `say` gives the text of what a loop, a branch or a return reads."""
    if isinstance(node, Node):
        return _bound(node, _call(node))
    if isinstance(node, Bind):
        return _bound(node, text(node.value))
    return _statement(node, say or text)[:_LONGEST]


def _statement(node: Statement, say: Callable[[Expression], str]) -> str:
    if isinstance(node, For):
        return f"for {target_text(node.target)} in {say(node.over)}"
    if isinstance(node, If):
        return f"if {say(node.test)}"
    if isinstance(node, While):
        return f"while {say(node.test)}"
    if isinstance(node, With):
        return f"with {node.of[:64]}({', '.join(map(text, node.args))})"
    if isinstance(node, Def):
        return f"def {shown(node.name)}({', '.join(one.name[:24] for one in node.params[:8])})"
    if isinstance(node, Return):
        return f"return {say(node.value)}"
    if isinstance(node, Del):
        return f"del {', '.join(name[:24] for name in node.names[:8])}"
    if isinstance(node, Fail):
        return f"fail {text(node.value)}"
    assert isinstance(node, (Break, Continue))
    return type(node).__name__.lower()


def _bound(node: Node | Bind, value: str) -> str:
    """`value` with the name that it gets, where that is one a person gave."""
    name = target_text(node.target) if node.target is not None else shown(node.id) if node.id is not None else HIDDEN
    bare = name == HIDDEN or (value.startswith(f"{name} ") and _is_augmented(node))
    return (value if bare else f"{name} = {value}")[:_LONGEST]


def _is_augmented(node: Node | Bind) -> bool:
    """Whether it is `x += y` and its kind."""
    last = node.op.rpartition(".")[2].rstrip("_") if isinstance(node, Node) else ""
    return last[:1] == "i" and last[1:] in _INFIX


def target_text(target: Target) -> str:
    """What `let` binds."""
    if isinstance(target, str):
        return shown(target)
    return ", ".join(f"({target_text(one)})" if isinstance(one, tuple) else target_text(one) for one in target[:8])


def shown(name: str) -> str:
    """A name as the program has it: the compiler's own begin with a percent sign, or end with one and a number."""
    if name.startswith("%"):
        return HIDDEN
    word, _, number = name.rpartition("%")
    return (word if word and number.isdecimal() else name)[:64]


def _call(node: Node) -> str:
    op = node.op.removeprefix("torch.")[:64]
    last = op.removeprefix("operator.").rstrip("_")
    args = node.args
    if op.startswith("operator.") and not node.kwargs:
        if last in _INFIX and len(args) == 2:
            return f"{text(args[0])} {_INFIX[last]} {text(args[1])}"
        if last in _UNARY and len(args) == 1:
            return f"{_UNARY[last]}{text(args[0])}"
        if last[0] == "i" and last[1:] in _INFIX and len(args) == 2:
            return f"{text(args[0])} {_INFIX[last[1:]]}= {text(args[1])}"
    if last == "getitem" and len(args) == 2:
        return f"{text(args[0])}[{_index(args[1])}]"
    if last == "setitem" and len(args) == 3:
        return f"{text(args[0])}[{_index(args[1])}] = {text(args[2])}"
    if last == "setattr" and len(args) == 3:
        return f"{text(args[0])}.{_index(args[1])} = {text(args[2])}"
    if node.of is not None:
        return _applied(node, op)
    if op.startswith(".") and args:
        return f"{text(args[0])}{op}({_arguments(args[1:], node)})"
    return f"{op.removeprefix('builtins.')}({_arguments(args, node)})"


def _applied(node: Node, op: str) -> str:
    """`f(x)`, `func.grad(f)(x)`."""
    roles = node.of if isinstance(node.of, dict) else {"": node.of}
    names = ", ".join(_callee(one) for one in roles.values() if one is not None)
    function = names if op == "call" else f"{op}({names})"
    return f"{function}({_arguments(node.args, node)})" if node.args or op == "call" else function


def _callee(of: Any) -> str:
    inner: Callee = of
    if isinstance(inner, Transform):
        return f"{inner.op[:64]}({_callee(inner.of)})"
    return shown(inner.text) if isinstance(inner, Ref) else inner.name[:64]


def _arguments(args: Sequence[Expression], node: Node) -> str:
    parts = [text(one) for one in args[:_MOST_ITEMS]]
    parts += [f"{name[:24]}={text(one)}" for name, one in list(node.kwargs.items())[:_MOST_ITEMS]]
    more = len(args) > _MOST_ITEMS or len(node.kwargs) > _MOST_ITEMS
    return ", ".join(parts + ["…"] * more)


def _index(index: Expression) -> str:
    """An index or a name as Python writes it, without quotes."""
    if isinstance(index, Literal) and isinstance(index.value, str):
        return index.value[:40]
    if isinstance(index, Numbers) and index.shape == (1,):
        return str(index.tolist()[0])
    if isinstance(index, Collection):
        return ", ".join(text(one) for one in index.items[:_MOST_ITEMS])
    return text(index)


def text(expression: Expression, depth: int = 0) -> str:
    """An expression as Python would have it, big ones shortened."""
    if isinstance(expression, Ref):
        return _reference(expression.text)
    if isinstance(expression, Literal):
        return _literal(expression.value)
    if isinstance(expression, NamedFunction):
        return expression.name.removeprefix("builtins.")[:64]
    if isinstance(expression, Star):
        return f"*{text(expression.value, depth + 1)}"
    if depth >= _DEEPEST:
        return "…"
    if isinstance(expression, Collection):
        items = [text(one, depth + 1) for one in expression.items[:_MOST_ITEMS]]
        items += ["…"] * (len(expression.items) > _MOST_ITEMS)
        return f"[{', '.join(items)}]" if expression.kind == "list" else f"({', '.join(items)})"
    if isinstance(expression, SliceOf):
        return _slice(expression, depth)
    if isinstance(expression, Numbers):
        return _numbers(expression)
    return "{…}" if isinstance(expression, Dictionary) else "tensor"


def _reference(name: str) -> str:
    if not name.startswith("%"):
        return shown(name)
    return HIDDEN + "".join(f".{step}" for step in name.split(".")[1:])[:32]


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return repr(value[:24])
    if isinstance(value, int) and abs(value) >= 2**64:
        return "…"
    return str(value).removeprefix("torch.")[:40]


def _numbers(numbers: Numbers) -> str:
    """A short list of numbers as it is, else its shape."""
    if math.prod(numbers.shape) <= _MOST_ITEMS:
        return str(numbers.tolist())
    return f"[… {'×'.join(map(str, numbers.shape))}]"


def _slice(index: SliceOf, depth: int) -> str:
    start, stop, step = (
        "" if isinstance(one, Literal) and one.value is None else text(one, depth + 1)
        for one in (index.start, index.stop, index.step)
    )
    return f"{start}:{stop}" + (f":{step}" if step else "")
