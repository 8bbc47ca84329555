"""The gradients that flowed into each tape node, and that looking at them changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from taped import Taped, node_of

from gradwire.engine.observe.flow import copied


def _flows(tape: dict[str, Any]) -> dict[str, Any]:
    """Gradients as lists by the name of the tape node; where a name occurs twice, the first."""
    found: dict[str, Any] = {}
    for node in tape["nodes"]:
        grads = node["grad"]
        as_lists = None if grads is None else [None if grad is None else grad.tolist() for grad in grads]
        found.setdefault(node["name"], as_lists)
    return found


def test_backward_shows_what_flowed_into_every_node() -> None:
    x = torch.ones(2, 2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", torch.add, x, 2)
    z = run("z", lambda value: value * value * 3, y)
    out = run("out", torch.mean, z)
    run.backward(3, "out", out)
    flows = _flows(run.read())
    assert flows["MeanBackward0"] == [1.0]
    assert flows["MulBackward0"] == [[[0.25, 0.25], [0.25, 0.25]]]
    assert flows["AddBackward0"] == flows["AccumulateGrad"] == [[[4.5, 4.5], [4.5, 4.5]]]


def test_a_leafs_gradient_is_that_of_the_run_and_not_the_sum_of_runs() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    for scale in (1, 10):
        out = run("out", lambda value, factor: (value * factor).sum(), x, scale)
        run.backward("b", "out", out)
    assert x.grad.tolist() == [11, 11]
    assert node_of(run.read(), "AccumulateGrad")["grad"][0].tolist() == [10, 10]


def test_nodes_that_no_run_crossed_have_none() -> None:
    run = Taped(gradients=True, x=(x := torch.ones(2, requires_grad=True)))
    out = run("out", torch.sum, x)
    assert _flows(run.read(out=out)) == {"SumBackward0": None, "AccumulateGrad": None}


def test_outputs_of_a_node_that_were_not_used_have_null_or_zeros() -> None:
    x = torch.rand(3, 2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    parts = run("parts", torch.unbind, x)
    run.backward("b", "out", run("out", torch.sum, parts[1]))
    assert _flows(run.read())["UnbindBackward0"] == [None, [1.0, 1.0], None]


def test_autograd_grad_shows_what_reached_the_tensors_that_it_stops_at() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", torch.exp, x)
    parts = run("parts", torch.unbind, y * 2)
    out = run("out", torch.mul, parts[0], parts[1] * 3)
    by_part, by_leaf = run.grad("g", "out", out, [parts[1], x], retain_graph=True)
    flows = _flows(run.read())
    assert flows["AccumulateGrad"] == [by_leaf.tolist()]
    run.grad("h", "out", out, [parts[1]])
    assert _flows(run.read())["UnbindBackward0"] == [None, by_part.item()]


def test_a_function_that_gives_no_gradient_to_a_leaf_shows_null() -> None:
    class Blocked(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: torch.Tensor) -> torch.Tensor:
            return value * 2

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> None:
            return None

    x = torch.ones(2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", Blocked.apply, x)
    run.backward("b", "y", y, gradient=torch.ones(2))
    assert _flows(run.read()) == {"BlockedBackward": [[1, 1]], "AccumulateGrad": [None]}
    assert x.grad is None


def test_double_backward() -> None:
    x = torch.tensor([2.0], requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", lambda value: value**3, x)
    (first,) = run.grad("g", "y", y, [x], create_graph=True)
    (second,) = run.grad("h", "g.0", first, [x])
    tape = run.read()
    assert (first.item(), second.item()) == (12, 12)
    assert not any(grad.requires_grad for node in tape["nodes"] for grad in node["grad"] or [] if grad is not None)
    assert tape["nodes"][tape["roots"]["g.0"]]["grad"][0].tolist() == [1]


def test_batched_cotangents_show_as_one_tensor_with_the_batch_first() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", torch.mul, x, x)
    (jacobian,) = run.grad("g", "y", y, [x], grad_outputs=[torch.eye(2)], is_grads_batched=True)
    assert jacobian.tolist() == [[2, 0], [0, 4]]
    assert _flows(run.read()) == {"MulBackward0": [[[1, 0], [0, 1]]], "AccumulateGrad": [[[2, 0], [0, 4]]]}


def test_the_gradient_of_a_sum_over_an_expanded_tensor_takes_the_memory_of_one_number() -> None:
    grad = torch.ones(1, 3).expand(10**6, 3).expand(2, 10**6, 3)
    copy = copied(grad)
    assert copy.shape == grad.shape
    assert copy.untyped_storage().nbytes() == 12
    assert copy.data_ptr() != grad.data_ptr()


def test_hooks_are_gone_after_a_backward_that_failed() -> None:
    x = torch.ones(2, requires_grad=True)
    run = Taped(gradients=True, x=x)
    y = run("y", torch.add, x, 1)
    out = run("out", lambda value: (value * value).sum(), y)
    run.write("w", "add_", y, 1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        run.backward("b", "out", out)
    before = [node["grad"] for node in run.read()["nodes"]]
    (x * 3).sum().backward()
    assert [node["grad"] for node in run.read()["nodes"]] == before
    assert not x._backward_hooks


def _many_uses(tape: Taped | None) -> list[Any]:
    """A program whose gradients depend on the order of sums, with views, writes and shared parts; its results."""
    generator = torch.Generator().manual_seed(1)
    x = (torch.rand(8, 8, generator=generator) * 1e4).requires_grad_()

    def call(label: str, function: Any, *args: Any) -> Any:
        return function(*args) if tape is None else tape(label, function, *args)

    def write(label: str, name: str, tensor: torch.Tensor, *args: Any) -> Any:
        return getattr(tensor, name)(*args) if tape is None else tape.write(label, name, tensor, *args)

    if tape is not None:
        tape.tape.inputs({"x": x})
    base = call("base", lambda v: v / 3, x)
    row = call("row", lambda v: v[0], base)
    block = call("block", lambda v: v[2:5], base)
    write("w", "mul_", row, x[1] / 7)
    uses = [call("u1", lambda v: v.sin().sum(), base), call("u2", lambda v: v.sum() / 3, base)]
    call("size", torch.Tensor.size, block)
    uses += [call("u3", lambda v: (v * 1e-3).exp().sum(), block), call("u4", lambda v: v.std(), base)]
    uses += [call("u5", lambda v: v.prod() * 1e-30, row), call("u6", lambda v: v.cos().sum(), block)]
    total = call("total", lambda parts: sum(parts[1:], parts[0]), uses)
    if tape is None:
        total.backward()
    else:
        tape.backward("b", "total", total)
    assert x.grad is not None
    return [x.grad, x.grad.stride(), x.grad.untyped_storage().nbytes(), total.detach()]


@pytest.mark.parametrize("gradients", [False, True])
def test_a_tape_changes_no_bit(gradients: bool) -> None:
    plain, watched = _many_uses(None), _many_uses(Taped(gradients))
    assert torch.equal(plain[0], watched[0])
    assert torch.equal(plain[3], watched[3])
    assert plain[1:3] == watched[1:3]


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("op", ["exp_", "mul_", "sigmoid_"])
def test_a_tape_hides_no_error_of_a_write_after_a_save(gradients: bool, op: str) -> None:
    """Also where the save itself was made by a write through a view, which the tape watches by hooks."""

    def program(run: Taped | None) -> None:
        x = torch.rand(2, 2, requires_grad=True)
        base = x * 1 if run is None else run("base", torch.mul, x, 1)
        row = base[0] if run is None else run("row", torch.select, base, 0, 0)
        args = (x[1] * 2,) if op == "mul_" else ()
        for label, name, more in (("w", op, args), ("w2", "add_", (1,))):
            getattr(row, name)(*more) if run is None else run.write(label, name, row, *more)
        if op == "mul_":
            args[0].data_ptr()
            with torch.no_grad():
                args[0].add_(1)
        out = base.sum()
        out.backward() if run is None else run.backward("b", "out", out)

    messages = []
    for run in (None, Taped(gradients)):
        with pytest.raises(RuntimeError) as raised:
            program(run)
        messages.append(str(raised.value))
    assert messages[0] == messages[1]


def test_a_stolen_gradient_is_still_stolen() -> None:
    """PyTorch gives a leaf the very memory that arrives where nobody else holds it: looking must not hold it."""

    def shares(run: Taped | None) -> bool:
        x = torch.ones(4, requires_grad=True)
        cotangent = torch.ones(4)
        y = x.view(2, 2) if run is None else run("y", torch.Tensor.view, x, 2, 2)
        grad = cotangent.view(2, 2)
        y.backward(grad) if run is None else run.backward("b", "y", y, gradient=grad)
        assert x.grad is not None
        return x.grad.data_ptr() == cotangent.data_ptr()

    assert shares(None) == shares(Taped(gradients=True))
