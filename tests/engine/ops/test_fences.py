"""Calls that would kill, hang or reach outside of their tensors are refused; their harmless neighbours are not."""

import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from calls import call
from calls import same as bits

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops import fences
from gradwire.engine.ops.fences import saved, sparse
from gradwire.engine.ops.registry import registry

INT_MIN = torch.tensor([-(2**31), 6], dtype=torch.int32)


def refused(name, *args, names=None, **kwargs):
    with pytest.raises(NoOverload) as raised:
        call(name, *args, names=names, **kwargs)
    return raised.value


@pytest.mark.parametrize("name", ["div", "divide", "Tensor.div", "Tensor.div_", "Tensor.divide_"])
def test_truncating_the_smallest_integer_by_minus_one(name):
    for right in (-1, torch.tensor([-1, 1], dtype=torch.int32)):
        assert (
            "int32"
            in refused(name, "$x", "$r", names={"x": INT_MIN.clone(), "r": right}, rounding_mode="trunc").message
        )
    harmless = call(
        name,
        "$x",
        "$r",
        names={"x": INT_MIN.clone(), "r": torch.tensor([1, -1], dtype=torch.int32)},
        rounding_mode="trunc",
    )
    assert harmless.tolist() == [-(2**31), -6]


def test_numpys_words_for_the_arguments_are_seen_through():
    right = torch.tensor([-1], dtype=torch.int32)
    assert "int32" in refused("Tensor.div", "$x", names={"x": INT_MIN}, x2=right, rounding_mode="trunc").message
    expanded = torch.arange(3.0).expand(4, 3)
    assert "expanded" in refused("Tensor.median", "$x", names={"x": expanded}, axis=0).message
    assert call("median", "$x", names={"x": expanded}, axis=1).values.tolist() == [1.0] * 4


def test_the_neighbours_of_that_division_are_as_in_pytorch():
    assert call("div", "$x", -1, names={"x": INT_MIN}).tolist() == [2.0**31, -6.0]
    assert call("div", "$x", -1, names={"x": INT_MIN}, rounding_mode="floor").tolist() == [-(2**31), -6]
    assert call("div", "$x", -1.0, names={"x": INT_MIN}, rounding_mode="trunc").tolist() == [2.0**31, -6.0]
    wide = torch.tensor([-1, -1])
    assert call("div", "$x", "$w", names={"x": INT_MIN, "w": wide}, rounding_mode="trunc").tolist() == [2**31, -6]
    narrow = torch.tensor([-128], dtype=torch.int8)
    assert call("div", "$x", -1, names={"x": narrow}, rounding_mode="trunc").tolist() == [-128]
    with pytest.raises(RuntimeError, match="must match the size"):
        call("div", "$x", [-1, -1, -1], names={"x": INT_MIN}, rounding_mode="trunc")


def test_eigenvalues_of_a_matrix_with_nan():
    for bad in (math.nan, math.inf):
        assert refused("linalg.eigvals", "$m", names={"m": torch.tensor([[bad, 1.0], [1.0, 1.0]])}).place == 0
    assert call("linalg.eigvals", "$m", names={"m": torch.eye(2)}).tolist() == [1, 1]
    with pytest.raises(RuntimeError, match="infs or NaNs"):
        call("linalg.eig", "$m", names={"m": torch.full((2, 2), math.nan)})


def test_pivots_of_ldl_solve():
    factors, right = torch.eye(3), torch.ones(3, 1)
    for pivots in ([1, 2, 900], [0, 1, 2], [1, 2, -1], [-5, -5, 1]):
        names = {"f": factors, "p": torch.tensor(pivots, dtype=torch.int32), "b": right}
        assert refused("linalg.ldl_solve", "$f", "$p", "$b", names=names).place == 1
    made, pivots = torch.linalg.ldl_factor(torch.eye(3) * 2)
    assert (
        call("linalg.ldl_solve", "$f", "$p", "$b", names={"f": made, "p": pivots, "b": right}).tolist() == [[0.5]] * 3
    )


def test_the_power_that_never_ends():
    assert refused("linalg.matrix_power", torch.eye(2), -(2**63)).place == 1
    assert refused("matrix_power", torch.eye(2), -(2**63)).place == 1
    assert torch.equal(call("matrix_power", torch.eye(2), -3), torch.eye(2))


