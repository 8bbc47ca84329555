"""Names that are no variables: what `torch.add`, `math.pi` or `len` become, and what to say of unknown ones."""

from __future__ import annotations

import ast

import torch

from gradwire.engine import references
from gradwire.engine.graph import Expression, Literal, NamedFunction
from gradwire.engine.language import names as language
from gradwire.engine.ops.registry import registry
from gradwire.findings import Source
from gradwire.program import names, refused
from gradwire.program.lowering import Lowering

# Comparing a word with all names takes time, so only so many unknown names get suggestions.
_MOST_SUGGESTIONS = 10
_CLASSES = "there are no modules with weights: keep them in tensors and call torch.nn.functional"
_DEVICE = "leave it out: the run has a device of its own, the request's `device`"
_WHICH_DEVICE = 'write device = "cuda" if torch.cuda.is_available() else "cpu"'
_SEED = "torch.manual_seed(…) seeds every device"
_HINTS = {
    "torch.optim": "write the step yourself: with torch.no_grad(): w -= lr * w.grad",
    "torch.utils": "loop over tensors: for start in range(0, len(x), 32): …",
    "torch.cuda.manual_seed": _SEED,
    "torch.cuda.manual_seed_all": _SEED,
    "torch.cuda": _DEVICE,
    "torch.mps": _DEVICE,
    "torch.accelerator": _WHICH_DEVICE,
    "torch.backends": f"leave it out; {_WHICH_DEVICE}",
    "torch.set_printoptions": 'format the numbers: f"{x.item():.2f}"',
    "torch.set_default_dtype": "give the dtype where a tensor is made: torch.ones(2, dtype=torch.float64)",
    "torch.set_default_device": _DEVICE,
    "torch.set_rng_state": "start anew with torch.manual_seed(…), or draw from a torch.Generator() of its own",
    "torch.seed": _SEED,
    "torch.compile": "call the function itself: nothing is compiled here",
    "torch.jit": "call the function itself: nothing is compiled here",
    "torch.autograd.gradcheck": "POST /v1/autograd/gradcheck does it",
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
        return "write type(x), or the name as a text"
    if name == "__version__":
        return "GET /v1/server names the versions"
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
        given = "False" if full.endswith("set_grad_enabled") else ""
        hint = f"write with {full}({given}): …"
        low.report("invalid_program", f"{full} stands behind with only", source, hint=hint)
    elif isinstance(meaning, names.Left):
        low.report("excluded_op", f"{full} cannot be used: {meaning.reason}", source, got=full, hint=hint_of(full))
    elif meaning is None:
        unknown(low, full, source)
    return Literal(None, source)


def unknown(low: Lowering, full: str, source: Source) -> None:
    """Report a name that a module does not have."""
    module, _, last = full.rpartition(".")
    if names.find(full.partition(".")[0]) is None:
        return  # its import is reported
    hint = hint_of(full)
    if hint is None and registry().find(f"Tensor.{last}") is not None and module == "torch":
        hint = f"it is a method: x.{last}(…)"
    low.report(
        "unknown_op", f"{module[:128]} has no '{last[:64]}' here", source, got=full, hint=hint or _near(low, full)
    )


def hint_of(full: str) -> str | None:
    """What to write in place of the full name of something that is not here."""
    for prefix, hint in _HINTS.items():
        if full == prefix or full.startswith(prefix + "."):
            return hint
    last = full.removeprefix("torch.nn.")
    return _class_hint(last) if full.startswith("torch.nn.") and last[:1].isupper() else None


def _class_hint(name: str) -> str:
    """What to call in place of a module of torch.nn: `cross_entropy` for `CrossEntropyLoss`."""
    word = name.lower()
    same = (one for one in dir(torch.nn.functional) if one.replace("_", "") in (word, word.removesuffix("loss")))
    found = next((one for one in same if one[0] != "_" and one.islower()), None)
    if found is None:
        return _CLASSES
    return f"there are no modules: keep weights in tensors, and call torch.nn.functional.{found}(…)"


def _near(low: Lowering, full: str) -> str:
    if full.startswith("math."):
        near = references.nearest(full, [name for name in language.names() if name.startswith("math.")])
        return f"did you mean {near}?" if near is not None else "torch and numpy have more functions"
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


def unknown_root(low: Lowering, node: ast.expr) -> bool:
    """Whether `node` begins with a name that nothing has, which is enough to tell of it: `toch.ones(2)`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name) or node.id in names.BUILTINS:
        return False
    return low.scope.variable(node.id) is None and low.scope.alias(node.id) is None


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
    for module in ("torch", "torch.func", "torch.nn.functional", "math", "numpy"):
        if names.find(f"{module}.{name}") is not None:
            return f"did you mean {module}.{name}?"
    if name in refused.IMPORTS:
        return refused.IMPORTS[name]
    return "assign it first, or send it as an input"
