"""What PyTorch, NumPy and Python have in public is callable or excluded with a reason; docs/ops.md lists it as it is.

The names come from the libraries themselves and from what torch.overrides lists, never from the registry.
"""

from __future__ import annotations

import operator
import re
import types
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.signal.windows

from gradwire.engine.ops import markdown
from gradwire.engine.ops.registry import Excluded, Op, registry

PAGE = Path(__file__).parents[3] / "docs" / "ops.md"
NAMESPACES = {
    "": torch,
    "Tensor.": torch.Tensor,
    "nn.functional.": torch.nn.functional,
    "nn.init.": torch.nn.init,
    "linalg.": torch.linalg,
    "fft.": torch.fft,
    "special.": torch.special,
    "signal.windows.": torch.signal.windows,
    "sparse.": torch.sparse,
    "nested.": torch.nested,
    "masked.": torch.masked,
    "operator.": operator,
    "numpy.": np,
    "numpy.ndarray.": np.ndarray,
    "numpy.linalg.": np.linalg,
    "numpy.fft.": np.fft,
}
# Test runners; they are loaded when first asked for.
NO_FUNCTIONS_OF_ARRAYS = {"numpy.test", "numpy.linalg.test", "numpy.fft.test"}

# What the documentation lists under "Creation Ops", and the ops that take or give lists of tensors.
CREATION = (
    "tensor sparse_coo_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor asarray "
    "as_tensor as_strided from_numpy zeros zeros_like ones ones_like arange range linspace logspace eye empty "
    "empty_like empty_strided full full_like quantize_per_tensor quantize_per_channel dequantize complex polar "
    "heaviside scalar_tensor tril_indices triu_indices hann_window hamming_window blackman_window bartlett_window "
    "kaiser_window rand rand_like randint randint_like randn randn_like randperm bernoulli multinomial normal "
    "poisson Tensor.new_tensor Tensor.new_full Tensor.new_empty Tensor.new_ones Tensor.new_zeros"
).split()
LISTS = (
    "cat concat concatenate stack hstack vstack dstack column_stack row_stack block_diag cartesian_prod "
    "broadcast_tensors meshgrid einsum split split_with_sizes tensor_split chunk hsplit vsplit dsplit unbind "
    "atleast_1d atleast_2d atleast_3d combinations tensordot chain_matmul linalg.multi_dot "
    "unsafe_chunk unsafe_split histogramdd gradient lu_unpack nonzero where unravel_index"
).split()
# Python's operators on tensors, by the module that names them.
OPERATORS = (
    "add sub mul truediv floordiv mod pow matmul neg pos abs invert and_ or_ xor lshift rshift lt le eq ne ge gt "
    "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor ilshift irshift getitem setitem contains index truth"
).split()


def is_function(value: object) -> bool:
    """Callable and no class, or an attribute of a class."""
    if isinstance(value, (type, types.ModuleType, torch.dtype)) or type(value).__module__ == "typing":
        return isinstance(value, type) and issubclass(value, np.generic)
    return callable(value) or isinstance(value, (property, types.GetSetDescriptorType))


def public(prefix: str) -> set[str]:
    place = NAMESPACES[prefix]
    names = set(dir(place)) | set(getattr(place, "__all__", ()))
    found = {prefix + name for name in names if not name.startswith("_") and is_function(getattr(place, name, None))}
    return found - NO_FUNCTIONS_OF_ARRAYS


def overridable() -> set[str]:
    """The public functions that PyTorch lets a class override: those that take tensors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functions = [one for each in torch.overrides.get_overridable_functions().values() for one in each]
        functions += [*torch.overrides.get_testing_overrides()]
        names = {torch.overrides.resolve_name(one) for one in functions} - {None}
    plain = {re.sub(r"^torch\.(?:functional\.)?|\.__get__$", "", name) for name in names}
    # torch.functional.lu is written in Python for torch.lu, and has this name for itself alone.
    return {name for name in plain if not any(part.startswith("_") for part in name.split("."))}


def unaccounted(names: set[str]) -> list[str]:
    """Names that are neither callable nor excluded with a reason."""
    entries = {name: registry().find(name) for name in names}
    return sorted(name for name, one in entries.items() if not (isinstance(one, Op) or (one and len(one.reason) > 15)))


@pytest.mark.parametrize("prefix", NAMESPACES)
def test_every_public_function_is_callable_or_excluded_with_a_reason(prefix):
    names = public(prefix)
    assert len(names) > 4
    assert unaccounted(names) == []


def test_every_function_that_takes_tensors_is_accounted_for():
    names = overridable()
    assert len(names) > 1250
    assert unaccounted(names) == []


@pytest.mark.parametrize("names", [CREATION, LISTS, [f"operator.{name}" for name in OPERATORS]])
def test_creation_lists_and_operators_can_all_be_called(names):
    missing = [name for name in names if not isinstance(registry().find(name), Op)]
    assert missing == []


def test_every_ufunc_of_numpy_is_accounted_for():
    names = {f"numpy.{name}" for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    assert len(names) > 90
    assert unaccounted(names) == []


@pytest.mark.parametrize(
    ("prefix", "least"),
    [("", 0.8), ("Tensor.", 0.85), ("nn.functional.", 0.9), ("linalg.", 1), ("fft.", 1), ("special.", 1)],
)
def test_most_of_each_namespace_can_be_called(prefix, least):
    names = public(prefix)
    found = [registry().find(name) for name in names]
    functions = [one for one in found if not (isinstance(one, Excluded) and "attribute" in one.reason)]
    assert sum(isinstance(one, Op) for one in functions) >= least * len(functions)


@pytest.mark.skipif(torch.backends.cuda.is_built(), reason="the page is of the CPU build")
def test_the_page_of_ops_is_as_the_registry_has_them():
    assert PAGE.read_text("utf-8") == markdown.page(), "docs/ops.md is stale: make docs"


@pytest.mark.skipif(torch.backends.cuda.is_built(), reason="the page is of the CPU build")
def test_the_page_counts_every_entry_once():
    text = PAGE.read_text("utf-8")
    entries = list(registry().entries())
    callable_ops = sum(isinstance(one, Op) for one in entries)
    assert f"{callable_ops} ops can be called; {len(entries) - callable_ops} names are excluded" in text
    rows = re.findall(r"^\| `[\w.]+` \| (\d+) \| (\d+) \|$", text, re.MULTILINE)
    assert [sum(int(row[column]) for row in rows) for column in (0, 1)] == [callable_ops, len(entries) - callable_ops]
    assert len(text) < 400_000
