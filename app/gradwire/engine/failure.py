"""What an exception in a node means for the client: worked out only when one happens."""

from __future__ import annotations

from typing import Any

import torch

from gradwire.engine import compile as expressions
from gradwire.engine import errors, references
from gradwire.engine.graph import Node, Ref
from gradwire.engine.observe import hints
from gradwire.engine.ops.allowed import wrong_word
from gradwire.engine.plan import Plan, Step
from gradwire.engine.special import SPECIAL
from gradwire.findings import Finding, Refusal, Source


class OutOfMemoryRefusal(Refusal):
    """A refusal after which the process should be replaced: libraries are not to be trusted once memory ran out."""


def refused(step: Step, error: Exception, plan: Plan, frame: list[Any]) -> Exception:
    """What an exception in a node means for the client."""
    node = step.node
    if isinstance(error, Refusal):
        findings = error.findings
    elif isinstance(error, errors.NoOverload):
        findings = [_no_overload(node, error)]
    elif isinstance(error, references.PathError):
        findings = [_dead_end(node, frame, plan, error)]
    else:
        findings = [errors.finding_of(error, node.op)]
        findings[0].hint = findings[0].hint or _hint(error, plan, frame)
        _tell_words(findings[0], step)
    for finding in findings:
        finding.node = node.label
        if finding.source.pointer == "" and node.source.pointer:
            finding.source = node.source
    return OutOfMemoryRefusal(findings) if errors.is_out_of_memory(error) else Refusal(findings)


def refused_at(error: Exception, source: Source) -> Refusal:
    """The refusal of a tensor that could not be put in its place, or of an output that could not be read."""
    finding = errors.finding_of(error, "the tensor")
    finding.source = source
    return OutOfMemoryRefusal([finding]) if errors.is_out_of_memory(error) else Refusal([finding])


def _hint(error: Exception, plan: Plan, frame: list[Any]) -> str | None:
    """Advice for the refusals that people meet while learning autograd."""
    text = str(error)
    live = [value for value in frame if isinstance(value, torch.Tensor)]
    inputs = {name: frame[slot] for slot, name in plan.inputs if isinstance(frame[slot], torch.Tensor)}
    return plan.writes.explain(text, live) or hints.hint(text, inputs)


def _tell_words(finding: Finding, step: Step) -> None:
    """Beside PyTorch's message, the words that an argument may be, where it is none of them."""
    wrong = wrong_word(step.op, step.node.args, step.node.kwargs) if finding.code == "op_failed" else None
    if wrong is not None:
        finding.got, finding.expected = wrong.got, list(wrong.allowed)
        finding.hint = finding.hint or f"'{wrong.parameter}' is one of {', '.join(wrong.allowed)}"


def _no_overload(node: Node, error: errors.NoOverload) -> Finding:
    source = node.source
    if isinstance(error.place, int) and error.place < len(node.args):
        source = node.args[error.place].source
    elif isinstance(error.place, str) and error.place in node.kwargs:
        source = node.kwargs[error.place].source
    return Finding("invalid_argument", error.message, source, got=error.got, expected=error.expected, hint=error.hint)


def _dead_end(node: Node, frame: list[Any], plan: Plan, error: references.PathError) -> Finding:
    """Which of the node's references led nowhere."""
    for ref in (*expressions.refs_of(node.args), *expressions.refs_of(node.kwargs)):
        if (finding := _follows(ref, plan, frame)) is not None:
            return finding
    # The others stand in the text of an index, which is the second argument of the ops that take one.
    written_in_index = node.op in SPECIAL and len(node.args) > 1
    return Finding("unknown_reference", str(error), node.args[1].source if written_in_index else node.source)


def _follows(ref: Ref, plan: Plan, frame: list[Any]) -> Finding | None:
    parts = references.split(ref.text, plan.names)
    if parts is None:
        return None
    try:
        references.getter(plan.names[parts[0]], parts[1])(frame)
    except references.PathError as error:
        return expressions.at_run_time(error, ref.text, ref.source)
    return None
