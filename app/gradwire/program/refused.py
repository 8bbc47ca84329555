"""The parts of Python that a program does without, each with what to write instead.

What stands neither here nor among what is lowered does not exist in the installed Python; a test holds both to `ast`.
"""

from __future__ import annotations

import ast

_FUNCTIONS = "write functions with def, and keep values in variables, lists or dicts"
_STATE = "give the value back with return, and assign it where the function is called"
_CHECK = "ask with if, or let the error end the run"
_LIST = "write a list: [… for … in …]"
_ASYNC = "everything here runs in order: leave out async and await"
_TYPES = "types are not checked here: leave them out"
_MATCH = "write if and elif"
_NO_FILES = "a program reads no files: send tensors as inputs"

# Class of the syntax tree → (what it is called, what to write instead).
REFUSED: dict[str, tuple[str, str]] = {
    "AsyncFor": ("async for", _ASYNC),
    "AsyncFunctionDef": ("async def", _ASYNC),
    "AsyncWith": ("async with", _ASYNC),
    "Await": ("await", _ASYNC),
    "ClassDef": ("a class", _FUNCTIONS),
    "Global": ("global", _STATE),
    "Interpolation": ("a template string", "write an f-string"),
    "Match": ("match", _MATCH),
    "match_case": ("match", _MATCH),
    "MatchAs": ("match", _MATCH),
    "MatchClass": ("match", _MATCH),
    "MatchMapping": ("match", _MATCH),
    "MatchOr": ("match", _MATCH),
    "MatchSequence": ("match", _MATCH),
    "MatchSingleton": ("match", _MATCH),
    "MatchStar": ("match", _MATCH),
    "MatchValue": ("match", _MATCH),
    "NamedExpr": (":=", "assign on a line of its own, ahead of this one"),
    "Nonlocal": ("nonlocal", _STATE),
    "ParamSpec": ("a type parameter", _TYPES),
    "Raise": ("raise", "write assert condition, message"),
    "Set": ("a set", "write a list or a dict"),
    "SetComp": ("a set comprehension", _LIST),
    "TemplateStr": ("a template string", "write an f-string"),
    "Try": ("try", _CHECK),
    "TryStar": ("try", _CHECK),
    "ExceptHandler": ("except", _CHECK),
    "TypeAlias": ("a type alias", _TYPES),
    "TypeVar": ("a type parameter", _TYPES),
    "TypeVarTuple": ("a type parameter", _TYPES),
    "Yield": ("yield", "collect the values in a list and return it"),
    "YieldFrom": ("yield from", "collect the values in a list and return it"),
}

# Python's builtins that a program is likely to try, and what to write instead.
BUILTINS: dict[str, str] = {
    "open": "a program reads and writes no files: send tensors as inputs",
    "input": "a program asks nobody: send values as inputs",
    "exec": "write the statements themselves",
    "eval": "write the expression itself",
    "compile": "write the statements themselves",
    "getattr": "write the attribute: x.name",
    "setattr": "write the assignment: x.grad = value",
    "delattr": "write x.grad = None",
    "hasattr": "ask for the type: isinstance(x, torch.Tensor)",
    "globals": "write the name itself",
    "locals": "write the name itself",
    "vars": "write the name itself",
    "dir": "GET /v1/ops lists what can be called",
    "help": "GET /v1/ops/{name} describes an op",
    "set": "write sorted(set(xs)) or len(set(xs)), or keep the items as the keys of a dict",
    "frozenset": "write a tuple",
    "filter": "write a comprehension with if",
    "iter": "write a for loop",
    "next": "write a for loop with break, or an index",
    "slice": "write the slice: x[start:stop:step]",
    "bytes": "write a list of integers",
    "bytearray": "write a list of integers",
    "object": _FUNCTIONS,
    "super": _FUNCTIONS,
    "property": _FUNCTIONS,
    "exit": "the program ends at its last line",
    "quit": "the program ends at its last line",
    "id": "compare with is",
    "hash": "use the value itself as a key",
    "callable": "call it",
    "ord": "write the number",
    "chr": "write the character",
    "hex": 'write f"{n:x}"',
    "bin": 'write f"{n:b}"',
    "oct": 'write f"{n:o}"',
    "ascii": 'write f"{x!a}"',
    "breakpoint": "print the values",
    "memoryview": "use a NumPy array",
}


# Methods and attributes that values have in PyTorch and not here, and what to write instead.
MEMBERS: dict[str, str] = {
    "cuda": "write x.to(device), or leave it out: the run has a device of its own, the request's `device`",
    "data_ptr": "y is x, x.stride() and a change in place show what is shared",
    "storage": "x.stride() and x.storage_offset() say how it is laid out",
    "untyped_storage": "x.stride() and x.storage_offset() say how it is laid out",
    "register_hook": "x.retain_grad() keeps the gradient of a value on the way",
    "apply_": "write it with operators, torch.where or torch.func.vmap",
    "next_functions": "the reply shows the whole graph where the request has `tape`",
    "retains_grad": "print x.grad: it is None where no gradient was kept",
    "fromkeys": "write {key: value for key in keys}",
}

# Modules that scripts import, and what to write instead.
IMPORTS: dict[str, str] = {
    "typing": "leave the import out: annotations are not read",
    "random": "draw with torch.rand and its kind after torch.manual_seed, or with np.random",
    "time": "leave it out: the reply's timing_ms says how long the run took",
    "matplotlib": "print the values, or read them from the reply",
    "collections": "write a dict or a list",
    "itertools": "write loops, zip, torch.combinations or torch.cartesian_prod",
    "copy": "write x.clone(), or xs.copy() for a list or dict",
    "operator": "write the operator, or a lambda",
    "tqdm": "loop over the range itself",
    "os": _NO_FILES,
    "sys": "leave it out: print shows, and an assert ends a program",
    "pathlib": _NO_FILES,
    "json": _NO_FILES,
    "pandas": _NO_FILES,
    "torchvision": _NO_FILES,
    "sklearn": "send its arrays as inputs",
    "scipy": "torch.linalg, torch.fft and torch.special have most of it",
    "warnings": "leave it out",
}


def import_hint(module: str) -> str | None:
    """What to write in place of an import of `module` or of a part of it."""
    return IMPORTS.get(module.partition(".")[0])


def description(node: ast.AST) -> tuple[str, str]:
    """What a refused class is called, and what to write instead."""
    name = type(node).__name__
    return REFUSED.get(name, (name, "write it with assignments, calls, loops and functions"))
