"""What the tape says is saved is what saved-tensor hooks see, op by op."""

from __future__ import annotations

import json
import math
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from taped import Taped, node_of, plain_write
from torch.nn import functional as F  # noqa: N812

from gradwire.engine.observe.saved import Storages, is_wrapped_number, jsonable

Build = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def _custom(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(value)
            return value * value

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
            (value,) = ctx.saved_tensors
            return 2 * value * grad

    return Square.apply(x)


# x and w are (4, 4), float32, positive, and require gradients.
BUILDS: dict[str, Build] = {
    "add": lambda x, w: x + w,
    "scaled": lambda x, w: x * 3,
    "by a bool": lambda x, w: x * True,
    "by a 0-dim tensor": lambda x, w: x * torch.tensor(3.0),
    "by a 0-dim bool tensor": lambda x, w: x * torch.tensor(True),
    "mul": lambda x, w: x * w,
    "square": lambda x, w: x * x,
    "div": lambda x, w: x / w,
    "rdiv": lambda x, w: 2 / x,
    "pow": lambda x, w: x**w,
    "pow number": lambda x, w: x**2,
    "number pow": lambda x, w: 2**x,
    "exp": lambda x, w: x.exp(),
    "sin of exp": lambda x, w: x.exp().sin(),
    "tanh": lambda x, w: x.tanh(),
    "column": lambda x, w: x[:, 1] * x[:, 2],
    "expanded": lambda x, w: x[0].expand(4, 4) * w,
    "matmul": lambda x, w: x @ w,
    "matvec": lambda x, w: x @ w[0],
    "bmm": lambda x, w: torch.bmm(x.view(1, 4, 4), w.view(1, 4, 4)),
    "einsum": lambda x, w: torch.einsum("ij,jk->ik", x, w),
    "addmm": lambda x, w: torch.addmm(x, x, w, beta=2, alpha=0.5),
    "softmax": lambda x, w: x.softmax(0),
    "log_softmax": lambda x, w: x.log_softmax(1),
    "logsumexp": lambda x, w: x.logsumexp(0),
    "layer_norm": lambda x, w: F.layer_norm(x, (4,), w[0], w[1]),
    "batch_norm": lambda x, w: F.batch_norm(x, None, None, w[0], w[1], training=True),
    "group_norm": lambda x, w: F.group_norm(x.view(1, 4, 4), 2),
    "cross_entropy": lambda x, w: F.cross_entropy(x, torch.tensor([0, 1, 2, 3]), w[0].detach()),
    "bce": lambda x, w: F.binary_cross_entropy_with_logits(x, torch.ones(4, 4)),
    "mse": F.mse_loss,
    "smooth_l1": F.smooth_l1_loss,
    "conv1d": lambda x, w: F.conv1d(x.view(1, 1, 16), w.view(1, 1, 16)[..., :3]),
    "conv2d": lambda x, w: F.conv2d(x.view(1, 1, 4, 4), w.view(1, 1, 4, 4)[..., :2, :2], padding=1),
    "conv_transpose2d": lambda x, w: F.conv_transpose2d(x.view(1, 1, 4, 4), w.view(1, 1, 4, 4)),
    "linear": lambda x, w: F.linear(x, w, w[0]),
    "relu": lambda x, w: F.relu(x),
    "gelu": lambda x, w: F.gelu(x),
    "silu": lambda x, w: F.silu(x),
    "leaky_relu": lambda x, w: F.leaky_relu(x),
    "prelu": lambda x, w: F.prelu(x, w[0]),
    "max_pool2d": lambda x, w: F.max_pool2d(x.view(1, 1, 4, 4), 2),
    "avg_pool2d": lambda x, w: F.avg_pool2d(x.view(1, 1, 4, 4), 2),
    "interpolate": lambda x, w: F.interpolate(x.view(1, 1, 4, 4), scale_factor=2, mode="bilinear"),
    "dropout": lambda x, w: F.dropout(x, 0.5),
    "attention": lambda x, w: F.scaled_dot_product_attention(
        x.view(1, 1, 4, 4), w.view(1, 1, 4, 4), w.view(1, 1, 4, 4)
    ),
    "embedding": lambda x, w: F.embedding(torch.tensor([0, 2]), x),
    "indexed": lambda x, w: x[torch.tensor([0, 2]), torch.tensor([1, 1])],
    "masked": lambda x, w: x[x > 0.5],
    "gather": lambda x, w: x.gather(0, torch.zeros(2, 4, dtype=torch.int64)),
    "index_select": lambda x, w: x.index_select(0, torch.tensor([1])),
    "scatter_add": lambda x, w: x.scatter_add(0, torch.zeros(2, 4, dtype=torch.int64), w[:2]),
    "cumsum": lambda x, w: x.cumsum(0),
    "cumprod": lambda x, w: x.cumprod(0),
    "max": lambda x, w: x.max(),
    "max with dim": lambda x, w: x.max(dim=1).values,
    "sort": lambda x, w: x.sort(dim=0).values,
    "topk": lambda x, w: x.topk(2).values,
    "median": lambda x, w: x.median(),
    "prod": lambda x, w: x.prod(),
    "var": lambda x, w: x.var(0),
    "norm": lambda x, w: torch.linalg.norm(x),
    "vector_norm": lambda x, w: torch.linalg.vector_norm(x, 3, dim=0),
    "where": lambda x, w: torch.where(x > 0.5, x, w),
    "clamp": lambda x, w: x.clamp(0.1, 0.6),
    "maximum": torch.maximum,
    "cat": lambda x, w: torch.cat([x, w]) * 2,
    "stack": lambda x, w: torch.stack([x, w]).exp(),
    "atan2": torch.atan2,
    "lerp": lambda x, w: torch.lerp(x, w, w),
    "addcmul": lambda x, w: torch.addcmul(x, x, w, value=2),
    "to float64": lambda x, w: x.double() * w,
    "inv": lambda x, w: torch.linalg.inv(x + 4 * torch.eye(4)),
    "det": lambda x, w: torch.linalg.det(x),
    "solve": lambda x, w: torch.linalg.solve(x + 4 * torch.eye(4), w),
    "svd": lambda x, w: torch.linalg.svd(x).S,
    "eigh": lambda x, w: torch.linalg.eigh(x + x.mT).eigenvalues,
    "cholesky": lambda x, w: torch.linalg.cholesky(x @ x.mT + torch.eye(4)),
    "qr": lambda x, w: torch.linalg.qr(x).R,
    "rfft": lambda x, w: torch.fft.rfft(x).abs(),
    "complex": lambda x, w: (torch.complex(x, w) * 2j).abs(),
    "stft": lambda x, w: torch.stft(x.view(16), 8, return_complex=True, window=torch.ones(8)).abs(),
    "cdist": torch.cdist,
    "pad": lambda x, w: F.pad(x, (1, 1)),
    "logaddexp": torch.logaddexp,
    "special": lambda x, w: torch.special.i0e(x) + torch.erf(w),
    "ctc": lambda x, w: F.ctc_loss(
        x.view(4, 1, 4).log_softmax(2), torch.tensor([[1]]), torch.tensor([4]), torch.tensor([1])
    ),
    "unbind": lambda x, w: x.unbind(0)[1] * w.unbind(0)[2],
    "custom function": _custom,
}

# Writes into `base`, which is x * 1: what is written, the in-place op, its other arguments from w.
WRITES: dict[str, tuple[Any, str, Callable[[torch.Tensor], tuple[Any, ...]]]] = {
    "mul_": (..., "mul_", lambda w: (w,)),
    "exp_": (..., "exp_", lambda w: ()),
    "row mul_": (0, "mul_", lambda w: (w[0],)),
    "row div_ number": (0, "div_", lambda w: (2.0,)),
    "column div_": ((slice(None), 1), "div_", lambda w: (w[0],)),
    "row pow_": (0, "pow_", lambda w: (w[1],)),
    "row exp_": (0, "exp_", lambda w: ()),
    "rows sigmoid_": (slice(1, 3), "sigmoid_", lambda w: ()),
    "row copy_": (0, "copy_", lambda w: (w[0],)),
    "assigned row": (..., "setitem", lambda w: (0, w[0])),
    "assigned by index": (..., "setitem", lambda w: (torch.tensor([0, 2]), w[:2])),
    "assigned by mask": (..., "setitem", lambda w: (torch.eye(4, dtype=torch.bool), w[0])),
    "assigned column by index": (..., "setitem", lambda w: ((1, torch.tensor([0, 2])), w[0, :2])),
    "part assigned by index": (slice(1, 3), "setitem", lambda w: (torch.tensor([0, 1]), w[:2])),
}


def _leaves() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.rand(4, 4, generator=generator) * 0.8 + 0.1 for _ in range(2))
    return x.requires_grad_(), w.requires_grad_()


