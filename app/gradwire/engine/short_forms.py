"""One derivative of a whole graph: the record of what a client asks for, and its way from there to the tensors.

Reverse mode is torch.autograd.grad over the graph as it ran; forward mode is torch.func.jvp of the graph as a function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from gradwire.engine.derivatives import gradcheck, matrices, products
from gradwire.engine.derivatives.asked import Asked, Derivatives
from gradwire.engine.derivatives.function import GraphFunction
from gradwire.engine.graph import Def, Graph, Output, Ref, TensorDocument
from gradwire.engine.plan import Plan, default_name, plan
from gradwire.engine.references import nearest
from gradwire.engine.steps import Word
from gradwire.findings import Finding, Source

FORMS: dict[str, Callable[[GraphFunction, Asked], Derivatives]] = {
    "value_and_grad": products.value_and_grad,
    "grad": products.value_and_grad,
    "vjp": products.vjp,
    "jvp": products.jvp,
    "jacobian": matrices.jacobian,
    "hessian": matrices.hessian,
    "hvp": products.hvp,
    "gradcheck": gradcheck.gradcheck,
}


@dataclass(slots=True)
class ShortForm:
    """What POST /v1/autograd/{name} asks for. `wrt` None: every floating or complex input.

    `graph.returns` is the one output, None for the last named node.
    """

    name: str
    graph: Graph
    wrt: list[Ref] | None = None
    asked: Asked = field(default_factory=Asked)


@dataclass(slots=True)
class Prepared:
    """A short form that may be run."""

    form: ShortForm
    plan: Plan
    wrt: list[str]


def prepare(form: ShortForm) -> tuple[Prepared, list[Finding]]:
    """Plan the graph and resolve the names. What is prepared may only be run where no finding came with it."""
    found: list[Finding] = []
    if form.graph.returns is None:
        form.graph.returns = _last_named(form.graph, found)
    prepared, more = plan(form.graph)
    wrt = _wrt(form, found)
    return Prepared(form, prepared, wrt), [*more, *found, *_wrong_directions(form, wrt)]


def derive(prepared: Prepared, word: Word, max_steps: int, memory: int, text: int) -> Derivatives:
    """Compute it. `memory` is how many bytes a worker has, `text` how many a reply.

    Raises Refusal with the node and what PyTorch said.
    """
    form = prepared.form
    function = GraphFunction(prepared.plan, prepared.wrt, word, max_steps)
    with function.differentiating():
        found = FORMS[form.name](function, replace(form.asked, memory=memory, text=text))
    found.seed, found.device, found.encoding = function.seed, str(prepared.plan.device), form.graph.encoding
    return found


def _last_named(graph: Graph, found: list[Finding]) -> list[Output]:
    """The last named node, or the last variable of a program that is no function."""
    defined = {node.name for node in graph.nodes if isinstance(node, Def)}
    variables = [name for name in graph.assigned or () if name not in defined]
    name = default_name(graph) if graph.assigned is None else variables[-1] if variables else None
    if name is not None:
        return [Output("value", Ref(name, _place_of(name, graph)))]
    if not graph.faulty_names:
        message = "there is nothing to differentiate: no node has an `id`, and `returns` does not name an output"
        found.append(Finding("invalid_request", message, expected="returns"))
    return []


def _place_of(name: str, graph: Graph) -> Source:
    """Where the last node stands that binds `name`; nowhere for one inside a block."""
    named = (node for node in reversed(graph.nodes) if name in (node.id, getattr(node, "target", None)))
    return next((node.source for node in named), Source())


# ---- names


def _wrt(form: ShortForm, found: list[Finding]) -> list[str]:
    inputs, faulty = form.graph.inputs, form.graph.faulty_names
    if form.wrt is None:
        able = [name for name, document in inputs.items() if _differentiable(document)]
        if not able and not faulty:
            message = "no input is floating or complex, so there is nothing to differentiate by"
            found.append(Finding("invalid_argument", message, Source("/inputs") if inputs else Source()))
        return able
    names: list[str] = []
    for ref in form.wrt:
        if ref.text in inputs and ref.text not in names and _differentiable(inputs[ref.text]):
            names.append(ref.text)
        elif ref.text not in faulty or ref.text in inputs:
            found.append(_wrong_name(ref, names, form.graph))
    return names


def _differentiable(document: TensorDocument) -> bool:
    return document.tensor.is_floating_point() or document.tensor.is_complex()


def _wrong_name(ref: Ref, names: Sequence[str], graph: Graph) -> Finding:
    """The finding for a name in `wrt` that stands for no input, for one that has no derivatives, or stands twice."""
    text = ref.text
    if text in names:
        return Finding("invalid_argument", f"'{text[:64]}' stands in `wrt` twice", ref.source, got=text)
    if text in graph.inputs:
        dtype = str(graph.inputs[text].tensor.dtype).removeprefix("torch.")
        message = f"only floating and complex inputs have derivatives; '{text[:64]}' is {dtype}"
        hint = 'give it a floating dtype, such as "dtype": "float32"'
        return Finding(
            "invalid_argument", message, ref.source, got=dtype, expected="a floating or complex dtype", hint=hint
        )
    close = nearest(text, graph.inputs)
    named = any(text in (node.id, getattr(node, "target", None)) for node in graph.nodes)
    advice = "a node's value is none; make it an input, or use an `autograd.grad` node" if named else None
    return Finding(
        "unknown_reference",
        f"there is no input called '{text[:64]}'",
        ref.source,
        got=text,
        expected=list(graph.inputs)[:20],
        hint=f"did you mean '{close}'?" if close else advice,
    )


def _wrong_directions(form: ShortForm, wrt: Sequence[str]) -> list[Finding]:
    """Directions for names that are not differentiated by, or none for one that `wrt` names."""
    given = form.asked.directions
    found: list[Finding] = []
    if given is None:
        return found
    for direction, source in zip(given.each, given.sources, strict=True):
        strangers = [name for name in direction if name not in wrt]
        found += [_stranger(name, direction[name].source, wrt) for name in strangers]
        missing = [name for name in wrt if name not in direction]
        if missing and not strangers and not given.faulty and (form.wrt is not None or not direction):
            message = f"no tensor for '{missing[0][:64]}'"
            found.append(Finding("invalid_argument", message, source, got=list(direction)[:20], expected=missing[:20]))
    return found


def _stranger(name: str, source: Source, wrt: Sequence[str]) -> Finding:
    close = nearest(name, wrt)
    message = f"'{name[:64]}' is no input that is differentiated by"
    hint = f"did you mean '{close}'?" if close else None
    return Finding("invalid_argument", message, source, got=name, expected=list(wrt)[:20], hint=hint)
