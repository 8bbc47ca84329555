"""Values in the `variables` of a reply that are too large to be shown whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from gradwire.contract.documents.names import ReplyPart
from gradwire.contract.documents.tensor import Shape
from gradwire.contract.documents.values import NON_FINITE_OR_HEX

_Number = StrictFloat | Annotated[StrictStr, Field(pattern=NON_FINITE_OR_HEX)]


class Summary(ReplyPart):
    """What the elements of a large tensor amount to."""

    min: _Number = Field(description="The smallest element.", examples=[-3.5])
    max: _Number = Field(description="The largest element.", examples=[3.5])
    mean: _Number = Field(description="The mean of all elements, computed in float64.", examples=[0.25])


class BriefValue(ReplyPart):
    """A tensor or array of more than 1,000 elements, a text or container of more than 10,000 characters or items."""

    kind: Literal["tensor", "ndarray", "list", "tuple", "dict", "string"] = Field(description="What the value is.")
    note: StrictStr = Field(description="Why it is not shown whole.")
    dtype: StrictStr | None = Field(None, description="Of a tensor, its dtype.", examples=["float32"])
    shape: Annotated[Shape | None, Field(description="Of a tensor, the size of each dimension.")] = None
    device: StrictStr | None = Field(None, description="Of a tensor, where it is.", examples=["cpu"])
    requires_grad: StrictBool | None = Field(None, description="Of a tensor, whether gradients are recorded for it.")
    is_leaf: StrictBool | None = Field(None, description="Of a tensor, whether it is a leaf of the backward graph.")
    grad_fn: StrictStr | None = Field(None, description="Of a tensor, the backward node that made it.")
    summary: Summary | None = Field(None, description="Of a real tensor with at most 16,777,216 elements.")
    length: StrictInt | None = Field(None, description="Of a container or text, how many items or characters it has.")
