"""Reference paths read items, fields and a fixed list of attributes, and nothing else."""

import numpy as np
import pytest
import torch

from gradwire.engine import references
from gradwire.engine.compile import compile_expression
from gradwire.engine.graph import Ref
from gradwire.engine.references import PathError, follow, split
from gradwire.engine.scope import Scope
from gradwire.findings import Source

X = torch.arange(6.0).reshape(2, 3).requires_grad_()


def test_the_longest_name_that_exists_wins():
    names = {"x", "x.grad", "a.b.c"}
    assert split("x.grad", names) == ("x.grad", ())
    assert split("x.shape.0", names) == ("x", ("shape", "0"))
    assert split("a.b.c.T.0", names) == ("a.b.c", ("T", "0"))
    assert split("a.b", names) is None
    assert split("y", names) is None


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        (X, "shape", torch.Size([2, 3])), (X, "dtype", torch.float32), (X, "ndim", 2), (X, "requires_grad", True),
        (X, "is_leaf", True), (X, "grad", None), (X, "grad_fn", None), (X, "itemsize", 4), (X, "nbytes", 24),
        (X, "is_sparse", False), (X, "is_cuda", False), (X, "layout", torch.strided),
        ((1, 2), "1", 2), ([5, 6], "0", 5), (torch.Size([7]), "0", 7), ({"k": 3}, "k", 3), ({"0": 4}, "0", 4),
        (torch.device("cuda:1"), "type", "cuda"), (torch.device("cuda:1"), "index", 1),
        (torch.finfo(torch.float32), "eps", 1.1920928955078125e-07), (torch.iinfo(torch.int8), "max", 127),
        (np.ones((2, 2)), "shape", (2, 2)), (torch.max(torch.tensor([[1, 9]]), 1), "indices", torch.tensor([1])),
    ],
)  # fmt: skip
def test_steps_that_are_allowed(value, step, expected):
    assert follow(value, step) == expected


@pytest.mark.parametrize(
    ("value", "step"),
    [
        (X, "__class__"), (X, "_base"), (X, "data_ptr"), (X, "storage"), (X, "0"), (X, "backward"), (X, ""),
        ((1, 2), "2"), ((1, 2), "-1"), ((1, 2), "count"), ((1, 2), "9" * 40), ((1, 2), "\u0661"),
        ({"k": 3}, "keys"), (3, "real"),
        ("text", "upper"), (np.ones(2), "data"), (np.ones(2), "ctypes"), (np.ones(2), "base"), (None, "grad"),
        (torch.device("cpu"), "__reduce__"), (torch.finfo(torch.float32), "__class__"),
    ],
)  # fmt: skip
def test_steps_that_lead_nowhere(value, step):
    with pytest.raises(PathError):
        follow(value, step)


def test_a_reference_follows_the_whole_path():
    scope, findings = Scope(), []
    slot = scope.bind("x")
    get = compile_expression(Ref("x.T.shape.0", Source()), scope, findings)
    assert findings == []
    assert get([*[None] * slot, X]) == 3


def test_field_names_of_named_tuples_are_known_before_running():
    assert {"values", "indices", "eigenvalues", "U", "S", "Q", "R", "sign", "logabsdet"} <= references.FIELD_NAMES
