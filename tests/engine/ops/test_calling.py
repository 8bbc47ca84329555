"""Calls give what PyTorch gives, bit for bit; where its parser refuses, the method and tensors are tried."""

import numpy as np
import pytest
import torch
from calls import call, op, same

from gradwire.engine.errors import NoOverload
from gradwire.engine.ops.arguments import invoke, second_try
from gradwire.findings import Refusal

F = torch.nn.functional
X = torch.arange(16.0).reshape(4, 4) / 7
IMAGE = torch.arange(32.0).reshape(1, 2, 4, 4) / 3
KERNEL = torch.arange(16.0).reshape(2, 2, 2, 2) / 5

CASES = [
    ("reshape", ["$x", 2, 8], {}, lambda x: x.reshape(2, 8)),
    ("view", ["$x", -1, 8], {}, lambda x: x.view(-1, 8)),
    ("view", ["$x", 16], {}, lambda x: x.view(16)),
    ("new_ones", ["$x", 5, 3], {"dtype": "float64"}, lambda x: x.new_ones(5, 3, dtype=torch.double)),
    ("new_ones", ["$x", [5, 3]], {}, lambda x: x.new_ones([5, 3])),
    ("zeros", [5, 3], {"dtype": "long"}, lambda x: torch.zeros(5, 3, dtype=torch.long)),
    ("randn_like", ["$x"], {"dtype": "float"}, lambda x: torch.randn_like(x, dtype=torch.float)),
    ("rand", [5, 3], {}, lambda x: torch.rand(5, 3)),
    ("size", ["$x"], {}, lambda x: x.size()),
    ("size", ["$x", 0], {}, lambda x: 4),
    ("dim", ["$x"], {}, lambda x: 2),
    ("stride", ["$x"], {}, lambda x: (4, 1)),
    ("numel", ["$x"], {}, lambda x: 16),
    ("sum", ["$x", [0, 1]], {}, lambda x: x.sum([0, 1])),
    ("sum", ["$x"], {"dim": 0}, lambda x: x.sum(dim=0)),
    ("max", ["$x", 1], {}, lambda x: x.max(1)),
    ("max", ["$x", [0, 1, 2, 3]], {}, lambda x: torch.max(x, torch.tensor([0, 1, 2, 3]))),
    ("permute", ["$x", 1, 0], {}, lambda x: x.permute(1, 0)),
    ("permute", ["$x", [1, 0]], {}, lambda x: x.permute(1, 0)),
    ("transpose", ["$x", 0, 1], {}, lambda x: x.t()),
    ("expand", ["$x", 2, 4, 4], {}, lambda x: x.expand(2, 4, 4)),
    ("repeat", ["$x", 2, 2], {}, lambda x: x.repeat(2, 2)),
    ("softmax", ["$x", 0], {}, lambda x: x.softmax(0)),
    ("F.softmax", ["$x"], {"dim": 0}, lambda x: F.softmax(x, dim=0)),
    ("F.softmax", [[1.0, 2.0]], {"dim": 0}, lambda x: F.softmax(torch.tensor([1.0, 2.0]), dim=0)),
    ("nn.functional.dropout", ["$x"], {}, F.dropout),
    ("nn.functional.conv2d", [IMAGE, KERNEL], {"padding": 1}, lambda x: F.conv2d(IMAGE, KERNEL, padding=1)),
    ("nn.functional.conv2d", [IMAGE, KERNEL], {"stride": [2, 2]}, lambda x: F.conv2d(IMAGE, KERNEL, stride=2)),
    ("conv2d", [IMAGE, KERNEL], {"padding": "same"}, lambda x: F.conv2d(IMAGE, KERNEL, padding="same")),
    ("F.max_pool2d", [IMAGE, 2], {}, lambda x: F.max_pool2d(IMAGE, 2)),
    ("F.max_pool2d", [IMAGE, [2, 2]], {"return_indices": True}, lambda x: F.max_pool2d(IMAGE, 2, return_indices=True)),
    ("F.interpolate", [IMAGE, [3, 3]], {}, lambda x: F.interpolate(IMAGE, [3, 3])),
    ("F.interpolate", [IMAGE], {"scale_factor": 2.0}, lambda x: F.interpolate(IMAGE, scale_factor=2.0)),
    ("F.layer_norm", ["$x", [4]], {}, lambda x: F.layer_norm(x, [4])),
    ("F.embedding", [[0, 2], "$x"], {}, lambda x: x[[0, 2]]),
    (
        "F.cross_entropy",
        [[[1.0, 2.0]], [1]],
        {},
        lambda x: F.cross_entropy(torch.tensor([[1.0, 2.0]]), torch.tensor([1])),
    ),
    ("F.softmin", ["$x", 0], {"dtype": "float64"}, lambda x: F.softmin(x, 0, dtype=torch.float64)),
    ("linalg.svd", [[[2.0, 0.5], [0.5, 1.0]]], {}, lambda x: torch.linalg.svd(torch.tensor([[2.0, 0.5], [0.5, 1.0]]))),
    ("linalg.norm", ["$x"], {"ord": "fro"}, lambda x: torch.linalg.norm(x, ord="fro")),
    ("fft.rfft", ["$x"], {"norm": "ortho"}, lambda x: torch.fft.rfft(x, norm="ortho")),
    ("special.erf", ["$x"], {}, torch.special.erf),
    ("signal.windows.hann", [4], {}, lambda x: torch.signal.windows.hann(4)),
    ("tensor", [[5.5, 3]], {}, lambda x: torch.tensor([5.5, 3])),
    ("tensor", [[1, 2]], {"dtype": "float64", "requires_grad": True}, lambda x: torch.tensor([1.0, 2.0]).double()),
    ("as_tensor", [[1, 2]], {}, lambda x: torch.tensor([1, 2])),
    ("full", [[2, 2], 3], {}, lambda x: torch.full((2, 2), 3)),
    ("arange", [0, 1, 0.25], {}, lambda x: torch.arange(0, 1, 0.25)),
    ("linspace", [0, 1, 5], {}, lambda x: torch.linspace(0, 1, 5)),
    ("randperm", [5], {}, lambda x: torch.randperm(5)),
    ("normal", [0.0, 1.0, [3]], {}, lambda x: torch.normal(0.0, 1.0, [3])),
    ("bernoulli", [[0.5, 0.5]], {}, lambda x: torch.bernoulli(torch.tensor([0.5, 0.5]))),
    ("add", [[1, 2], 2], {}, lambda x: torch.tensor([3, 4])),
    ("add", ["$x", 2], {"alpha": 3}, lambda x: torch.add(x, 2, alpha=3)),
    ("add", [2, "$x"], {}, lambda x: torch.add(2, x)),
    ("mul", [torch.tensor([1, 2], dtype=torch.int8), 2.5], {}, lambda x: torch.tensor([2.5, 5.0])),
    ("maximum", ["$x", 2], {}, lambda x: torch.maximum(x, torch.tensor(2))),
    ("clamp", ["$x"], {"min": [0, 1, 2, 3]}, lambda x: x.clamp(min=torch.tensor([0, 1, 2, 3]))),
    ("pow", [2, "$x"], {}, lambda x: torch.pow(2, x)),
    ("where", [[True, False], 1, 0], {}, lambda x: torch.tensor([1, 0])),
    ("cat", [[[1, 2], [3, 4]]], {}, lambda x: torch.tensor([1, 2, 3, 4])),
    ("stack", [[[1, 2], [3, 4]]], {"dim": 1}, lambda x: torch.tensor([[1, 3], [2, 4]])),
    ("cat", [["$x", "$x"]], {"dim": 1}, lambda x: torch.cat([x, x], dim=1)),
    (
        "meshgrid",
        [[1, 2], [3, 4]],
        {"indexing": "ij"},
        lambda x: torch.meshgrid(*torch.tensor([[1, 2], [3, 4]]), indexing="ij"),
    ),
    ("einsum", ["i,j->ij", [1, 2], [3, 4]], {}, lambda x: torch.tensor([[3, 4], [6, 8]])),
    ("einsum", ["i,j->ij", [[1, 2], [3, 4]]], {}, lambda x: torch.tensor([[3, 4], [6, 8]])),
    ("einsum", ["ij->ji", [[1, 2], [3, 4]]], {}, lambda x: torch.tensor([[1, 3], [2, 4]])),
    ("block_diag", [[[1]], [[2]]], {}, lambda x: torch.tensor([[1, 0], [0, 2]])),
    ("cartesian_prod", [[1, 2], [3]], {}, lambda x: torch.tensor([[1, 3], [2, 3]])),
    (
        "broadcast_tensors",
        [[1], [[1], [2]]],
        {},
        lambda x: torch.broadcast_tensors(torch.tensor([1]), torch.tensor([[1], [2]])),
    ),
    ("split", ["$x", [1, 3]], {}, lambda x: x.split([1, 3])),
    ("split", [[1, 2, 3], 2], {}, lambda x: torch.tensor([1, 2, 3]).split(2)),
    ("chunk", ["$x", 2], {}, lambda x: x.chunk(2)),
    ("unique", [[3, 1, 1]], {"return_counts": True}, lambda x: (torch.tensor([1, 3]), torch.tensor([2, 1]))),
    ("gather", ["$x", 0, [[0]]], {}, lambda x: x[:1, :1]),
    ("index_select", ["$x", 0, [1]], {}, lambda x: x[1:2]),
    ("complex", [[1.0], [2.0]], {}, lambda x: torch.tensor([1 + 2j])),
    ("polar", [[1.0], [0.0]], {}, lambda x: torch.polar(torch.tensor([1.0]), torch.tensor([0.0]))),
    ("broadcast_shapes", [[2, 1], [1, 3]], {}, lambda x: torch.Size([2, 3])),
    ("result_type", ["$x", 1], {}, lambda x: torch.float32),
    ("promote_types", ["int32", "float16"], {}, lambda x: torch.float16),
    ("can_cast", ["int32", "float32"], {}, lambda x: True),
    ("is_tensor", ["$x"], {}, lambda x: True),
    ("is_floating_point", ["$x"], {}, lambda x: True),
    ("to", ["$x", "float64"], {}, lambda x: x.double()),
    ("to", ["$x"], {"dtype": "half", "copy": True}, lambda x: x.half()),
    ("type", ["$x", "float64"], {}, lambda x: x.double()),
    ("bool", ["$x"], {"memory_format": "preserve_format"}, lambda x: x.bool()),
    ("item", [3], {}, lambda x: 3),
    ("tolist", [[1, 2]], {}, lambda x: [1, 2]),
    ("masked.sum", ["$x", 0], {}, lambda x: torch.masked.sum(x, 0)),
    ("operator.add", [2, "$x"], {}, lambda x: 2 + x),
    ("operator.add", [[1, 2], 2], {}, lambda x: torch.tensor([3, 4])),
    ("operator.neg", [[1, 2]], {}, lambda x: torch.tensor([-1, -2])),
    ("operator.pow", [2, 10], {}, lambda x: 1024),
    ("operator.matmul", ["$x", "$x"], {}, lambda x: x @ x),
    ("operator.lt", ["$x", 1], {}, lambda x: x < 1),
    ("operator.truediv", [7, 2], {}, lambda x: 3.5),
    ("sparse.mm", ["$x", "$x"], {}, lambda x: torch.sparse.mm(x, x)),
]


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "expected"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)]
)
def test_calls_give_the_bits_of_pytorch(name, args, kwargs, expected):
    torch.manual_seed(3)
    value = call(name, *args, names={"x": X.clone()}, **kwargs)
    torch.manual_seed(3)
    wanted = expected(X.clone())
    assert same(value, wanted) or (isinstance(value, list) and same(tuple(value), wanted)), (value, wanted)


