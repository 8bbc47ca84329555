"""The table of dtypes says what the installed torch says."""

import pytest
import torch

from gradwire.contract.dtypes import DTYPES, find
from gradwire.wire.formats import FORMATS, owned


def public_dtypes() -> set[torch.dtype]:
    return {value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


def whole_byte(dtype: torch.dtype) -> bool:
    """Dtypes with an element of whole bytes: not quantized, not of parts of bytes, not bare bits."""
    name = str(dtype).removeprefix("torch.")
    return not name.startswith(("q", "bits", "float4")) and name not in {
        f"{s}int{n}" for s in "u " for n in range(1, 8)
    }


@pytest.mark.parametrize("spec", DTYPES.values(), ids=lambda spec: spec.name)
def test_row_is_as_torch_has_it(spec):
    dtype = getattr(torch, spec.name)
    assert str(dtype) == f"torch.{spec.name}"
    assert dtype.itemsize == spec.itemsize
    assert dtype.is_complex == (spec.kind == "complex")
    assert dtype.is_floating_point == (spec.kind == "float")
    if spec.kind in ("int", "uint"):
        assert (torch.iinfo(dtype).min, torch.iinfo(dtype).max) == (spec.lowest, spec.highest)
        assert dtype.is_signed == (spec.kind == "int")
    if spec.real:
        assert dtype.to_real() == getattr(torch, spec.real)
    for alias in spec.aliases:
        assert getattr(torch, alias) is dtype


def test_no_dtype_of_whole_bytes_is_missing():
    names = {str(dtype).removeprefix("torch.") for dtype in public_dtypes() if whole_byte(dtype)}
    assert {name for name in names if not name.startswith(("int", "uint")) or int(name.strip("uint")) >= 8} == set(
        DTYPES
    )


def test_every_alias_of_torch_is_known():
    for name, value in vars(torch).items():
        if isinstance(value, torch.dtype) and str(value).removeprefix("torch.") in DTYPES:
            assert find(name) is find(f"torch.{name}") is DTYPES[str(value).removeprefix("torch.")]


@pytest.mark.parametrize("text", ["", "float128", "torch.torch.float", "Float32", "int4", "quint8", "torch."])
def test_other_names_are_none(text):
    assert find(text) is None


@pytest.mark.parametrize("spec", [spec for spec in DTYPES.values() if spec.kind == "float"], ids=lambda spec: spec.name)
def test_default_nan_bits_are_torchs(spec):
    form = FORMATS[spec.name]
    made = torch.tensor([float("nan")], dtype=form.dtype).view(form.word)
    assert int(made) == spec.nan
    for bits in (spec.nan, spec.negative_nan):
        assert torch.tensor([bits], dtype=form.word).view(form.dtype).to(torch.float64).isnan().all()


def test_owned_copies_into_memory_of_torch():
    import numpy as np

    array = np.frombuffer(bytes(9), np.uint8)[1:].view(np.float64)
    tensor = owned(array)
    assert tensor.data_ptr() % 64 == 0
    assert tensor.tolist() == [0.0]
