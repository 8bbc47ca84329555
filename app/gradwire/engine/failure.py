"""What an exception in a node means for the client: worked out only when one happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from gradwire.engine import errors
from gradwire.engine.graph import Node, With
from gradwire.engine.observe import hints
from gradwire.engine.ops.allowed import wrong_word
from gradwire.findings import Finding, Refusal, Source

if TYPE_CHECKING:
    from gradwire.engine.steps import Run, Step


class OutOfMemoryRefusal(Refusal):
    """A refusal after which the process should be replaced: libraries are not to be trusted once memory ran out."""


def refused(step: Step, error: Exception, run: Run, frame: list[Any]) -> Exception:
    """What an exception in a node means for the client. What a node inside it is to blame for stays as it is."""
    node = step.node
    if isinstance(error, Refusal):
        findings = error.findings
    elif isinstance(error, errors.NoOverload):
        findings = [_no_overload(step, error)]
        findings[0].hint = findings[0].hint or _hint(error, node.source, run, frame)
    elif isinstance(error, RecursionError):
        chain = f": {' → '.join(run.calls)}" if run.calls else ""
        findings = [Finding("limit_exceeded", f"calls and blocks nest too deep{chain}", hint="use a loop")]
    else:
        findings = [errors.finding_of(error, step.name)]
        findings[0].hint = findings[0].hint or _hint(error, node.source, run, frame)
        _tell_words(findings[0], step)
    for finding in findings:
        if finding.node is None:
            finding.node = node.label
            if finding.source.pointer == "" and node.source.pointer:
                finding.source = node.source
    lasting = isinstance(error, OutOfMemoryRefusal) or errors.is_out_of_memory(error)
    return OutOfMemoryRefusal(findings) if lasting else Refusal(findings)


def refused_at(error: Exception, source: Source) -> Refusal:
    """The refusal of a tensor that could not be put in its place, or of an output that could not be read."""
    finding = errors.finding_of(error, "the tensor")
    finding.source = source
    return OutOfMemoryRefusal([finding]) if errors.is_out_of_memory(error) else Refusal([finding])


def _hint(error: Exception, source: Source, run: Run, frame: list[Any]) -> str | None:
    """Advice for the refusals that people meet while learning autograd."""
    text = str(error)
    live = [value for value in frame if isinstance(value, torch.Tensor)]
    first = run.frame
    inputs = {name: first[slot] for slot, name in run.plan.inputs if isinstance(first[slot], torch.Tensor)}
    return run.plan.writes.explain(text, live) or hints.hint(text, inputs, on_text=source.line is not None)


def _tell_words(finding: Finding, step: Step) -> None:
    """Beside PyTorch's message, the words that an argument may be, where it is none of them."""
    node = step.node
    if step.op is None or not isinstance(node, Node) or finding.code != "op_failed":
        return
    wrong = wrong_word(step.op, node.args, node.kwargs)
    if wrong is not None:
        finding.got, finding.expected = wrong.got, list(wrong.allowed)
        finding.hint = finding.hint or f"'{wrong.parameter}' is one of {', '.join(wrong.allowed)}"


def _member(node: Node, place: str) -> Source:
    """Where the keyword argument, the option or the member `place` of a node stands."""
    for named in (node.kwargs, node.options):
        if place in named:
            return named[place].source
    return node.source.at("of") if place == "of" and node.of is not None else node.source


def _no_overload(step: Step, error: errors.NoOverload) -> Finding:
    node, source = step.node, step.node.source
    if isinstance(error.place, int) and isinstance(node, (Node, With)) and error.place < len(node.args):
        source = node.args[error.place].source
    elif isinstance(error.place, str) and isinstance(node, Node):
        source = _member(node, error.place)
    return Finding("invalid_argument", error.message, source, got=error.got, expected=error.expected, hint=error.hint)
