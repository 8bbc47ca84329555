"""Which node is blamed for a saved tensor that was changed in place."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import torch

from gradwire.engine.observe import inplace
from gradwire.engine.observe.hints import hint
from gradwire.engine.observe.inplace import Writes
from gradwire.engine.observe.origins import Maker


def _refusal(call: Callable[[], object]) -> str:
    with pytest.raises(RuntimeError) as raised:
        call()
    return str(raised.value)


def _write(writes: Writes, label: str | int, tensor: torch.Tensor) -> None:
    with torch.no_grad():
        tensor.add_(1)
    writes.record(Maker(label), tensor)


def test_the_first_write_after_the_save_is_named() -> None:
    writes = Writes()
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    _write(writes, "before", y)
    out = (y * y).sum()
    _write(writes, "culprit", y)
    _write(writes, "later", y)
    explained = writes.explain(_refusal(out.backward), [x, y, out])
    assert explained is not None
    assert explained.startswith("node 'culprit' changed in place")
    assert "out-of-place" in explained
    assert "clone" in explained


def test_in_a_program_the_line_is_named() -> None:
    writes = Writes()
    y = torch.ones(2, 2, requires_grad=True) + 2
    out = (y * y).sum()
    with torch.no_grad():
        y.add_(1)
    writes.record(Maker("%3", line=5), y)
    explained = writes.explain(_refusal(out.backward), [y])
    assert explained is not None
    assert explained.startswith("line 5 changed in place")


def test_a_write_through_a_view_counts() -> None:
    writes = Writes()
    y = torch.ones(2, 2, requires_grad=True) + 2
    out = (y * y).sum()
    _write(writes, 3, y[0])
    explained = writes.explain(_refusal(out.backward), [y])
    assert explained is not None
    assert explained.startswith("node 3 ")


def test_of_two_tensors_alike_the_one_that_fits_is_taken() -> None:
    writes = Writes()
    x = torch.ones(2, requires_grad=True)
    y, other = x * 1, torch.ones(2)
    out = (y * y).sum()
    _write(writes, "culprit", y)
    for name in ("b1", "b2"):
        _write(writes, name, other)
    explained = writes.explain(_refusal(out.backward), [x, y, other])
    assert explained is not None
    assert "'culprit'" in explained


def test_one_node_that_writes_again_and_again_is_kept_once() -> None:
    writes = Writes()
    y = torch.ones(2, requires_grad=True) * 1
    for _ in range(5):
        _write(writes, "loop", y)
    out = (y * y).sum()
    for _ in range(5):
        _write(writes, "loop", y)
    assert "'loop'" in (writes.explain(_refusal(out.backward), [y]) or "")
    assert sum(len(written.writes) for written in writes._storages.values()) == 1


def test_a_tensor_that_is_gone_from_the_names_is_found_by_its_versions() -> None:
    writes = Writes()
    y = torch.ones(2, requires_grad=True) * 1
    out = (y * y).sum()
    _write(writes, "culprit", y)
    del y
    assert "'culprit'" in (writes.explain(_refusal(out.backward), []) or "")


def test_writes_keep_no_memory_and_their_number_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inplace, "MAX_WRITES", 50)
    writes = Writes()
    for index in range(500):
        _write(writes, index, torch.ones(1000))
    gc.collect()
    assert len(writes._storages) == 50
    assert all(written.ref.expired() for written in writes._storages.values())
    tensor = torch.ones(2)
    for index in range(500):
        _write(writes, index, tensor)
    assert sum(len(written.writes) for written in writes._storages.values()) <= 50


@pytest.mark.parametrize("tensor", [torch.eye(2).to_sparse(), torch.ones(2)], ids=["sparse", "inference"])
def test_tensors_without_a_storage_or_a_version_are_passed_over(tensor: torch.Tensor) -> None:
    if not tensor.is_sparse:
        with torch.inference_mode():
            tensor = torch.ones(2)
    writes = Writes()
    writes.record(Maker("w"), tensor)
    assert not writes._storages


def test_other_errors_are_not_explained() -> None:
    writes = Writes()
    _write(writes, "w", torch.ones(2))
    assert writes.explain("shapes (2x3) and (2x3) cannot be multiplied", []) is None
    assert Writes().explain("modified by an inplace operation: [torch.FloatTensor [2]] is at version 1; expected "
                            "version 0 instead.", []) is None  # fmt: skip


def _twice() -> None:
    out = (torch.ones(2, requires_grad=True) ** 2).sum()
    out.backward()
    out.backward()


def _unused() -> None:
    x = torch.ones(2, requires_grad=True)
    torch.autograd.grad(x.sum(), [torch.ones(2, requires_grad=True)])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (_twice, "retain_graph"),
        (_unused, "allow_unused"),
        (lambda: torch.ones(2).sum().backward(), '"requires_grad": true on the inputs'),
        (lambda: torch.ones(2, requires_grad=True).add_(1), "no_grad"),
        (lambda: torch.ones(2, requires_grad=True)[0].add_(1), "no_grad"),
        ((torch.ones(2, requires_grad=True) * 2).backward, "sum"),
        (lambda: torch.ones(2, dtype=torch.int64).requires_grad_(), "float32"),
        (lambda: (torch.ones(2, requires_grad=True) * 2).backward(torch.ones(3)), "shape"),
        (lambda: (torch.ones(2, 2, requires_grad=True) * 2).unbind()[0].add_(1), "clone"),
        (lambda: torch.ones(2, requires_grad=True).numpy(), "detach"),
    ],
)
def test_refusals_that_learners_meet_have_a_hint(call: Callable[[], object], words: str) -> None:
    assert words in (hint(_refusal(call)) or "")


def test_the_hint_names_inputs_that_could_require_a_gradient() -> None:
    error = _refusal(lambda: torch.ones(2).sum().backward())
    inputs = {"x": torch.ones(2), "i": torch.ones(2, dtype=torch.int64), "w": torch.ones(2, requires_grad=True)}
    assert "on input 'x'" in (hint(error, inputs) or "")


def test_other_messages_have_no_hint() -> None:
    assert hint("batch1 must be a 3D tensor") is None
