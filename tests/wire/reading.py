"""Reading one tensor document, and what is wrong with it."""

import pytest
import torch

from gradwire.findings import Refusal, Source
from gradwire.wire.read.tensor import read_tensor

X = Source("/inputs/x")


def read(document):
    return read_tensor(document, X).tensor


def findings(document):
    with pytest.raises(Refusal) as caught:
        read_tensor(document, X)
    return caught.value.findings


def mistakes(document):
    """Code and pointer of each mistake, the pointer from the document on."""
    return [(finding.code, finding.source.pointer.removeprefix("/inputs/x")) for finding in findings(document)]


def same(tensor, expected):
    """Assert that dtype, shape and elements are equal."""
    assert tensor.dtype == expected.dtype
    assert tensor.shape == expected.shape
    if tensor.is_complex():  # PyTorch does not compare complex32
        tensor, expected = torch.view_as_real(tensor), torch.view_as_real(expected)
    assert torch.equal(tensor, expected)