def test_targets_and_lengths_of_ctc_loss():
    probabilities = torch.full((4, 1, 3), -1.0)
    for targets, lengths, place in (
        ([[1, 3]], [2], "targets"),
        ([[1, -1]], [2], "targets"),
        ([[1, 2]], [5], "target_lengths"),
    ):
        finding = refused(
            "nn.functional.ctc_loss",
            log_probs=probabilities,
            targets=torch.tensor(targets),
            input_lengths=torch.tensor([4]),
            target_lengths=torch.tensor(lengths),
        )
        assert finding.place == place
    assert refused("ctc_loss", probabilities, torch.tensor([[1, 2]]), [4], [2], 7).place == 4
    value = call("ctc_loss", probabilities, torch.tensor([[1, 2]]), [4], [2])
    assert torch.equal(value, torch.ctc_loss(probabilities, torch.tensor([[1, 2]]), [4], [2]))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("sparse_coo_tensor", [[[0, 9]], [1.0, 2.0], [3]]),
        ("sparse_csr_tensor", [[0, 1, 2], [0, 7], [1.0, 2.0], [2, 2]]),
        ("sparse_csc_tensor", [[0, 1, 2], [0, 7], [1.0, 2.0], [2, 2]]),
        ("sparse_compressed_tensor", [[0, 1, 2], [0, 7], [1.0, 2.0], [2, 2]]),
    ],
)
def test_sparse_tensors_are_checked(name, args):
    extra = {"layout": "sparse_csr"} if name == "sparse_compressed_tensor" else {}
    with pytest.raises(RuntimeError):
        call(name, *args, **extra)
    assert refused(name, *args, check_invariants=False, **extra).place == "check_invariants"


def test_coalesced_is_not_taken_on_trust():
    assert refused("sparse_coo_tensor", [[0, 1]], [1.0, 2.0], [3], is_coalesced=True).place == "is_coalesced"


def test_indices_of_a_sparse_tensor_cannot_be_changed_from_outside():
    indices = torch.tensor([[0, 1]])
    made = call("sparse_coo_tensor", "$i", [1.0, 2.0], [3], names={"i": indices})
    indices.add_(1000)
    assert made.to_dense().tolist() == [1, 2, 0]
    made = made.coalesce()
    call("indices", "$s", names={"s": made}).add_(1000)
    assert made.to_dense().tolist() == [1, 2, 0]
    rows, columns = torch.tensor([0, 1, 2]), torch.tensor([0, 1])
    made = call("sparse_csr_tensor", "$r", "$c", [1.0, 2.0], [2, 2], names={"r": rows, "c": columns})
    columns.add_(1000)
    call("crow_indices", "$s", names={"s": made}).add_(1000)
    call("col_indices", "$s", names={"s": made}).add_(1000)
    assert made.to_dense().tolist() == [[1, 0], [0, 2]]


def test_segment_reduce_without_its_checks():
    data = torch.ones(4)
    lengths = torch.tensor([2, 2])
    assert refused("segment_reduce", data, "sum", lengths=lengths, unsafe=True).place == "unsafe"
    assert refused("segment_reduce", data, "sum", offsets=torch.tensor([0, 900])).place == "offsets"
    assert call("segment_reduce", data, "sum", lengths=lengths).tolist() == [2, 2]


def test_differences_of_nothing_end():
    for times in (1, 2, 3, 4, 2**63 - 1):
        expected = np.diff([1.0, 4.0, 9.0], n=min(times, 9))
        assert call("numpy.diff", [1.0, 4.0, 9.0], times).tolist() == expected.tolist()
    assert call("numpy.diff", [1, 4], n=2**62, prepend=0, append=[5, 6]).tolist() == []


def same(name, *args, names, **kwargs):
    """The call passes, and gives what PyTorch gives."""
    entry = registry().find(name)
    given = [names.get(one[1:], one) if isinstance(one, str) else one for one in args]
    given = [[names[each[1:]] for each in one] if _is_references(one) else one for one in given]
    return equal(call(name, *args, names=names, **kwargs), entry.call(*given, **kwargs))


