"""A request's body, by its media type, to its JSON document and the bytes of the tensors that stand beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradwire.contract import media
from gradwire.contract.memory import Body
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.multipart import read_multipart
from gradwire.wire.read.safetensors import read_safetensors
from gradwire.wire.read.skeleton import skeleton


def _json(body: Body, boundary: str, max_depth: int) -> tuple[Any, Parts]:
    assert isinstance(body, bytes)
    return skeleton(body, max_depth), {}


def _safetensors(body: Body, boundary: str, max_depth: int) -> tuple[Any, Parts]:
    return read_safetensors(body, max_depth)


_READERS: dict[str, Callable[[Body, str, int], tuple[Any, Parts]]] = {
    media.JSON: _json,
    media.MULTIPART: read_multipart,
    media.SAFETENSORS: _safetensors,
}


def read_request(body: Body, media_type: str, boundary: str, max_depth: int) -> tuple[Any, Parts]:
    """The decoded document and the binary parts by name, which are views of `body`.

    `boundary` is the parameter of a multipart body's media type. Raises Refusal (`malformed_body`).
    """
    return _READERS[media_type](body, boundary, max_depth)
