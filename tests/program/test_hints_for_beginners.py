"""The mistakes that people make while they learn PyTorch: where each is, and what is written instead."""

from __future__ import annotations

import pytest
from program_runs import findings_of, here

READ = [
    (1, "x = torch.nn.CrossEntropyLoss()", "call torch.nn.functional.cross_entropy(…)"),
    (1, "x = torch.nn.ReLU()", "call torch.nn.functional.relu(…)"),
    (1, "x = torch.nn.Sequential()", "there are no modules with weights"),
    (1, "x = grad(lambda t: t)", "did you mean torch.func.grad?"),
    (1, "x = cross_entropy(1, 2)", "did you mean torch.nn.functional.cross_entropy?"),
    (1, "x = math.sqr(2)", "did you mean math.sqrt?"),
    (1, "x = set('text')", "write sorted(set(xs))"),
    (1, "x = torch.Tensor(3)", "write torch.tensor(data, dtype=torch.float32)"),
    (1, "x = torch.LongTensor(3)", "write torch.tensor(data, dtype=torch.int64)"),
    (1, "x = torch.ones(1).cuda()", "write x.to(device)"),
    (1, "x = torch.ones(1).data_ptr()", "a change in place"),
    (1, "x = torch.ones(1).grad_fn.next_functions", "`tape`"),
    (1, "print(torch.__version__)", "GET /v1/server"),
    (1, "torch.set_printoptions(precision=2)", "format the numbers"),
    (1, "torch.cuda.manual_seed_all(0)", "torch.manual_seed(…) seeds every device"),
    (1, "x = torch.backends.cudnn.is_available()", "torch.cuda.is_available()"),
    (2, "x = 1\nimport random\nrandom.seed(0)", "np.random"),
    (1, "from typing import List", "annotations are not read"),
    (1, "import torch.optim as optim", "w -= lr * w.grad"),
    (1, "from torchvision import datasets", "send tensors as inputs"),
]

RUN = [
    (1, "x = torch.ones(2, 3) @ torch.ones(2, 3)", "transpose one of them"),
    (1, "x = torch.ones(2) + torch.ones(3)", "compared from the last dimension on"),
    (1, "x = torch.arange(3).mean()", "x.float()"),
    (1, "x = torch.ones(2, 2) @ torch.ones(2, 2).double()", "x.to(y.dtype)"),
    (1, "x = torch.ones(2).item()", "tolist()"),
    (1, "print(f'{torch.ones(2):.2f}')", "x.item()"),
    (1, "x = torch.ones(2, 2).max(dim=1) + 1", ".values"),
    (1, "x = torch.tensor([torch.ones(2)])", "stack or cat"),
    (2, "w = torch.ones(2, requires_grad=True)\nw.grad.zero_()", "None until backward has run"),
    (2, "w = torch.ones(2, requires_grad=True)\nx = w.grad * 2", "None until backward has run"),
    (2, "w = torch.ones(2, requires_grad=True)\nw += 1", "with torch.no_grad()"),
    (2, "w = torch.ones(2)\nw.sum().backward()", "make it with requires_grad=True"),
]
SECOND = "w = torch.ones((), requires_grad=True)\ny = w * w\ny.backward()\ny.backward()"


@pytest.mark.parametrize(("line", "text", "hint"), READ, ids=[text for _, text, _ in READ])
def test_what_is_seen_by_reading(line: int, text: str, hint: str) -> None:
    (finding,) = findings_of(text)
    assert finding.source.line == line
    assert hint in (finding.hint or "")


@pytest.mark.parametrize(("line", "text", "hint"), [*RUN, (4, SECOND, "retain_graph=True")])
def test_what_pytorch_refuses(line: int, text: str, hint: str) -> None:
    (finding,) = here(text, []).findings
    assert finding.source.line == line
    assert hint in (finding.hint or "")


def test_an_unknown_name_is_told_of_once() -> None:
    assert [(one.code, one.hint) for one in findings_of("x = toch.ones(2)\ny = nn.functional.relu(x)")] == [
        ("unknown_reference", "did you mean torch?"),
        ("unknown_reference", "did you mean torch.nn?"),
    ]
