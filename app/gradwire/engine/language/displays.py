"""How much a tensor or array shows when it is printed: whole up to 1,000 elements, else six along each dimension.

PyTorch and NumPy look at all that they show, so 40 dimensions of size 2 would be 2^40 elements.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from gradwire.engine.language.budget import MAX_ITEMS, exceeded
from gradwire.engine.observe.saved import dense_parts

_THRESHOLD = 1000
_SHOWN = 6  # three at each end
_LEAST_CHARACTERS = 3  # an element, a comma and a space


def allow_tensor(tensor: torch.Tensor) -> None:
    """Raise Refusal (`limit_exceeded`) where PyTorch's text of `tensor` would be too long."""
    wrapped = tensor
    while torch._C._functorch.is_functorch_wrapped_tensor(wrapped):
        wrapped = torch._C._functorch.get_unwrapped(wrapped)
    if wrapped.is_nested:
        for part in wrapped.unbind():
            allow_tensor(part)
        return
    for part in dense_parts(wrapped):
        _allow(part.shape)


def allow_array(array: np.ndarray[Any, Any]) -> None:
    """Raise Refusal (`limit_exceeded`) where NumPy's text of `array` would be too long."""
    _allow(array.shape)


def _allow(shape: Sequence[int]) -> None:
    elements = math.prod(shape)
    shown = elements if elements <= _THRESHOLD else math.prod(min(size, _SHOWN) for size in shape)
    if shown * _LEAST_CHARACTERS > MAX_ITEMS:
        text = f"the text of a tensor of the shape {list(shape)} would be too long: it shows six along each dimension"
        raise exceeded(text, f"at most {MAX_ITEMS} characters")
