"""Assignment in every form: to names, to tuples of them, to items and attributes; augmented; `del`."""

from __future__ import annotations

import ast

from gradwire.engine.graph import Del, Expression, Literal, Ref, Target
from gradwire.engine.special import ASSIGNABLE
from gradwire.findings import Source
from gradwire.program.lowering import Lowering, statement
from gradwire.program.meanings import check_attribute
from gradwire.program.operators import IN_PLACE, choose
from gradwire.program.values import index, read

_DATA_HINT = "under torch.no_grad() write x.copy_(value), or x -= step"


@statement(ast.Assign)
def assign(low: Lowering, node: ast.Assign) -> None:
    """`a = b = value`: the value once, then the targets from left to right."""
    first, *others = node.targets
    if not others:
        assign_value(low, first, node.value)
        return
    value = low.expression(node.value)
    source = low.source(node.value)
    if isinstance(first, ast.Name) and all(isinstance(one, ast.Name) for one in others):
        low.let(_variable(low, first), value, source)
        value = Ref(_variable(low, first), source)
        node_targets = others
    else:
        name, node_targets = low.fresh(), node.targets
        low.let(name, value, source)
        value = Ref(name, source)
    for target in node_targets:
        store(low, target, value, source)


def assign_value(low: Lowering, target: ast.expr, node: ast.expr) -> None:
    """`target = value` with one target."""
    if isinstance(target, ast.Name) and isinstance(node, ast.IfExp):
        choose(low, node, _variable(low, target))
        return
    store(low, target, low.expression(node), low.source(node))


def store(low: Lowering, target: ast.expr, value: Expression, source: Source) -> None:
    """Give `value`, which is worked out, to `target`."""
    if isinstance(target, ast.Name):
        low.let(_variable(low, target), value, source)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(low, target, value, source)
    elif isinstance(target, ast.Subscript):
        kept, container, place = low.in_order(
            [lambda: value, lambda: low.operand(target.value), lambda: index(low, target.slice)]
        )
        low.act("setitem", [container, place, kept], low.source(target))
    elif isinstance(target, ast.Attribute):
        _set_attribute(low, target, value)
    else:
        raise low.refuse("nothing can be assigned here", target, "assign to a name, an item or .grad")


def _variable(low: Lowering, target: ast.Name) -> str:
    """What the variable is called in the records."""
    if target.id.startswith("__"):
        raise low.refuse(f"'{target.id[:64]}' is no name for a variable here", target, "leave out the underscores")
    return low.scope.variable(target.id) or target.id


def _place(low: Lowering, target: ast.Subscript) -> tuple[Expression, Expression]:
    container, place = low.in_order([lambda: low.operand(target.value), lambda: index(low, target.slice)])
    return container, place


def _set_attribute(low: Lowering, target: ast.Attribute, value: Expression) -> None:
    check_attribute(low, target)
    if target.attr not in ASSIGNABLE:
        hint = _DATA_HINT if target.attr == "data" else f"only {' and '.join(ASSIGNABLE)} of a tensor can be assigned"
        raise low.refuse(f"the attribute '{target.attr[:64]}' cannot be assigned", target, hint)
    source = low.source(target)
    if target.attr == "requires_grad" and not isinstance(value, (Ref, Literal)):
        value = low.bind(value, source)
    new, owner = low.in_order([lambda: value, lambda: low.operand(target.value)])
    low.act("setattr", [owner, Literal(target.attr, source), new], source)


def _unpack(low: Lowering, target: ast.Tuple | ast.List, value: Expression, source: Source) -> None:
    """All parts are taken out first; items and attributes are set behind that, from left to right."""
    _check_stars(low, target)
    if _only_names(target):
        low.let(names_in(low, target), value, source)
        return
    later: list[tuple[ast.expr, str]] = []
    low.let(_temporaries(low, target, later), value, source)
    for part, name in later:
        store(low, part, Ref(name, source), source)


def _check_stars(low: Lowering, target: ast.Tuple | ast.List) -> None:
    stars = [one for one in target.elts if isinstance(one, ast.Starred)]
    if len(stars) > 1:
        raise low.refuse("a second star cannot stand here", stars[1], "let one name take what is left over")
    for one in target.elts:
        inner = one.value if isinstance(one, ast.Starred) else one
        if isinstance(inner, (ast.Tuple, ast.List)):
            _check_stars(low, inner)


def _only_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_only_names, target.elts))
    return isinstance(target.value if isinstance(target, ast.Starred) else target, ast.Name)


