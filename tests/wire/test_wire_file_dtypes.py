"""The dtypes of file formats are those of the formats' own libraries."""

from __future__ import annotations

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from gradwire.contract.dtypes import DTYPES
from gradwire.wire.file_dtypes import NUMPY, SAFETENSORS


@pytest.mark.parametrize("name", DTYPES)
def test_safetensors_spells_each_dtype_so_or_has_it_not(name: str) -> None:
    x = {"x": torch.zeros(2, dtype=torch.uint8).repeat(8).view(getattr(torch, name))}
    if name not in SAFETENSORS:
        with pytest.raises(KeyError):
            safetensors.torch.save(x)
        return
    saved = safetensors.torch.save(x)
    header = json.loads(saved[8 : 8 + int.from_bytes(saved[:8], "little")])
    assert header["x"]["dtype"] == SAFETENSORS[name]


@pytest.mark.parametrize("name", DTYPES)
def test_numpy_spells_each_dtype_so_or_has_it_not(name: str) -> None:
    if name in NUMPY:
        assert np.dtype(NUMPY[name]).name == name
        assert np.lib.format.dtype_to_descr(np.dtype(name)) == NUMPY[name]
    else:
        with pytest.raises(TypeError):
            np.dtype(name)
