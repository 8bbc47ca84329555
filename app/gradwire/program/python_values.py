"""Literals and tensors as Python's syntax, exact to the bit."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from gradwire.program.documents import type_names

# dtypes whose numbers `torch.tensor` reads exactly from Python's.
_BY_NUMBER = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def path(dotted: str) -> ast.expr:
    """`torch.nn.functional.relu`."""
    root, *steps = dotted.split(".")
    found: ast.expr = ast.Name(root, ast.Load())
    for step in steps:
        found = ast.Attribute(found, step, ast.Load())
    return found


def call(function: str | ast.expr, args: Iterable[ast.expr], kwargs: Mapping[str, ast.expr] | None = None) -> ast.Call:
    """`function(args, **kwargs)`."""
    keywords = [ast.keyword(name, value) for name, value in (kwargs or {}).items()]
    return ast.Call(path(function) if isinstance(function, str) else function, list(args), keywords)


def literal(value: Any, *, numpy: bool = False) -> ast.expr:
    """A literal; `numpy`: where a dtype is NumPy's."""
    if isinstance(value, bool) or value is None or value is ... or isinstance(value, str):
        return ast.Constant(value)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, complex):
        if math.copysign(1.0, value.real) > 0 and value.real == 0 and math.isfinite(value.imag) and value.imag >= 0:
            return ast.Constant(complex(0.0, value.imag))
        return call("complex", [_number(value.real), _number(value.imag)])
    if isinstance(value, torch.dtype):
        name = str(value).removeprefix("torch.")
        return path(f"np.{np.dtype(name).name}_" if name == "bool" else f"np.{name}") if numpy else path(str(value))
    if isinstance(value, torch.device):
        return call("torch.device", [ast.Constant(str(value))])
    if isinstance(value, type):
        return path(function_path(type_names()[value]))
    if isinstance(value, (torch.layout, torch.memory_format)):
        return path(str(value))
    raise TypeError(f"a {type(value).__name__} is no literal")


def function_path(name: str) -> str:
    """How Python names a function of the registry: `torch.nn.functional.relu`, `np.add`, `len`, `math.sqrt`."""
    if name.startswith("builtins."):
        return name.removeprefix("builtins.")
    if name.startswith("numpy."):
        last = name.removeprefix("numpy.")
        return f"np.{last}_" if last == "bool" else f"np.{last}"
    if name == "print" or name.startswith(("math.", "functools.", "operator.", "torch.")):
        return name
    return f"torch.{name}"


def _number(value: float) -> ast.expr:
    if isinstance(value, float) and not math.isfinite(value):
        word = path("torch.nan" if math.isnan(value) else "torch.inf")
        return ast.UnaryOp(ast.USub(), word) if math.copysign(1.0, value) < 0 else word
    if math.copysign(1.0, value) < 0:
        return ast.UnaryOp(ast.USub(), ast.Constant(-value))
    return ast.Constant(value)


def tensor(value: torch.Tensor, *, requires_grad: bool = False) -> ast.expr:
    """`torch.tensor([[1.0, 2.0]], requires_grad=True)`, of the same bits."""
    value = value.detach().cpu()
    if value.is_complex():
        made: ast.expr = call("torch.view_as_complex", [tensor(torch.view_as_real(value.resolve_conj()))])
    elif _by_number(value):
        return _of_numbers(value, requires_grad)
    else:
        words = _of_numbers(value.contiguous().view(_WORDS[value.itemsize]), False)
        made = call(ast.Attribute(words, "view", ast.Load()), [path(str(value.dtype))])
    return call(ast.Attribute(made, "requires_grad_", ast.Load()), []) if requires_grad else made


def _by_number(value: torch.Tensor) -> bool:
    """Whether the numbers alone make the tensor: no NaN but the usual one, no dtype that only bits can fill."""
    if value.dtype in (torch.bool, *_WORDS.values(), torch.int8):
        return True
    if value.dtype not in _BY_NUMBER:
        return False
    flat = value.reshape(-1).contiguous()
    bits = flat.view(_WORDS[value.itemsize])
    usual = torch.tensor(math.nan, dtype=value.dtype).view(_WORDS[value.itemsize])
    return bool((bits[flat.isnan()] == usual).all())


def _of_numbers(value: torch.Tensor, requires_grad: bool) -> ast.expr:
    kwargs: dict[str, ast.expr] = {}
    if value.dtype is not torch.tensor(value.reshape(-1)[:1].tolist()).dtype or not value.numel():
        kwargs["dtype"] = path(str(value.dtype))
    if requires_grad:
        kwargs["requires_grad"] = ast.Constant(True)
    if value.numel() == 0 and value.dim() != 1:
        sizes = ast.List([ast.Constant(size) for size in value.shape], ast.Load())
        return call("torch.zeros", [sizes], kwargs)
    return call("torch.tensor", [_nested(value.tolist(), value.dtype is torch.float32)], kwargs)


def _nested(value: Any, single: bool) -> ast.expr:
    if isinstance(value, list):
        return ast.List([_nested(one, single) for one in value], ast.Load())
    if single and isinstance(value, float) and math.isfinite(value):
        short = float(str(np.float32(value)))
        value = short if np.float32(short) == np.float32(value) else value
    return literal(value)
