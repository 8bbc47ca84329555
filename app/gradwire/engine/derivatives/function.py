"""A prepared graph as a function of some of its inputs, for derivatives of the whole of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode

from gradwire.engine import errors, seeds
from gradwire.engine.derivatives.tapes import reach
from gradwire.engine.execute import execute
from gradwire.engine.failure import OutOfMemoryRefusal
from gradwire.engine.graph import Node, Statement, TensorDocument, With
from gradwire.engine.language.budget import Budget
from gradwire.engine.observe import hints
from gradwire.engine.plan import Plan
from gradwire.engine.run import surroundings
from gradwire.engine.scope import ENCLOSING, RUN, UNBOUND
from gradwire.engine.statements import every
from gradwire.engine.steps import Run, Word
from gradwire.engine.watch import is_transformed
from gradwire.findings import Finding, Refusal, refuse

Part = TypeVar("Part")


@dataclass(slots=True)
class Recorded:
    """A graph as it ran: its output, with the tape behind it, and the leaves that it is differentiated by."""

    output: torch.Tensor
    leaves: tuple[torch.Tensor, ...]


class GraphFunction:
    """The output of a plan as a function of its inputs `names`.

    Each call runs every node from the same seed, on copies of the inputs, so that a graph with random or in-place ops
    is a function all the same. All calls together take at most `max_steps` nodes and turns of loops.
    """

    def __init__(self, plan: Plan, names: Sequence[str], word: Word, max_steps: int) -> None:
        assert plan.returns is not None
        (self._returned,) = plan.returns
        self.plan = plan
        self.names = names
        self.seed = seeds.begin(plan.graph.seed)
        self._run = Run(plan, word, Budget(max_steps, max_steps))
        self.holds_back = any(map(_without_grad, every((*plan.graph.functions, *plan.graph.nodes))))

    def __call__(self, *values: torch.Tensor) -> torch.Tensor:
        """The output for `values`, one for each of the names, which are tensors on the device of their input.

        Raises Refusal with the node and what PyTorch said.
        """
        plan, run = self.plan, self._run
        seeds.again(self.seed)
        frame = self._frame(dict(zip(self.names, values, strict=True)))
        run.budget.take(len(plan.steps))
        execute(plan.steps, frame, run)
        run.word[0] = 0
        return self._output(frame)

    def leaves(self) -> tuple[torch.Tensor, ...]:
        """The inputs that are differentiated by, as fresh leaves."""
        documents = self.plan.graph.inputs
        return tuple(self._copy(documents[name]).requires_grad_() for name in self.names)

    def record(self) -> Recorded:
        """Run the graph once, for backward passes."""
        leaves = self.leaves()
        return Recorded(self(*leaves), leaves)

    @contextlib.contextmanager
    def differentiating(self) -> Iterator[None]:
        """What PyTorch says inside, and no node is to blame for, is about the output. Ends the run."""
        try:
            with surroundings(self.plan):
                yield
        except Refusal:
            raise
        except Exception as error:
            finding = errors.finding_of(error, "the derivative")
            self.blame(finding)
            finding.hint = finding.hint or self._hint(str(error))
            lasting = errors.is_out_of_memory(error)
            raise OutOfMemoryRefusal([finding]) if lasting else Refusal([finding]) from error
        finally:
            self._run.close()

    @contextlib.contextmanager
    def forward_mode(self) -> Iterator[None]:
        """Nodes without gradients get no tangents either, which PyTorch leaves to the caller."""
        if self.holds_back:
            with _TangentsFollow():
                yield
        else:
            yield

    def blame(self, finding: Finding) -> None:
        """Say that `finding` is about the output."""
        node = self._returned.node
        finding.source = self._returned.output.ref.source
        finding.node = None if node is None else node.label

    def refuse(self, code: str, message: str, **more: Any) -> Refusal:
        """A refusal that is about the output."""
        finding = Finding(code, message, **more)
        self.blame(finding)
        return Refusal([finding])

    def named(self, parts: Sequence[Part]) -> dict[str, Part]:
        """`parts`, one for each input that is differentiated by, under its name."""
        return dict(zip(self.names, parts, strict=True))

    def unused(self, ran: Recorded) -> dict[str, str]:
        """A note on each input that does not matter to the output."""
        known = reach(ran.output)
        text = "the output does not depend on it: its derivatives are zero"
        return {name: text for name, leaf in self.named(ran.leaves).items() if not known.holds(leaf)}

    # ---- one call

    def _frame(self, values: Mapping[str, torch.Tensor]) -> list[Any]:
        plan, run = self.plan, self._run
        frame: list[Any] = [UNBOUND] * plan.size
        frame[RUN], frame[ENCLOSING] = run, None
        run.frame = frame
        for slot, name in plan.inputs:
            frame[slot] = values[name] if name in values else self._copy(plan.graph.inputs[name])
        for slot, document in plan.documents:
            if slot >= 0:
                frame[slot] = self._copy(document)
        return frame

    def _copy(self, document: TensorDocument) -> torch.Tensor:
        copy = self._run.place(document).detach().clone()
        # Inside a transform of torch.func no leaf can be made; there is nothing that would ask for its gradient either.
        return copy.requires_grad_() if document.requires_grad and not is_transformed() else copy

    def _output(self, frame: list[Any]) -> torch.Tensor:
        ref = self._returned.output.ref
        try:
            value = self._returned.get(frame)
        except Refusal:
            raise
        except Exception as error:
            raise refuse("op_failed", errors.message_of(error), ref.source) from error
        if not isinstance(value, torch.Tensor):
            kind = "tuple" if isinstance(value, tuple) else type(value).__name__
            message = f"a derivative is that of one tensor; '{ref.text[:64]}' is a {kind}"
            raise self.refuse(
                "invalid_argument", message, got=kind, expected="a tensor", hint=_parts_of(value, ref.text)
            )
        if not (value.is_floating_point() or value.is_complex()):
            dtype = str(value.dtype).removeprefix("torch.")
            message = f"only floating and complex outputs have derivatives; '{ref.text[:64]}' is {dtype}"
            raise self.refuse("invalid_argument", message, got=dtype, expected="a floating or complex dtype")
        return value

    def _hint(self, text: str) -> str | None:
        live = [value for value in self._run.frame if isinstance(value, torch.Tensor)]
        return self.plan.writes.explain(text, live) or hints.hint(text)


def _parts_of(value: Any, text: str) -> str | None:
    if isinstance(value, (tuple, list)) and value:
        return f"name one of its items, such as '{text[:64]}.0', or put them together with a `cat` node"
    return None


def _without_grad(node: Statement) -> bool:
    """Whether a statement may turn gradients off."""
    return isinstance(node, With) or (isinstance(node, Node) and node.no_grad)


class _TangentsFollow(TorchFunctionMode):
    """Whatever turns gradients off or on does the same with tangents."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        value = func(*args, **(kwargs or {}))
        if func is torch._C._set_grad_enabled:
            forward_ad._set_fwd_grad_enabled(args[0])
        return value
