"""From the text of a type annotation, in any of the styles that PyTorch uses, to the kinds of value it allows."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

from gradwire.engine.ops.parameters import ANY, ParamType

# What PyTorch's stubs, schemas and annotations call the kinds that a client can send.
_KINDS: dict[str, tuple[str, ...]] = {
    "Tensor": ("Tensor",),
    "Parameter": ("Tensor",),
    "Number": ("Number",),
    "number": ("Number", "complex"),
    "Scalar": ("Number", "complex"),
    "complex": ("complex",),
    "_complex": ("complex",),
    "int": ("int",),
    "_int": ("int",),
    "SymInt": ("int",),
    "IntLikeType": ("int",),
    "float": ("float",),
    "_float": ("float",),
    "SymFloat": ("float",),
    "FloatLikeType": ("float",),
    "bool": ("bool",),
    "_bool": ("bool",),
    "SymBool": ("bool",),
    "BoolLikeType": ("bool",),
    "str": ("str",),
    "dtype": ("dtype",),
    "_dtype": ("dtype",),
    "DType": ("dtype",),
    "ScalarType": ("dtype",),
    "device": ("device",),
    "_device": ("device",),
    "Device": ("device",),
    "DeviceLikeType": ("device", "int"),
    "layout": ("layout",),
    "_layout": ("layout",),
    "Layout": ("layout",),
    "memory_format": ("memory_format",),
    "MemoryFormat": ("memory_format",),
    "Generator": ("Generator",),
    "None": ("None",),
    "NoneType": ("None",),
    "Size": ("int[]",),
    "_size": ("int[]",),
    "_symsize": ("int[]",),
    "DimOrDims": ("int", "int[]", "None"),
    "Dimname": ("Dimname",),
    "ndarray": ("ndarray",),
    "Callable": ("Callable",),
    "EllipsisType": ("Ellipsis",),
    "dict": ("dict",),
    "list": ("Any[]",),
    "tuple": ("Any[]",),
    "GradientEdge": ("GradientEdge",),
    "Storage": ("Storage",),
    "UntypedStorage": ("Storage",),
    "_TensorOrTensors": ("Tensor", "Tensor[]"),
    "_TensorOrTensorsOrGradEdge": ("Tensor", "Tensor[]"),
    "_TensorOrOptionalTensors": ("Tensor", "Tensor[]", "None"),
}
_LISTS = frozenset("List list Sequence Tuple tuple Iterable Collection Size".split())
_BROADCASTING = ("BroadcastingList1", "BroadcastingList2", "BroadcastingList3")


@functools.cache
def parse(text: str) -> ParamType:
    """The kinds that the annotation `text` allows; a name that is not known allows anything."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return ANY
    choices: list[str] = []
    atoms = tuple(dict.fromkeys(_atoms(tree, choices)))
    return ParamType(atoms or ("Any",), tuple(choices))


def _atoms(tree: ast.expr, choices: list[str]) -> Iterator[str]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        yield from _atoms(tree.left, choices)
        yield from _atoms(tree.right, choices)
    elif isinstance(tree, ast.Constant):
        yield from _constant(tree.value, choices)
    elif isinstance(tree, ast.Subscript):
        yield from _subscript(tree, choices)
    else:
        yield from _KINDS.get(_last_name(tree), ("Any",))


def _constant(value: object, choices: list[str]) -> Iterator[str]:
    if value is None:
        yield "None"
    elif isinstance(value, str):  # a forward reference
        yield from _atoms(ast.parse(value, mode="eval").body, choices)
    elif value is not ...:
        yield "Any"


def _subscript(tree: ast.Subscript, choices: list[str]) -> Iterator[str]:
    name = _last_name(tree.value)
    parts = tree.slice.elts if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    inner = [atom for part in parts if name != "Literal" for atom in _atoms(part, choices)]
    if name in ("Optional", "Union"):
        yield from inner
        if name == "Optional":
            yield "None"
    elif name in _LISTS:
        yield from (f"{atom}[]" for atom in inner)
    elif name in _BROADCASTING:
        yield from inner
        yield from (f"{atom}[]" for atom in inner)
    elif name == "Literal":
        words = [part.value for part in parts if isinstance(part, ast.Constant)]
        choices += [word for word in words if isinstance(word, str)]
        yield from dict.fromkeys("str" if isinstance(word, str) else type(word).__name__ for word in words)
    elif name == "Callable":
        yield "Callable"
    elif name in ("Annotated", "Final"):
        yield from inner[:1]
    else:
        yield from _KINDS.get(name, ("Any",))


def _last_name(tree: ast.expr) -> str:
    """`torch.types._int` is `_int`."""
    if isinstance(tree, ast.Attribute):
        return tree.attr
    return tree.id if isinstance(tree, ast.Name) else ""
