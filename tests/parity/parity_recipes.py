"""From an entry of PyTorch's op_db to the public call that a user would write for one of its samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity_calls import Call, Read

# Entries of op_db that no public function stands for, and why.
NOT_PUBLIC = {
    "_batch_norm_with_update": "private: a function of the dispatcher",
    "_chunk_cat": "private: begins with an underscore",
    "_native_batch_norm_legit": "private: begins with an underscore",
    "_softmax_backward_data": "private: what the gradient of softmax calls",
    "_unsafe_masked_index": "private, and reads outside of the tensor where the mask is false",
    "_unsafe_masked_index_put_accumulate": "private, and writes outside of the tensor where the mask is false",
    "_upsample_bilinear2d_aa": "private: what nn.functional.interpolate(antialias=True) calls",
    "native_dropout_backward": "no function in Python: what the gradient of native_dropout calls",
    "jiterator_2inputs_2outputs": "compiles CUDA source that the client sends",
    "jiterator_4inputs_with_extra_args": "compiles CUDA source that the client sends",
    "jiterator_binary": "compiles CUDA source that the client sends",
    "jiterator_binary_return_by_ref": "compiles CUDA source that the client sends",
    "jiterator_unary": "compiles CUDA source that the client sends",
    "torch._scaled_mm": "private: begins with an underscore",
    "torch._scaled_mm_v2": "private: begins with an underscore",
    "torch.ops.aten._efficient_attention_forward": "private: CUDA only",
    "torch.ops.aten._flash_attention_forward": "private: CUDA only",
    "torch.ops.aten._safe_softmax.default": "private: what scaled_dot_product_attention calls",
}
ATTRIBUTES = ("T", "H", "mT", "mH")
# Their samples are for a function of a copy, or are called by another name.
METHODS = {
    "cauchy": "Tensor.cauchy_",
    "exponential": "Tensor.exponential_",
    "geometric": "Tensor.geometric_",
    "log_normal": "Tensor.log_normal_",
    "uniform": "Tensor.uniform_",
}
_OPERATORS = {
    "radd": "add",
    "rand": "and_",
    "rdiv": "truediv",
    "rmatmul": "matmul",
    "rmod": "mod",
    "rmul": "mul",
    "ror": "or_",
    "rpow": "pow",
    "rsub": "sub",
    "rxor": "xor",
}

Recipe = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


def call_of(entry: Any, sample: Any) -> Call | Read:
    """The public call for a sample of `entry`, tensors and all still in it."""
    first, args, kwargs = sample.input, tuple(sample.args), dict(sample.kwargs)
    name = entry.name
    if name in ATTRIBUTES:
        return Read(first, (name,))
    if name.startswith("__r"):
        return Call(f"operator.{_OPERATORS[name.strip('_')]}", (*args, first))
    recipe = _RECIPES.get(entry.full_name) or _RECIPES.get(name)
    if recipe is not None:
        return recipe(first, args, kwargs)
    return Call(METHODS.get(name, name), (first, *args), kwargs)


def name_of(entry: Any) -> str | None:
    """The registry's name that `entry` is called by; None where there is none."""
    if entry.name in NOT_PUBLIC:
        return None
    if entry.name.startswith("__r"):
        return f"operator.{_OPERATORS[entry.name.strip('_')]}"
    return _NAMES.get(entry.name) or METHODS.get(entry.name, entry.name)


def _swapped(name: str) -> Recipe:
    """The second argument of the sample comes first in the public function."""
    return lambda first, args, kwargs: Call(name, (args[0], first, *args[1:]), kwargs)


def _on_a_copy(name: str) -> Recipe:
    """An in-place op on a copy, so that gradients reach the input."""
    return lambda first, args, kwargs: Call(name, (Call("clone", (first,)), *args), kwargs)


def _index(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """A typed index: its outermost list is the tuple of indices."""
    index = args[0]
    return Call("getitem", (first, list(index) if isinstance(index, tuple) else index))


def _slice(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """aten's slice(input, dim, start, end, step) is x[..., start:end:step]."""
    names = ("dim", "start", "end", "step")
    given = dict(zip(names, args, strict=False)) | kwargs
    dim = given.get("dim", 0) % max(first.dim(), 1)
    bounds = slice(given.get("start"), given.get("end"), given.get("step", 1))
    return Call("getitem", (first, [*([slice(None)] * dim), bounds]))


def _polygamma(name: str) -> Recipe:
    return lambda first, args, kwargs: Call(name, (args[0], first), kwargs)


def _max_pool_backward(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Its samples are those of max_pool2d; the backward function is what the gradient is made with."""
    return Call("nn.functional.max_pool2d_with_indices", (first, *args), kwargs | {"return_indices": True})


_RECIPES: dict[str, Recipe] = {
    "__getitem__": _index,
    "slice": _slice,
    "einsum": lambda first, args, kwargs: Call("einsum", (args[0], *first)),
    "polygamma": _polygamma("polygamma"),
    "special.polygamma": _polygamma("special.polygamma"),
    "where": _swapped("where"),
    "nn.functional.embedding": _swapped("nn.functional.embedding"),
    "nn.functional.embedding_bag": _swapped("nn.functional.embedding_bag"),
    "normal.number_mean": _swapped("normal"),
    "normal.in_place": lambda first, args, kwargs: Call("Tensor.normal_", (first, *args), kwargs),
    "resize_": _on_a_copy("Tensor.resize_"),
    "resize_as_": _on_a_copy("resize_as_"),
    "zero_": _on_a_copy("zero_"),
    "linalg.pinv.singular": lambda first, args, kwargs: Call(
        "linalg.pinv", (Call("operator.matmul", (first, Read(args[0], ("mT",)))),)
    ),
    "linalg.lstsq.grad_oriented": lambda first, args, kwargs: Call(
        "linalg.lstsq", (first, args[0]), {"driver": args[1]} | kwargs
    ),
    "max_pool2d_with_indices_backward": _max_pool_backward,
    "_segment_reduce": lambda first, args, kwargs: Call("segment_reduce", (first, *args), kwargs),
}
_NAMES = {"__getitem__": "getitem", "slice": "getitem", "_segment_reduce": "segment_reduce"} | {
    "max_pool2d_with_indices_backward": "nn.functional.max_pool2d_with_indices"
}
