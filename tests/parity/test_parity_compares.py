"""The comparison sees every kind of difference that it is there to see."""

import pytest
import torch
from parity_values import difference

from tensor_json import document


def reply(tensor: torch.Tensor, **members: object) -> dict[str, object]:
    """A tensor as a reply has it."""
    facts = {"kind": "tensor", "requires_grad": tensor.requires_grad, "is_leaf": tensor.is_leaf, "grad_fn": None}
    return document(tensor) | facts | members


ONE = torch.tensor([1.0, 0.0, float("nan")])
PAYLOAD = torch.tensor([0x3F800000, 0, 0x7FC00001], dtype=torch.int32).view(torch.float32)


def test_the_same_is_no_difference():
    assert difference(reply(ONE), ONE.clone()) is None
    assert difference({"kind": "tuple", "items": [reply(ONE)]}, (ONE,)) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (reply(ONE), torch.tensor([1.0, -0.0, float("nan")])),
        (reply(ONE), PAYLOAD),
        (reply(ONE), ONE.double()),
        (reply(ONE), ONE.reshape(1, 3)),
        (reply(ONE), ONE.clone().requires_grad_()),
        (reply(ONE, grad_fn="AddBackward0"), ONE),
        (reply(torch.tensor([1.0])), torch.tensor([1.0]).nextafter(torch.tensor([2.0]))),
        ({"kind": "float", "value": 0.0}, -0.0),
        ({"kind": "int", "value": 1}, True),
        ({"kind": "bool", "value": True}, 1),
        ({"kind": "list", "items": [reply(ONE)]}, (ONE,)),
        ({"kind": "tuple", "items": [reply(ONE)]}, (ONE, ONE)),
        ({"kind": "tuple", "items": [reply(ONE), reply(ONE)]}, torch.frexp(ONE)),
        ({"kind": "none", "value": None}, ONE),
        (reply(ONE), ONE.to_sparse()),
    ],
)
def test_a_difference_is_told(value, expected):
    assert difference(value, expected)
