"""Examples of what a program may and may not hold, for the page that says so; tests hold them to the allow-lists."""

from __future__ import annotations

from typing import Final

# The names that the examples read.
INPUTS: Final = ("a", "b", "d", "f", "i", "k", "loss", "n", "t", "w", "x", "xs", "y")

# Class of the syntax tree → (what it is called, an example of it).
LOWERED: Final[dict[str, tuple[str, str]]] = {
    "Assign": ("assignment: to names, tuples, items, attributes", "first, *rest = xs\nx[0] = 1.0\nw.grad = None"),
    "AugAssign": ("augmented assignment: in place, as in PyTorch", "w -= 0.1 * w.grad"),
    "AnnAssign": ("assignment with an annotation, which says nothing here", "total: torch.Tensor = x + y"),
    "Delete": ("del of names", "t = x\ndel t"),
    "Expr": ("expression on its own", "loss.backward()"),
    "If": ("if, elif, else", "if n > 0: t = x\nelse: t = y"),
    "While": ("while, with else", "while loss > 1e-3: loss = loss / 2"),
    "For": ("for, with else", "for k, x in enumerate(xs): print(k, x)"),
    "Break": ("break", "while True: break"),
    "Continue": ("continue", "for x in xs: continue"),
    "With": ("with a context of autograd", "with torch.no_grad(): w -= 0.1 * w.grad"),
    "FunctionDef": ("def, with defaults and closures", "def g(x, *, k=2): return x ** k"),
    "Return": ("return", "def g(x): return x, -x"),
    "Assert": ("assert", "assert n > 0, 'n is positive'"),
    "Pass": ("pass", "pass"),
    "Import": ("import", "import torch.nn.functional as F"),
    "ImportFrom": ("from … import", "from torch.func import grad, vmap"),
    "Name": ("name", "x"),
    "Constant": ("number, text, boolean, None, ...", "k = 1e-3"),
    "Attribute": ("attribute", "x.grad, x.shape, torch.float64"),
    "Call": (
        "call: of functions, methods, values; with keywords and stars",
        "torch.add(x, y, alpha=2)\nx.sum()\nf(*xs)",
    ),
    "Starred": ("star, in calls, displays and targets", "torch.stack([*xs, x])"),
    "BinOp": ("arithmetic", "x @ y + 1"),
    "UnaryOp": ("sign, ~, not", "not -x > 0"),
    "Compare": ("comparison, also chained", "0 < n < 10"),
    "BoolOp": ("and, or", "n > 0 and loss < 1"),
    "IfExp": ("a if test else b", "t = x if n > 0 else y"),
    "List": ("list", "[x, y, *xs]"),
    "Tuple": ("tuple", "(x, y)"),
    "Dict": ("dict", "{'w': w, 'n': n}"),
    "Subscript": ("item", "x[i, :], d['w']"),
    "Slice": ("slice", "x[1:, ::2]"),
    "ListComp": ("list comprehension", "[x * x for x in xs if x > 0]"),
    "DictComp": ("dict comprehension", "{k: x for k, x in xs}"),
    "GeneratorExp": ("generator, as the only argument of what takes it whole", "sum(x * x for x in xs)"),
    "Lambda": ("lambda", "torch.func.vmap(lambda x: x * x)(xs)"),
    "JoinedStr": ("f-string", "f'loss {loss}'"),
    "FormattedValue": ("field of an f-string", "f'{loss.item():>10.3f}'"),
}

# Forms of what is otherwise understood, and names that programs often have, that are refused.
BEYOND: Final = (
    "@torch.no_grad()\ndef g(x): return x",
    "def g(*xs): return xs",
    "f(x, **d)",
    "{**d, 'n': n}",
    "squares = (x * x for x in xs)",
    "x.data = y",
    "del d['w']",
    "b'abc'",
    "x.__class__",
    "import os",
    "torch.save(x, 'x.pt')",
    "torch.optim.SGD([w], lr=0.1)",
    "model = torch.nn.Linear(2, 1)",
    "loader = torch.utils.data.DataLoader(xs)",
    "torch.set_printoptions(precision=2)",
    "if __name__ == '__main__': pass",
)
