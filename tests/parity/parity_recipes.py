"""From an entry of PyTorch's op_db to the public call that a user would write for one of its samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parity_calls import Call, Index, Read, Substitute, Unwritable

# Entries of op_db whose samples run on other hardware only.
NOT_HERE = {
    **{
        f"jiterator_{name}": "compiles CUDA source that the caller gives"
        for name in ("unary", "binary", "binary_return_by_ref", "2inputs_2outputs", "4inputs_with_extra_args")
    },
    "torch.ops.aten._efficient_attention_forward": "CUDA only",
    "torch.ops.aten._flash_attention_forward": "CUDA only",
}
# Entries of op_db that no public function, and no few of them, stands for.
NOT_PUBLIC = {
    "_softmax_backward_data": "private: what the gradient of softmax calls",
    "torch._scaled_mm": "private, with float8 samples only",
    "torch._scaled_mm_v2": "private, with float8 samples only",
    "torch.ops.aten._safe_softmax.default": "private: what scaled_dot_product_attention calls",
}
NOT_COMPARED = NOT_HERE | NOT_PUBLIC
# Functions whose result varies from process to process in local PyTorch, too: by name, the argument that makes it so.
VARYING = {"linalg.lstsq": ("driver", (None, "gelsy"))}
# Not public, but public ops give their bits.
SUBSTITUTED = frozenset(
    "_batch_norm_with_update _chunk_cat _native_batch_norm_legit _unsafe_masked_index "
    "_unsafe_masked_index_put_accumulate _upsample_bilinear2d_aa native_dropout_backward".split()
)
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


def call_of(entry: Any, sample: Any) -> Call | Read | Substitute:
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


def _swapped(name: str) -> Recipe:
    """The second argument of the sample comes first in the public function."""
    return lambda first, args, kwargs: Call(name, (args[0], first, *args[1:]), kwargs)


def _on_a_copy(name: str) -> Recipe:
    """An in-place op on a copy, so that gradients reach the input."""
    return lambda first, args, kwargs: Call(name, (Call("clone", (first,)), *args), kwargs)


def _index(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    index = args[0]
    return Call("getitem", (first, Index(index if isinstance(index, tuple) else (index,))))


def _slice(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """aten's slice(input, dim, start, end, step) is x[..., start:end:step]."""
    names = ("dim", "start", "end", "step")
    given = dict(zip(names, args, strict=False)) | kwargs
    dim = given.get("dim", 0) % max(first.dim(), 1)
    bounds = slice(given.get("start"), given.get("end"), given.get("step", 1))
    return Call("getitem", (first, Index((*([slice(None)] * dim), bounds))))


def _polygamma(name: str) -> Recipe:
    return lambda first, args, kwargs: Call(name, (args[0], first), kwargs)


def _segment_reduce(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    if kwargs.get("unsafe"):
        raise Unwritable("unsafe=True, which the contract refuses")
    return Call("segment_reduce", (first, *args), kwargs)


def varies(call: Any) -> bool:
    """Whether the bits of a call depend on memory that PyTorch does not set."""
    if not isinstance(call, Call) or call.name not in VARYING:
        return False
    name, values = VARYING[call.name]
    given = call.kwargs.get(name, next((one for one in call.args if isinstance(one, str)), None))
    return given in values


def _max_pool_backward(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
    """Its samples are those of max_pool2d; the backward function is what the gradient is made with."""
    return Call("nn.functional.max_pool2d_with_indices", (first, *args), kwargs | {"return_indices": True})


def _batch_norm_legit(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    """Without running statistics it has two arguments less than native_batch_norm."""
    full = args if len(args) == 7 else (*args[:2], None, None, *args[2:])
    return Substitute(
        Call("native_batch_norm", (first, *full), kwargs), Call("_native_batch_norm_legit", (first, *args), kwargs)
    )


def _batch_norm_with_update(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    """Its fourth result is empty on a CPU."""
    sent = Call("native_batch_norm", (first, *args[:4], True, *args[4:]), kwargs)
    return Substitute(sent, Read(Call("ops.aten._batch_norm_with_update", (first, *args), kwargs), (slice(3),)))


def _chunk_cat(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    """Each tensor padded with zeros along `dim`, seen as `chunks` rows of what is behind `dim`, the rows joined."""
    dim, chunks = args
    rows = []
    for tensor in first:
        place = dim % tensor.dim()
        pads = [0, 0] * (tensor.dim() - place - 1) + [0, -tensor.shape[place] % chunks]
        rows.append(Call("reshape", (Call("nn.functional.pad", (tensor, pads)), [*tensor.shape[:place], chunks, -1])))
    sent = Call("cat", (rows, dim % first[0].dim() + 1))
    return Substitute(sent, Call("_chunk_cat", (first, *args), kwargs))


def _upsample(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    size, factors = kwargs["output_size"], kwargs.get("scale_factors")
    if kwargs.get("scales_h") is not None:
        raise Unwritable("scales beside a size, which interpolate does not take")
    options = {"mode": "bilinear", "antialias": True, "align_corners": kwargs["align_corners"]}
    sizes = {"size": size and list(size), "scale_factor": factors and list(factors)}
    sent = Call("nn.functional.interpolate", (first,), {**sizes, **options})
    return Substitute(sent, Call("ops.aten._upsample_bilinear2d_aa", (first, *args), kwargs))


def _dropout_backward(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    mask, scale = args
    sent = Call("mul", (Call("mul", (first, mask)), scale))
    return Substitute(sent, Call("ops.aten.native_dropout_backward.default", (first, *args), kwargs))


def _inside(first: Any, indices: Any) -> tuple[Any, ...]:
    """Indices moved into the tensor, as the masked ones are."""
    return tuple(
        index if index is None else Call("clamp", (index, -size, size - 1))
        for index, size in zip(indices, first.shape, strict=False)
    )


def _masked_index(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    mask, indices, fill = args
    taken = Call("getitem", (first, Index(_inside(first, indices))))
    sent = Call("Tensor.masked_fill", (taken, Call("logical_not", (mask,)), fill))
    return Substitute(sent, Call("_unsafe_masked_index", (first, *args), kwargs))


def _masked_put(first: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Substitute:
    mask, indices, values = args
    added = Call("Tensor.masked_fill", (values, Call("logical_not", (mask,)), 0))
    sent = Call("index_put", (first, list(_inside(first, indices)), added), {"accumulate": True})
    return Substitute(sent, Call("_unsafe_masked_index_put_accumulate", (first, *args), kwargs))


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
    "linalg.lstsq.grad_oriented": lambda first, args, kwargs: Call("linalg.lstsq", (first, *args), kwargs),
    "max_pool2d_with_indices_backward": _max_pool_backward,
    "_native_batch_norm_legit": _batch_norm_legit,
    "_batch_norm_with_update": _batch_norm_with_update,
    "_upsample_bilinear2d_aa": _upsample,
    "_chunk_cat": _chunk_cat,
    "native_dropout_backward": _dropout_backward,
    "_unsafe_masked_index": _masked_index,
    "_unsafe_masked_index_put_accumulate": _masked_put,
    "_segment_reduce": _segment_reduce,
}
