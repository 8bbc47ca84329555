"""A tensor that a client sends is, once read, what PyTorch itself would have made: no view, and resizable."""

import pytest
import torch

from gradwire.findings import Source
from gradwire.wire.read.skeleton import skeleton
from gradwire.wire.read.tensor import read_tensor
from tensor_json import SIZES, document, dtype_of, to_bytes

LISTS = [
    [1.5, 2.5],
    [[1, 2], [3, 4]],
    3,
    {"data": [1, 2, 3, 4], "shape": [2, 2]},
    {"data": [[1, 2], [3, 4]], "dtype": "complex64"},
    {"data": [1, 2, 3, 4], "dtype": "complex64", "shape": [2, 2]},
    {"data": ["0x7fc00001", 1], "dtype": "float32"},
    {"data": ["NaN", 1], "dtype": "float64", "shape": [2, 1]},
    {"data": [True, False], "shape": [2, 1]},
]
LONG = [
    b"[%b]" % b",".join([b"1"] * 200),
    b"[%b]" % b",".join([b"[1.5,2]"] * 100),
    b'{"data":[%b],"dtype":"bfloat16","shape":[2,100]}' % b",".join([b"3"] * 200),
    b'{"data":[%b],"dtype":"int8","shape":[2,100]}' % b",".join([b"3"] * 200),
]


def must_be_own(tensor: torch.Tensor) -> None:
    """Assert that the ops which PyTorch keeps from views and from others' memory take the tensor."""
    assert not tensor._is_view()
    assert tensor.untyped_storage().resizable()
    assert tensor.storage_offset() == 0
    assert tensor.is_contiguous()
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
        tensor.requires_grad_(True).detach_()


@pytest.mark.parametrize("name", SIZES)
def test_bytes(name):
    sent = torch.arange(6).reshape(2, 3).ne(0).to(dtype_of(name))
    tensor = read_tensor(document(sent), Source()).tensor
    must_be_own(tensor)
    assert tensor.shape == (2, 3)
    assert to_bytes(tensor) == to_bytes(sent)


@pytest.mark.parametrize("value", LISTS, ids=str)
def test_lists(value):
    must_be_own(read_tensor(value, Source()).tensor)


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:30].decode())
def test_long_lists(text):
    value = skeleton(b'{"x":%b}' % text, 20)["x"]
    must_be_own(read_tensor(value, Source()).tensor)
