"""Pictures of graphs, by media type."""

from __future__ import annotations

from collections.abc import Callable

from gradwire.contract import media
from gradwire.engine.pictures.graphviz import graphviz
from gradwire.engine.pictures.mermaid import mermaid
from gradwire.engine.pictures.picture import Picture
from gradwire.engine.pictures.svg import svg

_WRITERS: dict[str, Callable[[Picture], str]] = {media.SVG: svg, media.GRAPHVIZ: graphviz, media.MERMAID: mermaid}


def drawn(picture: Picture, media_type: str) -> bytes:
    """The picture in the language of `media_type`, as UTF-8."""
    return _WRITERS[media_type](picture).encode()