def test_out_is_the_very_tensor():
    result = torch.zeros(4, 4)
    value = call("add", "$x", "$x", names={"x": X, "result": result}, out="$result")
    assert value is result
    assert torch.equal(result, X + X)


def test_in_place_methods_change_the_tensor():
    y = torch.ones(4, 4)
    assert call("add_", "$y", "$x", names={"x": X, "y": y}) is y
    assert torch.equal(y, X + 1)


def test_backward_and_grad():
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    assert call("backward", "$y", [1.0, 2.0], names={"y": y}, retain_graph=True) is None
    assert x.grad.tolist() == [3, 6]
    (gradient,) = call("autograd.grad", "$y", "$x", names={"x": x, "y": y}, grad_outputs=[1.0, 2.0], retain_graph=True)
    assert gradient.tolist() == [3, 6]
    (gradient,) = call("autograd.grad", ["$y"], ["$x"], names={"x": x, "y": y}, grad_outputs=[[1.0, 2.0]])
    assert gradient.tolist() == [3, 6]


def test_finfo_and_size_are_values():
    assert call("finfo", "float32").eps == 2**-23
    assert call("iinfo", "int8").max == 127
    assert call("Size", [1, 2]) == torch.Size([1, 2])


def test_the_parsers_refusal_names_the_argument():
    with pytest.raises(NoOverload) as refused:
        call("mm", "$x", "$d", names={"x": X, "d": {"a": 1}})
    assert refused.value.place == 1
    assert refused.value.expected == "Tensor"
    assert refused.value.got == "dict"
    with pytest.raises(NoOverload) as refused:
        call("sum", "$x", names={"x": X, "d": "a"}, dim="$d")
    assert "sum" in refused.value.message
    with pytest.raises(NoOverload) as refused:
        call("size", "$x", "$d", names={"x": X, "d": "q"})
    assert refused.value.place == 1


