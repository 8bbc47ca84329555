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
    "set": "write a list or a dict",
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


def description(node: ast.AST) -> tuple[str, str]:
    """What a refused class is called, and what to write instead."""
    name = type(node).__name__
    return REFUSED.get(name, (name, "write it with assignments, calls, loops and functions"))
