"""Calls that would kill, hang or reach outside of their tensors are refused; their harmless neighbours are not."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from calls import call

from gradwire.engine.errors import NoOverload

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


def test_the_worst_of_them_do_kill_a_process_without_a_fence():
    """Where this no longer fails, the fence can go."""
    code = "import torch; torch.div(torch.tensor([-2**31], dtype=torch.int32), -1, rounding_mode='trunc')"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode < 0
