"""NumPy's functions on values that share memory with tensors; only dtypes that torch has, too."""

import numpy as np
import pytest
import torch
from calls import call, mistake, op

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops.registry import Op, registry


def test_the_tutorials_shared_memory():
    a = call("numpy.ones", 5)
    b = call("from_numpy", "$a", names={"a": a})
    assert call("numpy.add", "$a", 1, names={"a": a}, out="$a") is a
    assert a.tolist() == [2, 2, 2, 2, 2]
    assert b.tolist() == [2, 2, 2, 2, 2]
    assert b.dtype is torch.float64


def test_a_tensors_array_shares_its_memory():
    x = torch.zeros(3)
    array = call("Tensor.numpy", "$x", names={"x": x})
    array += 1
    assert x.tolist() == [1, 1, 1]
    assert array.dtype == np.float32


def test_dtypes_of_both_libraries_are_taken():
    assert call("numpy.zeros", 2, dtype="float32").dtype == np.float32
    assert call("numpy.zeros", 2, dtype="double").dtype == np.float64
    assert call("numpy.ndarray.astype", "$a", "int8", names={"a": np.ones(2)}).dtype == np.int8


@pytest.mark.parametrize("dtype", ["object", "U5", "S3", "datetime64[s]", "V8", "longdouble", "nonsense"])
def test_dtypes_that_torch_lacks_are_refused(dtype):
    finding = mistake("numpy.zeros", 3, dtype=dtype)
    assert (finding.code, finding.source.pointer) == ("invalid_argument", "/nodes/0/kwargs/dtype")
    with pytest.raises(NoOverload):
        call("numpy.ndarray.astype", "$a", "$d", names={"a": np.ones(2), "d": dtype})


def test_results_of_other_dtypes_are_refused():
    with pytest.raises(NoOverload, match="torch lacks"):
        call("numpy.array", "$t", names={"t": ["a", "b"]})
    with pytest.raises(NoOverload, match="torch lacks"):
        call("numpy.array", "$t", names={"t": [2**70]})
    with pytest.raises(NoOverload, match="NumPy has no dtype bfloat16"):
        call("numpy.zeros", 2, dtype="bfloat16")


def test_array_methods_take_arrays_tensors_and_lists():
    for value in (np.arange(4.0), torch.arange(4.0), [0.0, 1.0, 2.0, 3.0]):
        assert call("numpy.ndarray.sum", "$a", names={"a": value}) == 6.0


def test_the_list_is_derived_from_numpy():
    ufuncs = [name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)]
    callable_ones = [name for name in ufuncs if isinstance(registry().find(f"numpy.{name}"), Op)]
    assert len(ufuncs) - len(callable_ones) <= 2  # isnat is for dates
    for name in (
        "sum",
        "mean",
        "concatenate",
        "arange",
        "linspace",
        "full",
        "eye",
        "where",
        "einsum",
        "linalg.inv",
        "fft.fft",
    ):
        assert isinstance(registry().find(f"numpy.{name}"), Op), name
    for name in ("sum", "reshape", "astype", "copy", "transpose", "sort", "item", "tolist", "fill"):
        assert isinstance(registry().find(f"numpy.ndarray.{name}"), Op), name


def test_numbers_of_a_dtype_can_be_made():
    assert call("numpy.float32", 0.1) == np.float32(0.1)


def test_numpy_is_called_with_care():
    assert not op("numpy.add").plain
    assert op("numpy.add").is_numpy