def test_an_error_of_the_op_itself_passes_through():
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        call("mm", "$x", "$y", names={"x": X, "y": torch.ones(3, 2)})
    with pytest.raises(RuntimeError, match="a Tensor with 16 elements cannot be converted to Scalar"):
        call("item", "$x", names={"x": X})
    with pytest.raises(RuntimeError, match="requires grad"):
        call("Tensor.numpy", "$x", names={"x": torch.ones(2, requires_grad=True)})


def test_a_type_error_from_within_an_op_is_no_refusal_of_its_arguments():
    error = TypeError("can't convert Sparse layout tensor to numpy")
    with pytest.raises(TypeError) as raised:
        second_try(op("Tensor.numpy"), [X], {}, error)
    assert raised.value is error


def test_second_try_makes_tensors_only_where_tensors_are_declared():
    assert torch.equal(invoke(op("atan2"), [X, 1], {}), torch.atan2(X, torch.tensor(1)))
    with pytest.raises(NoOverload):
        invoke(op("zeros"), [0.5], {})


def test_numbers_that_never_were_tensors_are_refused_before_running():
    with pytest.raises(Refusal):
        call("linalg.svd", "text")


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("operator.pow", [9, 10**9]),
        ("operator.pow", [2, 4096]),
        ("operator.lshift", [1, 10**12]),
        ("operator.mul", [2**2100, 2**2100]),
        ("operator.mul", [[1], 10**9]),
        ("operator.mul", [10**9, "ab"]),
        ("operator.imul", [[1], 10**9]),
        ("operator.mod", ["%1000000000d", 1]),
    ],
)
def test_pythons_own_values_stay_within_limits(name, args):
    with pytest.raises(Refusal) as refused:
        invoke(op(name), args, {})
    assert refused.value.findings[0].code == "limit_exceeded"


def test_pythons_own_values_may_grow_up_to_the_limits():
    assert invoke(op("operator.pow"), [2, 4000], {}) == 2**4000
    assert invoke(op("operator.pow"), [-1, 10**30], {}) == 1
    assert invoke(op("operator.lshift"), [1, 4000], {}) == 1 << 4000
    assert len(invoke(op("operator.mul"), [[0], 1_000_000], {})) == 1_000_000


def test_arrays_have_their_own_methods_by_bare_name():
    array = np.arange(6.0).reshape(2, 3)
    assert call("mean", "$a", names={"a": array}) == 2.5
    assert call("sum", "$a", names={"a": array}) == 15.0
