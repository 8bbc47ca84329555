"""What a short form asks for beside the graph, and what it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gradwire.engine.graph import TensorDocument
from gradwire.findings import Source


@dataclass(frozen=True, slots=True)
class Directions:
    """Tangents or vectors: one or several, each a tensor for some of the inputs. `many`: they came as a list.

    `faulty`: some could not be read, which is reported already.
    """

    each: list[Mapping[str, TensorDocument]]
    sources: list[Source]
    many: bool
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Cotangents:
    """One or several cotangents of the output. `many`: they came as a list."""

    each: list[TensorDocument]
    many: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The members of a short form beside the graph.

    `chunk_size` is how many passes are made at a time: a number, `all` of them, or `auto` for as many as `memory` (the
    bytes of a worker) has room for. `text` is how many bytes a reply may have.
    """

    cotangents: Cotangents | None = None
    directions: Directions | None = None
    mode: str = "auto"
    chunk_size: int | Literal["all", "auto"] = "auto"
    order: int = 1
    eps: float = 1e-6
    atol: float = 1e-5
    rtol: float = 1e-3
    memory: int = 4 * 2**30
    text: int = 64 * 2**20


@dataclass(slots=True)
class Derivatives:
    """What a short form gives: members of the reply by name, trees of tensors and of what JSON has words for.

    `notes` say what one should know of the derivatives by an input.
    """

    members: dict[str, Any]
    notes: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    encoding: str = "json"
