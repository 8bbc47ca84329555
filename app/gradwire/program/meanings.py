"""Names that are no variables: what `torch.add`, `math.pi` or `len` become, and what to say of unknown ones."""

from __future__ import annotations

import ast

from gradwire.engine import references
from gradwire.engine.graph import Expression, Literal, NamedFunction
from gradwire.engine.ops.registry import registry
from gradwire.findings import Source
from gradwire.program import names, refused
from gradwire.program.lowering import Lowering

# Comparing a word with all names takes time, so only so many unknown names get suggestions.
_MOST_SUGGESTIONS = 10
_CLASSES = "there are no modules with weights: keep them in tensors and call torch.nn.functional"
_HINTS = {
    "torch.optim": "write the step yourself: with torch.no_grad(): w -= lr * w.grad",
    "torch.utils": "loop over tensors: for start in range(0, len(x), 32): …",
    "torch.cuda": "leave it out: the run has a device of its own, the request's `device`",
    "torch.nn.Module": _CLASSES,
    "torch.nn.Parameter": "write torch.tensor(…, requires_grad=True)",
    "torch.autograd.Variable": "write the tensor itself, with requires_grad=True",
    "torch.autograd.Function": "write the derivative as a function of its own",
}


def dotted(low: Lowering, node: ast.expr) -> str | None:
    """The full name that `node` writes, `torch.nn.functional.relu`; None where it begins with a value."""
    steps: list[str] = []
    while isinstance(node, ast.Attribute):
        check_attribute(low, node)
        steps.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or low.scope.variable(node.id) is not None:
        return None
    root = low.scope.alias(node.id)
    return None if root is None else ".".join([root, *reversed(steps)])


def check_attribute(low: Lowering, node: ast.Attribute) -> None:
    """Raise Refusal for an attribute that is not public."""
    if node.attr.startswith("_"):
        message = f"'{node.attr[:64]}' begins with an underscore: such attributes are not read here"
        raise low.refuse(message, node, _underscore_hint(node.attr))


def _underscore_hint(name: str) -> str:
    if name in ("__class__", "__name__"):
        return "write type(x)"
    if name.startswith("__"):
        return "write the operator or builtin that it stands for"
    return "use the public attributes and methods"


def value_of(low: Lowering, full: str, node: ast.expr | ast.alias) -> Expression:
    """What the full name `full` gives where its value is wanted."""
    meaning = names.find(full)
    source = low.source(node)
    if isinstance(meaning, names.Constant):
        return Literal(meaning.value, source)
    if isinstance(meaning, names.Function):
        return NamedFunction(meaning.op, source) if meaning.value is None else Literal(meaning.value, source)
    return _no_value(low, full, meaning, source)


def _no_value(low: Lowering, full: str, meaning: names.Meaning | None, source: Source) -> Literal:
    """Report a name without a value; the null that stands for it lets the rest be looked at."""
    if isinstance(meaning, names.Module):
        low.report("invalid_program", f"{full} is a module, not a value", source, hint=f"name a function: {full}.…")
    elif isinstance(meaning, names.Context):
        low.report("invalid_program", f"{full} stands behind with only", source, hint=f"write with {full}(): …")
    elif isinstance(meaning, names.Left):
        low.report("excluded_op", f"{full} cannot be used: {meaning.reason}", source, got=full, hint=_hint_of(full))
    elif meaning is None:
        unknown(low, full, source)
    return Literal(None, source)


def unknown(low: Lowering, full: str, source: Source) -> None:
    """Report a name that a module does not have."""
    module, _, last = full.rpartition(".")
    hint = _hint_of(full)
    if hint is None and registry().find(f"Tensor.{last}") is not None and module == "torch":
        hint = f"it is a method: x.{last}(…)"
    low.report(
        "unknown_op", f"{module[:128]} has no '{last[:64]}' here", source, got=full, hint=hint or _near(low, full)
    )


def _hint_of(full: str) -> str | None:
    for prefix, hint in _HINTS.items():
        if full == prefix or full.startswith(prefix + "."):
            return hint
    last = full.removeprefix("torch.nn.")
    return _CLASSES if full.startswith("torch.nn.") and last[:1].isupper() else None


def _near(low: Lowering, full: str) -> str:
    close = registry().nearest(full) if low.suggestions < _MOST_SUGGESTIONS else []
    low.suggestions += 1
    if close:
        return f"did you mean {' or '.join(map(spelled, close))}?"
    return "GET /v1/ops lists every op"


def spelled(op: str) -> str:
    """How a program writes the op `op`: `torch.add`, `x.add_`, `np.ones`."""
    for prefix, written in (("Tensor.", "x."), ("numpy.ndarray.", "x."), ("numpy.", "np."), ("builtins.", "")):
        if op.startswith(prefix):
            return written + op.removeprefix(prefix)
    return op if op.startswith("math.") else f"torch.{op}"


def unknown_name(low: Lowering, name: str, node: ast.Name) -> Literal:
    """Report a name that nothing has, once."""
    source = low.source(node)
    if name in low.reported:
        return Literal(None, source)
    low.reported.add(name)
    if name.startswith("__"):
        hint = "write the lines under it as they are" if name == "__name__" else None
        low.report("invalid_program", f"'{name[:64]}' is not read here", source, hint=hint)
    elif name in refused.BUILTINS:
        low.report("invalid_program", f"{name} is not among the builtins here", source, hint=refused.BUILTINS[name])
    else:
        close = references.nearest(name, low.scope.known())
        hint = f"did you mean {close}?" if close else _import_hint(name)
        low.report("unknown_reference", f"there is no variable called '{name[:64]}'", source, got=name, hint=hint)
    return Literal(None, source)


def _import_hint(name: str) -> str:
    full = f"torch.{name}"
    if names.find(full) is not None:
        return f"did you mean {full}?"
    return "assign it first, or send it as an input"
