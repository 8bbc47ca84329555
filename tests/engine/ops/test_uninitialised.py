"""No result holds memory that it does not own: uninitialised elements are filled, in the whole storage."""

import ctypes

import numpy as np
import pytest
import torch
from calls import call, op

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops.registry import Op, registry

SECRET = 123456.789
COUNT = 300_000


def poison() -> None:
    """Leave a secret in memory that the allocator gives out next."""
    for _ in range(4):
        kept = [torch.full((COUNT,), SECRET) for _ in range(6)]
        del kept


def storage_of(tensor: torch.Tensor) -> torch.Tensor:
    """A copy of every byte of a tensor's storage."""
    storage = tensor.untyped_storage()
    return torch.tensor(list(ctypes.string_at(storage.data_ptr(), storage.nbytes())), dtype=torch.uint8)


def whole(tensor: torch.Tensor) -> torch.Tensor:
    return torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage())


def test_the_secret_would_show_without_filling():
    found = False
    for _ in range(20):
        poison()
        found = found or bool((torch.empty(COUNT) == SECRET).any())
    assert found


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("empty", [COUNT]),
        ("empty", [[COUNT]]),
        ("empty_like", ["$x"]),
        ("empty_permuted", [[300, 1000], [1, 0]]),
        ("empty_strided", [[300, 1000], [1000, 1]]),
        ("new_empty", ["$x", COUNT]),
        ("Tensor.new_empty_strided", ["$x", [300, 1000], [1000, 1]]),
        ("resize_", ["$small", [COUNT]]),
        ("Tensor.resize_as_", ["$small", "$x"]),
        ("resize_as_", ["$small", "$x"]),
    ],
)
def test_uninitialised_elements_are_nan(name, args):
    x, small = torch.ones(300, 1000), torch.tensor([7.0, 8.0])
    poison()
    value = call(name, *args, names={"x": x, "small": small})
    kept = 2 if value is small else 0
    flat = whole(value)
    assert flat.numel() >= COUNT
    assert flat[kept:].isnan().all()
    assert flat[:kept].tolist() == [7.0, 8.0][:kept]


@pytest.mark.parametrize(
    ("dtype", "filling"),
    [
        ("bool", True),
        ("uint8", 255),
        ("int8", 127),
        ("int16", 2**15 - 1),
        ("int32", 2**31 - 1),
        ("int64", 2**63 - 1),
        ("uint16", 2**16 - 1),
        ("uint32", 2**32 - 1),
        ("uint64", 2**64 - 1),
    ],
)
def test_integers_are_the_largest_and_booleans_true(dtype, filling):
    assert call("empty", 3, dtype=dtype).tolist() == [filling] * 3


@pytest.mark.parametrize(
    "dtype",
    "float64 float32 float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu "
    "complex128 complex64 complex32".split(),
)
def test_every_floating_and_complex_dtype_is_filled_with_nan(dtype):
    value = call("empty", 3, dtype=dtype)
    if value.is_complex():
        value = torch.view_as_real(value)
    assert value.to(torch.float64).isnan().all()


def test_the_gaps_of_a_strided_tensor_are_filled():
    poison()
    value = call("empty_strided", [2, 2], [1000, 10])
    assert whole(value).numel() == 1011
    assert whole(value).isnan().all()


def test_filling_does_not_count_as_a_change():
    assert call("empty", 3)._version == 0
    assert call("empty", 3, requires_grad=True).is_leaf
    grown = torch.ones(2)
    before = grown._version
    call("resize_", "$x", [5], names={"x": grown})
    reference = torch.ones(2)
    reference.resize_([5])
    assert grown._version - before == reference._version


