"""`"variables": true`: what every name stands for when the graph has ended."""

from __future__ import annotations

import torch

from service import Service, node

PROGRAM = """\
import torch
x = torch.tensor([1.0, 2.0], requires_grad=True)
total = 0.0
for i in range(3):
    total = total + (x * i).sum()
total.backward()
double = lambda t: t * 2
names = ['a', 'b']
gone = 1
del gone
"""


def test_a_programs_variables_come_in_the_order_of_their_binding_and_functions_are_left_out(service: Service) -> None:
    variables = service.graph({"program": PROGRAM, "variables": True})["variables"]
    assert list(variables) == ["x", "i", "total", "names"]
    assert variables["x"]["data"] == [1.0, 2.0]
    assert variables["i"] == {"kind": "int", "value": 2}
    assert (variables["total"]["data"], variables["total"]["grad_fn"]) == (9.0, "AddBackward0")
    assert [item["value"] for item in variables["names"]["items"]] == ["a", "b"]


def test_nodes_have_variables_too_also_those_that_nothing_reads_again(service: Service) -> None:
    nodes = [node("mul", "$x", 2, id="y"), node("sum", "$y", id="out")]
    reply = service.graph({"inputs": {"x": [1.0, 2.0]}, "nodes": nodes, "returns": ["out"], "variables": True})
    assert {name: value["data"] for name, value in reply["variables"].items()} == {
        "x": [1.0, 2.0],
        "y": [2.0, 4.0],
        "out": 6.0,
    }
    assert list(reply["outputs"]) == ["out"]


def test_without_the_wish_there_are_none(service: Service) -> None:
    assert "variables" not in service.graph({"program": PROGRAM})


def test_large_values_are_told_briefly(service: Service) -> None:
    program = (
        "import torch\na = torch.arange(2000, dtype=torch.float32)\nb = a.clone()\nb[7] = float('nan')\n"
        "c = torch.zeros(40, 40, dtype=torch.complex64)\nd = torch.ones(1).expand(10**12)\n"
        "e = [1.0] * 20000\nf = a.numpy()\ng = torch.randint(0, 9, (50, 50))\n"
    )
    variables = service.graph({"program": program, "variables": True, "seed": 3, "returns": []})["variables"]
    torch.manual_seed(3)
    drawn = torch.randint(0, 9, (50, 50))
    assert variables["a"]["summary"] == {"min": 0.0, "max": 1999.0, "mean": 999.5}
    assert variables["a"]["shape"] == variables["f"]["shape"] == [2000]
    assert "data" not in variables["a"]
    assert variables["b"]["summary"] == {"min": "NaN", "max": "NaN", "mean": "NaN"}
    assert (variables["c"]["summary"], variables["d"]["summary"]) == (None, None)
    assert (variables["e"]["kind"], variables["e"]["length"]) == ("list", 20000)
    assert variables["f"]["summary"] == variables["a"]["summary"]
    assert variables["g"]["summary"]["mean"] == drawn.double().mean().item()


def test_a_value_that_cannot_be_read_takes_no_other_with_it(service: Service) -> None:
    program = "a = 1\nl = []\nl.append(l)\nb = 2\n"
    variables = service.graph({"program": program, "variables": True, "returns": ["a"]})["variables"]
    assert (variables["a"]["value"], variables["b"]["value"]) == (1, 2)
    assert (variables["l"]["kind"], variables["l"]["length"]) == ("list", 1)


def test_the_tape_of_a_program_ties_each_node_to_its_line(service: Service) -> None:
    program = (
        "import torch\nx = torch.ones(2, requires_grad=True)\ny = x + 2\nout = (\n    y * y\n).sum()\nout.backward()"
    )
    tape = service.graph({"program": program, "tape": True})["tape"]
    assert {entry["name"]: entry["line"] for entry in tape["nodes"]} == {
        "SumBackward0": 4,
        "MulBackward0": 5,
        "AddBackward0": 3,
        "AccumulateGrad": 2,
    }


def test_what_a_text_of_brackets_or_characters_would_be_is_large_too(service: Service) -> None:
    program = (
        "import torch\nimport numpy as np\na = torch.zeros(10**9, 0)\nb = [torch.zeros(10**9, 0)]\n"
        "c = np.zeros((10**6, 0))\nd = ['x' * 9000] * 9000\ne = torch.zeros(0, 10**9)\n"
    )
    variables = service.graph({"program": program, "variables": True, "returns": []})["variables"]
    assert (variables["a"]["shape"], variables["a"]["summary"]) == ([10**9, 0], None)
    assert (variables["b"]["length"], variables["d"]["length"], variables["c"]["shape"]) == (1, 9000, [10**6, 0])
    assert variables["e"]["data"] == []
