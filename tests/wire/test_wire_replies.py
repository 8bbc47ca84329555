"""Whole replies: strict JSON around the values, within the limit."""

import json
import math

import pytest
import torch

from gradwire.contract.limits import Limits
from gradwire.engine.values import Outcome, OutputValue
from gradwire.findings import Refusal, Source
from gradwire.wire.read.tensor import read_tensor
from gradwire.wire.write.reply import graph_reply, op_reply
from gradwire.wire.write.room import TooLarge, Unwritable

TIMING = {"queue": 0.25, "decode": 0.12345, "run": 1.0}


def refuse_constant(word):
    raise AssertionError(f"{word} stands bare")


def strict(body):
    return json.loads(body, parse_constant=refuse_constant)


def outcome(outputs, tape=None, seed=1234):
    return Outcome(outputs, seed, "cpu", tape)


def test_a_graphs_reply():
    x = torch.ones(2, 2)
    document = strict(graph_reply(outcome({"y": OutputValue(x), "n": OutputValue(2)}), TIMING, Limits()))
    assert list(document) == ["outputs", "seed", "device", "torch", "timing_ms"]
    assert list(document["outputs"]) == ["y", "n"]
    assert document["outputs"]["y"]["data"] == x.tolist()
    assert document["outputs"]["n"] == {"kind": "int", "value": 2}
    assert (document["seed"], document["device"]) == (1234, "cpu")
    assert document["torch"] == torch.__version__.split("+")[0]
    assert {**document["timing_ms"], "encode": 0} == {"queue": 0.25, "decode": 0.123, "run": 1.0, "encode": 0}
    assert document["timing_ms"]["encode"] >= 0


def test_an_ops_reply():
    document = strict(op_reply(outcome({"result": OutputValue(torch.ones(1), "base64", full=True)}), TIMING, Limits()))
    assert list(document) == ["result", "seed", "device", "torch", "timing_ms"]
    assert document["result"]["data"] == "AACAPw=="
    assert document["result"]["storage"] == 0


@pytest.mark.parametrize("seed", [0, -(2**63), 2**64 - 1])
def test_a_seed_comes_back_as_the_number_sent(seed):
    assert strict(graph_reply(outcome({}, seed=seed), TIMING, Limits()))["seed"] == seed


def test_each_output_is_written_as_it_was_asked_for():
    x = torch.ones(1)
    outputs = {
        "a": OutputValue(x),
        "b": OutputValue(x, "base64"),
        "c": OutputValue(x[:0], full=True),
        "d": OutputValue(x, full=True),
    }
    found = strict(graph_reply(outcome(outputs), TIMING, Limits()))["outputs"]
    assert [found[name]["encoding"] for name in "abcd"] == ["json", "base64", "json", "json"]
    assert ["storage" in found[name] for name in "abcd"] == [False, False, True, True]
    assert found["c"]["storage"] == found["d"]["storage"]


def test_a_tape_is_strict_json():
    tape = {
        "roots": {"out": 0},
        "nodes": [
            {
                "id": 0,
                "name": "MulBackward0",
                "next": [[1, 0], None],
                "saved_bytes": 0,
                "saved": [
                    {"name": "other", "value": math.inf},
                    {"name": "b", "value": 1e16},
                    {"name": "c", "value": 2**60},
                    {"name": "d", "value": (1, True, None)},
                    {"name": "e", "value": 1 + 2j},
                    {"name": "f", "dtype": torch.float32},
                ],
                "grad": [torch.tensor([1.5]), None],
            },
        ],
        "saved_bytes": 16,
    }
    body = graph_reply(outcome({}, tape), TIMING, Limits())
    assert b'"value":1e+16' in body
    document = strict(body)["tape"]
    assert document["roots"] == {"out": 0}
    (node,) = document["nodes"]
    assert node["next"] == [[1, 0], None]
    assert [saved.get("value") for saved in node["saved"]] == [
        "Infinity",
        1e16,
        str(2**60),
        [1, True, None],
        [1.0, 2.0],
        None,
    ]
    assert node["saved"][5]["dtype"] == "float32"
    assert node["grad"][0]["data"] == [1.5]
    assert node["grad"][0]["kind"] == "tensor"
    assert node["grad"][1] is None


def test_a_value_that_cannot_be_written_names_the_output():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(Unwritable, match="nests more than 100 deep") as caught:
        graph_reply(outcome({"small": OutputValue(1), "endless": OutputValue(endless)}), TIMING, Limits())
    assert caught.value.output == "endless"


def test_a_reply_over_the_limit_names_the_output():
    limits = Limits(max_output_bytes=2000)
    outputs = {"small": OutputValue(torch.ones(10)), "large": OutputValue(torch.ones(600))}
    with pytest.raises(TooLarge) as caught:
        graph_reply(outcome(outputs), TIMING, limits)
    assert caught.value.output == "large"
    assert caught.value.findings[0].code == "limit_exceeded"
    assert "'large'" in caught.value.findings[0].message
    with pytest.raises(Refusal):
        graph_reply(outcome({str(index): OutputValue(torch.ones(1)) for index in range(50)}), TIMING, limits)
    with pytest.raises(Refusal):
        graph_reply(outcome({}, {"nodes": ["x" * 2000]}), TIMING, limits)


def test_names_of_outputs_may_be_any_text():
    names = ["", 'a"b\\', "é\n", "x.grad", "\U0001f600"]
    document = strict(graph_reply(outcome({name: OutputValue(1) for name in names}), TIMING, Limits()))
    assert list(document["outputs"]) == names


@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_a_reply_sent_back_is_the_tensor(encoding):
    x = (torch.tensor([[0.1, math.nan], [1e-20, -0.0]], requires_grad=True) * 1).expand(3, 2, 2)
    sent = strict(graph_reply(outcome({"x": OutputValue(x, encoding, full=True)}), TIMING, Limits()))["outputs"]["x"]
    back = read_tensor(sent, Source())
    assert back.requires_grad
    assert back.device == "cpu"
    assert torch.equal(back.tensor.view(torch.int32), x.detach().contiguous().view(torch.int32))