def test_a_tensor_that_shrinks_and_grows_again_shows_its_own_elements():
    x = torch.arange(6.0)
    call("resize_", "$x", [2], names={"x": x})
    assert call("resize_", "$x", [8], names={"x": x})[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert x[6:].isnan().all()


def test_a_storage_that_cannot_grow_is_refused_before_sizes_change():
    x = torch.from_numpy(np.ones(2))
    with pytest.raises(RuntimeError, match="not resizable"):
        call("resize_", "$x", [1000], names={"x": x})
    assert x.shape == (2,)


def test_empty_sparse_tensors_have_valid_indices():
    for layout in ("sparse_csr", "sparse_csc"):
        poison()
        value = call("empty", 5000, 4, layout=layout)
        assert value.to_dense().tolist() == [[0.0] * 4] * 5000
    assert call("empty", 3, 4, layout="sparse_coo").to_dense().tolist() == [[0.0] * 4] * 3


def test_the_old_constructors_over_raw_memory_cannot_be_called():
    for name in ("FloatTensor", "Tensor", "Tensor.new", "DoubleTensor"):
        assert not isinstance(registry().find(name), Op)


def test_numpys_empty_arrays_are_filled():
    poison()
    assert np.isnan(call("numpy.empty", COUNT)).all()
    assert np.isnan(call("numpy.empty_like", "$a", names={"a": np.ones(COUNT)})).all()
    assert call("numpy.empty", 2, dtype="int16").tolist() == [2**15 - 1] * 2
    assert call("numpy.empty", 2, dtype="bool").tolist() == [True, True]


def test_what_a_ufunc_leaves_out_is_filled():
    a = np.arange(4.0)
    mask = np.array([True, False, True, False])
    value = call("numpy.add", "$a", 1, names={"a": a, "m": mask}, where="$m")
    assert value[[0, 2]].tolist() == [1, 3]
    assert np.isnan(value[[1, 3]]).all()
    out = np.zeros(4)
    assert call("numpy.add", "$a", 1, names={"a": a, "m": mask, "o": out}, where="$m", out="$o").tolist() == [
        1,
        0,
        3,
        0,
    ]
    pair = call("numpy.modf", "$a", names={"a": a, "m": mask}, where="$m")
    assert np.isnan(pair[0][[1, 3]]).all()
    assert np.isnan(pair[1][[1, 3]]).all()


def makers() -> list[Op]:
    """Every op that is told the size of what it makes, but for those that draw it: their arguments are no sizes."""
    return [
        entry
        for entry in registry().entries()
        if isinstance(entry, Op)
        and entry.namespace != "numpy.random"
        and any(one.name in ("size", "sizes", "shape") for overload in entry.overloads for one in overload.parameters)
    ]


def test_no_maker_of_tensors_shows_a_secret():
    tried = 0
    for maker in makers():
        x = torch.ones(COUNT) if not maker.is_numpy else np.ones(COUNT)
        for args in (
            [[COUNT]],
            ["$x", [COUNT]],
            ["$x", [COUNT], 1.0],
            [[COUNT], 1.0],
            ["$x", [COUNT], [1]],
            [[COUNT], [1]],
        ):
            poison()
            try:
                value = call(maker.name, *args, names={"x": x})
            except Exception:  # another call than this op wants
                continue
            if isinstance(value, (torch.Tensor, np.ndarray)):
                tried += 1
                assert not bool((value == SECRET).any()), (maker.name, args)
    assert tried > 30


def test_which_ops_are_filled_is_known_by_their_names():
    names = {entry.name for entry in registry().entries() if isinstance(entry, Op) and entry.uninitialised}
    assert names >= {
        "empty",
        "empty_like",
        "empty_strided",
        "empty_permuted",
        "empty_quantized",
        "Tensor.new_empty",
        "Tensor.new_empty_strided",
        "Tensor.resize_",
        "Tensor.resize_as_",
        "resize_as_",
    }
    assert not op("zeros").uninitialised


def test_quantised_tensors_are_filled_too():
    poison()
    try:
        value = call("empty_quantized", [COUNT], torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8))
    except (RuntimeError, NotImplementedError, NoOverload):
        return
    assert (value.int_repr() == 255).all()