def names_in(low: Lowering, target: ast.expr) -> Target:
    """A target of names as the records have it."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple([names_in(low, one) for one in target.elts])
    if isinstance(target, ast.Starred) and isinstance(target.value, ast.Name):
        return f"*{_variable(low, target.value)}"
    if isinstance(target, ast.Name):
        return _variable(low, target)
    raise low.refuse("nothing can be assigned here", target, "assign to names")


def _temporaries(low: Lowering, target: ast.expr, later: list[tuple[ast.expr, str]]) -> Target:
    """The same shape with temporaries; `later` says what each is for."""
    if isinstance(target, (ast.Tuple, ast.List)):
        return tuple([_temporaries(low, one, later) for one in target.elts])
    name = low.fresh()
    if isinstance(target, ast.Starred):
        later.append((target.value, name))
        return f"*{name}"
    later.append((target, name))
    return name


def loop_target(low: Lowering, target: ast.expr) -> Target:
    """What a loop binds at each turn; called at the head of its body, where items and attributes are set."""
    if isinstance(target, (ast.Tuple, ast.List)):
        _check_stars(low, target)
    if _only_names(target):
        return names_in(low, target)
    later: list[tuple[ast.expr, str]] = []
    names = _temporaries(low, target, later)
    for part, name in later:
        store(low, part, Ref(name, low.source(part)), low.source(part))
    return names


@statement(ast.AnnAssign)
def annotated(low: Lowering, node: ast.AnnAssign) -> None:
    """`x: torch.Tensor = value`: the annotation says nothing here."""
    check_annotation(low, node.annotation)
    if node.value is not None:
        assign_value(low, node.target, node.value)


def check_annotation(low: Lowering, node: ast.expr | None) -> None:
    """Raise Refusal for an annotation that is more than names."""
    allowed = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp, ast.expr_context)
    for one in ast.walk(node) if node is not None else ():
        if not isinstance(one, (*allowed, ast.BitOr)):
            raise low.refuse("this annotation is not understood here", node or one, "leave it out")
        if isinstance(one, ast.Attribute):
            check_attribute(low, one)


@statement(ast.AugAssign)
def augmented(low: Lowering, node: ast.AugAssign) -> None:
    """`x += value`: in place where the value's type does that."""
    op, target = f"operator.{IN_PLACE[type(node.op)]}", node.target
    source = low.source(node)
    if isinstance(target, ast.Name):
        old: Expression = Ref(_variable(low, target), low.source(target))
        if low.scope.variable(target.id) is None:
            old = low.expression(target)
        low.let(_variable(low, target), low.node(op, [old, low.operand(node.value)], source), source)
    elif isinstance(target, ast.Subscript):
        container, place = (_shared(low, one) for one in _place(low, target))
        item = low.node("getitem", [container, place], low.source(target))
        new = low.node(op, [item, low.operand(node.value)], source)
        low.act("setitem", [container, place, new], low.source(target))
    else:
        _augmented_attribute(low, node, target, op)


def _augmented_attribute(low: Lowering, node: ast.AugAssign, target: ast.Attribute, op: str) -> None:
    check_attribute(low, target)
    source = low.source(node)
    owner = _shared(low, low.reference(target.value))
    if not isinstance(owner, Ref):
        raise low.refuse("nothing can be assigned here", target, "assign to a name, an item or .grad")
    value = low.bind(read(low, owner, target), source)
    new = low.node(op, [value, low.operand(node.value)], source)
    if target.attr == "data":
        return  # what is changed is the same memory, so there is nothing to assign
    if target.attr not in ASSIGNABLE:
        raise low.refuse(f"the attribute '{target.attr[:64]}' cannot be assigned", target, "assign to a name")
    low.act("setattr", [owner, Literal(target.attr, source), new], source)


def _shared(low: Lowering, value: Expression) -> Expression:
    """`value` for reading it twice, with the same outcome."""
    plain = isinstance(value, Literal) or (isinstance(value, Ref) and "." not in value.text)
    return value if plain else low.bind(value, value.source)


@statement(ast.Delete)
def delete(low: Lowering, node: ast.Delete) -> None:
    """`del x, y`."""
    names: list[str] = []
    for target in _flat(node.targets):
        if not isinstance(target, ast.Name):
            hint = "write x.grad = None" if isinstance(target, ast.Attribute) else "write d.pop(key)"
            raise low.refuse("only names can be deleted", target, hint)
        names.append(_variable(low, target))
    low.emit(Del(index=0, source=low.source(node), names=names))


def _flat(targets: list[ast.expr]) -> list[ast.expr]:
    found: list[ast.expr] = []
    for target in targets:
        found += _flat(target.elts) if isinstance(target, (ast.Tuple, ast.List)) else [target]
    return found
