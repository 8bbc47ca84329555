"""Arguments bind by the signature, the second call of a form as the first."""

import numpy as np
import pytest
import torch
from graphs import findings, values

X = torch.tensor([1.0, 2.0])


@pytest.mark.parametrize("turn", [1, 2])
def test_a_form_of_call_that_came_before_binds_alike(turn):
    found = values(
        {"x": X}, ("a", "add", "$x", turn), ("b", "Tensor.add", {"self": "$x", "other": 1}), returns=["a", "b"]
    )
    assert found["a"].tolist() == [1 + turn, 2 + turn]
    assert found["b"].tolist() == [2, 3]


def test_a_number_is_an_int_or_a_float_also_where_the_other_came_before():
    whole = torch.tensor([1, 2])
    for number, dtype in ((2, torch.int64), (2.0, torch.float32), (True, torch.int64), (2, torch.int64)):
        assert values({"x": whole}, ("y", "add", "$x", number))["y"].dtype == dtype


@pytest.mark.parametrize("out", [3, [3], [1.5, 2.5]])
def test_out_takes_references_only(out):
    (finding,) = findings({"x": X}, ("y", "add", "$x", 1, {"out": out}))
    assert (finding.code, finding.source.pointer) == ("invalid_argument", "/nodes/0/kwargs/out")


@pytest.mark.parametrize(("word", "dtype"), [("float", np.float64), ("int", np.int64), ("float32", np.float32)])
def test_dtype_words_mean_to_numpy_what_numpy_means(word, dtype):
    assert values({}, ("a", "numpy.ones", 2, {"dtype": word}))["a"].dtype == dtype


def test_lists_are_made_anew_for_each_run():
    from graphs import graph

    from gradwire.engine.plan import plan
    from gradwire.engine.run import run

    prepared, _ = plan(graph({}, ("l", "setitem", ["text", 1], 0, 5), returns=["l"]))
    assert prepared.reusable
    first, second = run(prepared), run(prepared.renewed({}, None, None))
    assert first.outputs["l"].value == second.outputs["l"].value == [5, 1]
    assert first.outputs["l"].value is not second.outputs["l"].value