def _is_references(value):
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"num_layers": 2}, {"bias": False}, {"proj_size": 2}])
def test_layers_of_torch_nn_pass(options, packed):
    layer = torch.nn.LSTM(3, 4, **options)
    flat = {f"w{index}": weight for index, weight in enumerate(layer._flat_weights)}
    count = layer.num_layers * (2 if layer.bidirectional else 1)
    states = {"h": torch.zeros(count, 2, layer.proj_size or 4), "c": torch.zeros(count, 2, 4)}
    names = {"x": torch.rand(5, 2, 3), "sizes": torch.tensor([2, 2, 1]), **states, **flat}
    flags = [layer.bias, layer.num_layers, 0.0, False, layer.bidirectional]
    weights = [f"${name}" for name in flat]
    if packed:
        names["x"] = torch.rand(5, 3)
        assert same("lstm", "$x", "$sizes", ["$h", "$c"], weights, *flags, names=names)
    else:
        assert same("lstm", "$x", ["$h", "$c"], weights, *flags, False, names=names)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("lcm", ["$i", "$j"]),
        ("lcm", ["$least", "$j"]),
        ("range", [2, 5, 0.5]),
        ("native_group_norm", ["$x", "$w", "$w", 3, 4, 1, 2, 1e-5]),
        ("native_group_norm", ["$x", None, None, 3, 4, 1, 2, 1e-5]),
        ("native_batch_norm", ["$x", "$w", "$w", "$w", "$w", False, 0.1, 1e-5]),
        ("native_batch_norm", ["$x", None, None, None, None, True, 0.1, 1e-5]),
        ("median", ["$x", 1]),
        ("median", ["$x"]),
        ("nanmedian", ["$t", 0]),
        ("mul", ["$s", "$s"]),
        ("mul", ["$s", 2]),
        ("mul", ["$s", "$number"]),
        ("nn.functional.dropout", ["$s", 0.5, False]),
        ("embedding_bag", ["$x", "$j", "$offsets"]),
        ("repeat_interleave", ["$j", "$j"]),
        ("grid_sampler", ["$image", "$grid", 2, 2, True]),
        ("nn.functional.fractional_max_pool2d", ["$image", 1, 2]),
        ("max_pool1d", ["$image1", 2, 1, 1, 1, True]),
        ("special.laguerre_polynomial_l", ["$x", 5]),
        ("pdist", ["$x"]),
        ("lu_unpack", ["$square", "$pivots"]),
        ("binomial", ["$x", "$p"]),
    ],
)
def test_calls_beside_the_fences_pass(name, args):
    names = {
        "x": torch.arange(12.0).reshape(3, 4),
        "w": torch.ones(4),
        "t": torch.arange(12.0).reshape(4, 3).t(),
        "i": torch.tensor([4, 6, -(2**63) + 1]),
        "j": torch.tensor([2, 1, 2]),
        "least": torch.tensor([-(2**63)]),
        "s": torch.eye(3).to_sparse(),
        "number": torch.tensor(2.0).to_sparse(),
        "offsets": torch.tensor([0, 2, 2]),
        "image": torch.arange(16.0).reshape(1, 1, 4, 4),
        "image1": torch.arange(4.0).reshape(1, 1, 4),
        "grid": torch.rand(1, 2, 2, 2),
        "square": torch.eye(3),
        "pivots": torch.tensor([1, 2, 3], dtype=torch.int32),
        "p": torch.full((3, 4), 0.5),
    }
    torch.manual_seed(0)
    found = call(name, *args, names=names)
    torch.manual_seed(0)
    entry = registry().find(name)
    assert equal(found, entry.call(*[names[one[1:]] if isinstance(one, str) else one for one in args]))


def equal(found, expected):
    if isinstance(found, (list, tuple)):
        return len(found) == len(expected) and all(map(equal, found, expected))
    return bits(found.to_dense(), expected.to_dense())


def test_nothing_takes_the_shape_of_a_jagged_tensor():
    jagged = torch.nested.nested_tensor([torch.ones(2, 3), torch.ones(1, 3)], layout=torch.jagged)
    with pytest.raises(NoOverload, match="nested tensor has no shape"):
        call("Tensor.reshape_as", "$x", "$j", names={"x": torch.ones(6), "j": jagged})
    assert call("Tensor.reshape_as", "$x", "$y", names={"x": torch.ones(6), "y": torch.ones(2, 3)}).shape == (2, 3)


def test_fences_look_through_vmap():
    matrices = torch.stack([torch.eye(2), torch.eye(2) * 3])
    through = torch.func.vmap(lambda one: call("linalg.eigvals", "$m", names={"m": one}))
    assert through(matrices).tolist() == [[1, 1], [3, 3]]
    matrices[1, 0, 0] = math.nan
    with pytest.raises(NoOverload):
        through(matrices)
    divide = torch.func.vmap(lambda one: call("div", "$x", -1, names={"x": one}, rounding_mode="trunc"))
    with pytest.raises(NoOverload):
        divide(INT_MIN)
    assert divide(INT_MIN + 1).tolist() == [2**31 - 1, -7]


def test_every_fence_stands_before_an_op_and_is_documented():
    text = (Path(__file__).parents[3] / "docs" / "fences.md").read_text()
    rows = "".join(line for line in text.splitlines() if line.startswith("| `"))
    listed = set(re.findall(r"`([\w.]+)`", rows))
    ops = {fences.key(name) for name in registry().names()}
    for last in {*fences.FENCES, *sparse.INDICES, *saved.OPS}:
        assert last in ops, last
        assert last in listed or last.removesuffix("_with_indices") in listed, last


def test_the_worst_of_them_do_kill_a_process_without_a_fence():
    """Where this no longer fails, the fence can go."""
    code = "import torch; torch.div(torch.tensor([-2**31], dtype=torch.int32), -1, rounding_mode='trunc')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode < 0
