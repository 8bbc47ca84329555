"""A decoded body of POST /v1/autograd/{name} to the engine's record, with everything that is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from gradwire.contract.documents.check import validate
from gradwire.contract.documents.short_forms import BODIES
from gradwire.contract.dtypes import DTYPES
from gradwire.contract.limits import Limits
from gradwire.engine.derivatives.asked import Asked, Cotangents, Directions
from gradwire.engine.graph import Output, Ref, TensorDocument
from gradwire.engine.short_forms import ShortForm
from gradwire.findings import Finding, Refusal, Source
from gradwire.wire.formats import base
from gradwire.wire.read.binary import Parts
from gradwire.wire.read.data import WrongData, read_data
from gradwire.wire.read.graph import fill_graph, too_many_nodes
from gradwire.wire.read.tensor import read_tensor

# Numbers are read as precisely as JSON has them, and rounded once to the dtype of what they belong to.
_UNTYPED = "float64"


def read_short_form(
    skeleton: Any, name: str, limits: Limits, parts: Parts | None = None
) -> tuple[ShortForm, list[Finding]]:
    """What a decoded body asks for, and all that is wrong with it; one that came with findings may not be run.

    Raises Refusal where nothing of it can be read.
    """
    if finding := too_many_nodes(skeleton, limits):
        raise Refusal([finding])
    _, findings = validate(BODIES[name], skeleton)
    if not isinstance(skeleton, dict):
        raise Refusal(findings)
    graph = fill_graph(skeleton, findings, limits, parts)
    returns = skeleton.get("returns")
    if isinstance(returns, str):
        text = returns.removeprefix("$")
        graph.returns = [Output("value", Ref(text, Source("/returns")))]
    return ShortForm(name, graph, _wrt(skeleton.get("wrt")), _asked(skeleton, findings, parts)), findings


def _wrt(names: Any) -> list[Ref] | None:
    if not isinstance(names, list):
        return None
    return [
        Ref(name.removeprefix("$"), Source(f"/wrt/{place}"))
        for place, name in enumerate(names)
        if isinstance(name, str)
    ]


def _asked(skeleton: dict[str, Any], findings: list[Finding], parts: Parts | None) -> Asked:
    """The members beside the graph; those of a wrong type are reported already."""
    directions = "tangents" if "tangents" in skeleton else "vector"
    return Asked(
        _cotangents(skeleton.get("cotangents"), findings, parts) if "cotangents" in skeleton else None,
        _directions(skeleton.get(directions), Source(f"/{directions}"), findings, parts),
        str(skeleton.get("mode", "auto")),
        _chunk_size(skeleton),
        skeleton.get("order", 1),
        skeleton.get("eps", 1e-6),
        skeleton.get("atol", 1e-5),
        skeleton.get("rtol", 1e-3),
    )


def _chunk_size(skeleton: dict[str, Any]) -> int | Literal["all", "auto"]:
    if "chunk_size" not in skeleton:
        return "auto"
    return skeleton["chunk_size"] or "all"


def _cotangents(given: Any, findings: list[Finding], parts: Parts | None) -> Cotangents:
    """A list is several only if its items are tensor objects; a bare list of numbers is one."""
    place = Source("/cotangents")
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        each = [_tensor(one, place.at(index), findings, parts) for index, one in enumerate(given)]
        return Cotangents([one for one in each if one is not None], many=True)
    one = _tensor(given, place, findings, parts)
    return Cotangents([] if one is None else [one], many=False)


def _directions(given: Any, place: Source, findings: list[Finding], parts: Parts | None) -> Directions | None:
    if not isinstance(given, (dict, list)):
        return None
    many = isinstance(given, list)
    listed = {place.at(index): one for index, one in enumerate(given)} if many else {place: given}
    documents = {at: one for at, one in listed.items() if isinstance(one, dict)}
    before = len(findings)
    each = [_direction(one, at, findings, parts) for at, one in documents.items()]
    return Directions(each, list(documents), many, faulty=len(findings) > before or documents != listed)


def _direction(
    given: dict[str, Any], place: Source, findings: list[Finding], parts: Parts | None
) -> Mapping[str, TensorDocument]:
    read = {name: _tensor(document, place.at(name), findings, parts) for name, document in given.items()}
    return {name: document for name, document in read.items() if document is not None}


def _tensor(document: Any, source: Source, findings: list[Finding], parts: Parts | None) -> TensorDocument | None:
    """A tensor that takes the dtype of what it belongs to, where it does not say one."""
    try:
        if isinstance(document, dict):
            typed = "dtype" in document or document.get("encoding", "json") != "json"
            return read_tensor(document if typed else {**document, "dtype": _UNTYPED}, source, parts)
        if document is None or isinstance(document, str):
            return read_tensor(document, source, parts)
        return TensorDocument(base(read_data(document, source, (), DTYPES[_UNTYPED], None)), source)
    except WrongData as error:
        findings += error.findings
    except Refusal as refusal:
        findings += refusal.findings
    return None