class _Box:
    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach()


def _seen_by_hooks(build: Build) -> int:
    """The bytes of all storages that hooks see, each once, for what the output still reaches."""
    boxes: list[weakref.ref[_Box]] = []

    def pack(tensor: torch.Tensor) -> _Box:
        box = _Box(tensor)
        boxes.append(weakref.ref(box))
        return box

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
        out = build(*_leaves())
    assert out.requires_grad
    kept = [box.tensor for ref in boxes if (box := ref()) is not None]
    storages = [tensor.untyped_storage() for tensor in kept]
    return sum({storage._cdata: storage.nbytes() for storage in storages}.values())


@pytest.mark.parametrize("name", BUILDS)
def test_saved_bytes_are_those_of_the_storages_that_hooks_see(name: str) -> None:
    x, w = _leaves()
    run = Taped(x=x, w=w)
    out = run("out", BUILDS[name], x, w)
    assert run.read(out=out)["saved_bytes"] == _seen_by_hooks(BUILDS[name])


@pytest.mark.parametrize("name", WRITES)
def test_what_a_write_saves_counts_also_where_pytorch_hides_it(name: str) -> None:
    where, op, others = WRITES[name]

    def build(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        base = x * 1
        plain_write(op, base[where], *others(w))
        return base

    x, w = _leaves()
    run = Taped(x=x, w=w)
    base = run("base", torch.mul, x, 1)
    part = run("part", lambda tensor: tensor[where], base)
    run.write("write", op, part, *others(w))
    tape = run.read(base=base)
    assert tape["saved_bytes"] == _seen_by_hooks(build)
    assert tape["nodes"][0]["node"] == "write"


def test_a_saved_column_counts_its_whole_storage_but_its_own_bytes_are_its_elements() -> None:
    x = torch.rand(4, 4)
    w = torch.rand(4, requires_grad=True)
    run = Taped(x=x, w=w)
    out = run("out", lambda a, b: a[:, 1] * b, x, w)
    tape = run.read(out=out)
    (save,) = tape["nodes"][0]["saved"]
    assert save == {"name": "self", "dtype": "float32", "shape": [4], "bytes": 16, "storage": 0}
    assert tape["nodes"][0]["saved_bytes"] == tape["saved_bytes"] == 64


@pytest.mark.parametrize("number", [3, 3.0, True, 2j])
def test_numbers_are_told_from_tensors_without_dimensions(number: Any) -> None:
    x = torch.ones(2, requires_grad=True)
    assert is_wrapped_number((x * number).grad_fn._raw_saved_other.data)
    assert not is_wrapped_number((x * torch.tensor(number)).grad_fn._raw_saved_other.data)


def test_saves_that_are_no_tensors_are_json() -> None:
    x = torch.ones(2, 2, requires_grad=True)
    run = Taped(x=x)
    loss = run("loss", lambda t: F.nll_loss(t.log_softmax(-1) * math.inf, torch.tensor([0, 1])), x)
    scaled = run("scaled", torch.mul, x, 2j)
    tape = run.read(loss=loss, scaled=scaled)
    saved = {(node["name"], save["name"]): save.get("value") for node in tape["nodes"] for save in node["saved"]}
    assert saved["NllLossBackward0", "ignore_index"] == -100
    assert saved["LogSoftmaxBackward0", "dim"] == -1
    assert [node["saved"] for node in tape["nodes"] if node.get("node") == "scaled"] == [
        [{"name": "other", "value": [0.0, 2.0]}]
    ]
    assert {"name": "other", "value": "Infinity"} in [save for node in tape["nodes"] for save in node["saved"]]
    json.dumps(tape, allow_nan=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (2**64 - 1, -1),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        (complex(1, math.inf), [1.0, "Infinity"]),
        (torch.float32, "float32"),
        (torch.device("cpu"), "cpu"),
        (torch.Size([2, 3]), [2, 3]),
        ((None, True, "mean", (1.5,)), [None, True, "mean", [1.5]]),
    ],
)
def test_jsonable(value: Any, expected: Any) -> None:
    assert jsonable(value) == expected


def test_a_storage_that_is_freed_and_another_at_its_address_have_two_numbers() -> None:
    storages = Storages()
    numbers = {storages.number(torch.empty(1000)) for _ in range(20)}
    assert len(numbers) == 20
    assert storages.total == 80_000


def test_saves_that_were_freed_are_said_to_be() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(x=x)
    square = run("square", torch.mul, x, x)
    square.sum().backward()
    node = node_of(run.read(square=square), "MulBackward0")
    assert node["saved"] == [{"name": name, "value": None, "freed": True} for name in ("other", "self")]
    assert node["saved_bytes"] == 0


def test_a_saved_tensor_that_was_changed_since_is_still_listed() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(x=x)
    y = run("y", torch.add, x, 1)
    z = run("z", torch.mul, y, y)
    run.write("w", "add_", y, 1)
    tape = run.read(z=z)
    assert [save["bytes"] for save in tape["nodes"][0]["saved"]] == [8, 8]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
