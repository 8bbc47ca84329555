"""PyTorch's own text in place of nodes: run, printed, differentiated, and told what is wrong with it."""

from __future__ import annotations

import pytest

from service import Service
from tensor_json import to_torch

TUTORIAL = """\
import torch
x = torch.ones(2, 2, requires_grad=True)
y = x + 2
z = y * y * 3
out = z.mean()
print(z, out)
out.backward()
print(x.grad)"""


def test_the_tutorial_runs_as_it_is_written(service: Service) -> None:
    reply = service.graph({"program": TUTORIAL})
    assert list(reply["outputs"]) == ["out", "x.grad"]
    assert reply["outputs"]["out"]["data"] == 27.0
    assert reply["outputs"]["x.grad"]["data"] == [[4.5, 4.5], [4.5, 4.5]]
    assert reply["printed"] == [
        {
            "line": 6,
            "text": "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>) "
            "tensor(27., grad_fn=<MeanBackward0>)",
        },
        {"line": 8, "text": "tensor([[4.5000, 4.5000],\n        [4.5000, 4.5000]])"},
    ]


def test_a_program_sees_the_graphs_inputs_and_functions(service: Service) -> None:
    body = {
        "inputs": {"x": [1.0, 2.0]},
        "functions": {"f": {"params": ["v"], "program": "s = (v ** 3).sum()", "returns": "s"}},
        "program": "import torch\ng = torch.func.grad(f)(x)\n[print(float(one), end=';') for one in g]",
        "returns": ["g"],
    }
    reply = service.graph(body)
    assert reply["outputs"]["g"]["data"] == [3.0, 12.0]
    assert reply["printed"] == [
        {"line": 3, "text": "3.0", "end": ";"},
        {"line": 3, "text": "12.0", "end": ";"},
    ]


def test_a_program_that_prints_nothing_has_an_empty_list(service: Service) -> None:
    reply = service.graph({"program": "x = 1\ndef f():\n    return 2"})
    assert reply["printed"] == []
    assert reply["outputs"] == {"x": {"kind": "int", "value": 1}}


def test_the_tape_ties_to_nodes_of_a_program(service: Service) -> None:
    tape = service.graph({"program": TUTORIAL, "tape": True})["tape"]
    assert [one["name"] for one in tape["nodes"]] == [
        "MeanBackward0", "MulBackward0", "MulBackward0", "AddBackward0", "AccumulateGrad",
    ]  # fmt: skip


def test_in_place_steps_train_as_local_pytorch_does(service: Service) -> None:
    text = """\
import torch
w = torch.zeros(2, requires_grad=True)
x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
t = torch.tensor([1.0, 2.0])
losses = []
for step in range(50):
    loss = ((x @ w - t) ** 2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.02 * w.grad
        w.grad = None
    losses.append(loss.item())
"""
    names: dict[str, object] = {}
    exec(compile(text, "program", "exec"), names)  # noqa: S102 the test's own program
    outputs = service.graph({"program": text, "returns": ["w", "losses"]})["outputs"]
    assert to_torch(outputs["w"]).tolist() == names["w"].tolist()  # type: ignore[attr-defined]
    assert [one["value"] for one in outputs["losses"]["items"]] == names["losses"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("import torch\ny = torch.mm(torch.ones(2, 2), torch.ones(3))", "op_failed", (2, 5)),
        ("x = eval('1')", "invalid_program", (1, 5)),
        ("import os", "invalid_program", (1, 8)),
        ("import torch\ntorch.ones(2).__class__", "invalid_program", (2, 1)),
        ("x = (1", "invalid_program", (1, 5)),
        ("import torch\nx = torch.load('f')", "excluded_op", (2, 5)),
        ("while True:\n    pass", "limit_exceeded", (1, 7)),
    ],
)
def test_errors_have_a_line_and_a_column(service: Service, text: str, code: str, place: tuple[int, int]) -> None:
    problem = service.refused({"program": text})
    error = problem["errors"][0]
    assert (problem["status"], error["code"], error["pointer"]) == (422, code, "/program")
    assert (error["line"], error["column"]) == place


def test_nodes_and_program_are_not_both(service: Service) -> None:
    error = service.refused({"program": "x = 1", "nodes": []})["errors"][0]
    assert (error["code"], error["pointer"]) == ("invalid_request", "/nodes")


def test_a_graph_has_one_of_them(service: Service) -> None:
    error = service.refused({"inputs": {}})["errors"][0]
    assert (error["code"], error["pointer"], error["expected"]) == ("invalid_request", "", "nodes")
    assert error["hint"] == "or `program`"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("u = '\\ud800'", "invalid_program"),
        ("u = f'{x}\\ud800'", "invalid_program"),
        ("u = [{'\\ud83d': 1}]", "invalid_program"),
        ("u = '%c' % 0xdfff", "invalid_argument"),
        ("print('a', end=f'{0xdc00:c}')", "invalid_argument"),
    ],
)
def test_half_of_a_surrogate_pair_is_refused_where_it_stands(service: Service, text: str, code: str) -> None:
    (error,) = service.refused({"program": f"x = 1\n{text}"})["errors"]
    assert (error["code"], error["line"]) == (code, 2)
    assert "surrogate" in error["message"]


@pytest.mark.parametrize(
    "text", ["for *i in [1]:\n    x = 1", "x = [i for *i in [1]]", "with torch.no_grad() as *v:\n    x = 1"]
)
def test_a_star_alone_is_no_target(service: Service, text: str) -> None:
    (error,) = service.refused({"program": text})["errors"]
    assert (error["message"].split("\n")[0], error["line"]) == (
        "starred assignment target must be in a list or tuple",
        1,
    )


def test_an_annotation_alone_binds_nothing(service: Service) -> None:
    reply = service.graph({"program": "y = 1\nx: int", "variables": True})
    assert (list(reply["variables"]), list(reply["outputs"])) == (["y"], ["y"])


def test_a_program_that_runs_too_long_is_told_with_its_line(service: Service) -> None:
    program = "import torch\nx = torch.ones(4000, 4000)\n\ns = torch.linalg.svd(x)"
    problem = service.refused({"program": program, "deadline_ms": 300})
    (error,) = problem["errors"]
    assert (problem["status"], error["pointer"], error["line"]) == (504, "/program", 4)
    assert "line 4 was running" in error["message"]
