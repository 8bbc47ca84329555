"""From statements to steps: names become slots of a frame, and each value's last use is known.

Memory is given back as early as Python would: a value that an `id` names goes with the last node that reads it, a
variable (`let`) stays as long as its scope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from gradwire.engine import applications, blocks
from gradwire.engine.calls import call_step
from gradwire.engine.compile import compile_expression
from gradwire.engine.graph import Bind, Def, Expression, For, Node, Statement, Target, While
from gradwire.engine.language.unpack import unpack
from gradwire.engine.references import Getter
from gradwire.engine.scope import RUN, Lifetimes, Scope, whole_frame
from gradwire.engine.statements import bound_names, deleted_names, names_of
from gradwire.engine.steps import Step
from gradwire.engine.watch import Watch
from gradwire.findings import Finding


class Planner:
    """Compiles statements of one graph. `places` are its nodes by position, inner ones and those of functions too."""

    def __init__(self, scope: Scope, watch: Watch) -> None:
        self.scope = scope
        self.watch = watch
        self.findings: list[Finding] = []
        self.found: list[Finding] = []
        self.places: list[Statement] = []
        self.makers: dict[int, Statement] = {}
        self.in_loop = False
        self._steps: list[Step] = []
        self._lives: list[tuple[Scope, Lifetimes, list[Step | None]]] = []

    def statements(self, nodes: Iterable[Statement]) -> list[Step]:
        """The steps of a list of nodes; what is wrong goes into `findings`."""
        outer, self._steps = self._steps, []
        life, ends = Lifetimes(), list[Step | None]()
        self._lives.append((self.scope, life, ends))
        self.scope.bodies.append(life)
        for node in nodes:
            life.current = len(ends)
            self._statement(node)
            ends.append(self._steps[-1] if self._steps else None)
        life.current = -1
        self.scope.bodies.pop()
        steps, self._steps = self._steps, outer
        return steps

    def _statement(self, node: Statement) -> None:
        outer, self.found = self.found, []
        before = len(self._steps)
        self.scope.reads = set()
        if isinstance(node, Node):
            self._node(node)
        else:
            blocks.COMPILE[type(node)](self, node)
        if self.watch.record is not None and len(self._steps) > before:
            self.watch.record.watch(self._steps[before])
        for finding in self.found:
            finding.node = node.label if finding.node is None else finding.node
        self.findings += self.found
        self.found = outer

    def _node(self, node: Node) -> None:
        position = self.place(node)
        applies = applications.applies(node)
        if not applies:
            self.found += applications.misplaced(node)
        make = applications.application_step if applies else call_step
        step = make(node, position, self.scope, self.watch, self.found)
        if step is not None:
            self._steps.append(step)
        self._store(node, step)

    def place(self, node: Statement) -> int:
        """The position of `node`, from 1, which from here on is taken."""
        self.places.append(node)
        return len(self.places)

    def add(self, node: Statement, call: Any, args: tuple[Getter, ...]) -> Step:
        """A step of a block; its `call` may be put in its place later."""
        step = Step(self.place(node), node, call, args)
        self._steps.append(step)
        self._store(node, step)
        return step

    def expression(self, expression: Expression) -> Getter:
        """The getter of an expression that stands in a block."""
        return compile_expression(expression, self.scope, self.found)

    # ---- where values go

    def _store(self, node: Statement, step: Step | None) -> None:
        """The slot for the node's value, and the step that unpacks it."""
        scope, target = self.scope, _target_of(node)
        names = [node.id] if node.id is not None else []
        if isinstance(target, str):
            names.append(target)
            scope.kept.add(scope.bind(target))
        slots = [scope.bind(name) for name in names] or [scope.fresh()]
        for slot in slots:
            self.makers[slot] = node
            scope.bodies[-1].defined.add(slot)
            scope.note(slot, captured=False)
        if step is None:
            return
        step.target = slots[0]
        if len(slots) > 1:
            self._then(step, lambda frame: frame.__setitem__(slots[1], frame[slots[0]]))
        elif target is not None and not isinstance(target, str):
            bind = self.binder(node, target)
            self._then(step, lambda frame: bind(frame, frame[slots[0]]))

    def _then(self, step: Step, do: Callable[[list[Any]], Any]) -> None:
        """A step more for the same node, which leaves its value as it is."""

        def call(frame: list[Any]) -> Any:
            do(frame)
            return frame[step.target]

        self._steps.append(Step(step.position, step.node, call, (whole_frame,), target=step.target))

    def binder(self, node: Statement, target: Target) -> Any:
        """A function that binds a value to `target` in a frame."""
        for name in names_of(target):
            bound = self.scope.bind(name)
            self.scope.kept.add(bound)
            self.makers[bound] = node
        if isinstance(target, str):
            if target.startswith("*"):
                message = "starred assignment target must be in a list or tuple"
                self.found.append(Finding("invalid_argument", message, node.source))
            slot = self.scope.slots[target.removeprefix("*")]

            def store(frame: list[Any], value: Any) -> None:
                frame[slot] = value

            return store
        slots = self.scope.slots

        def spread(frame: list[Any], value: Any) -> None:
            for name, part in unpack(frame[RUN], value, target):
                frame[slots[name]] = part

        return spread

    # ---- blocks and functions

    @contextmanager
    def body_of(self, node: Statement) -> Iterator[None]:
        """Inside a block: what it binds has a value for sure only in it."""
        certain, looping = set(self.scope.certain), self.in_loop
        self.in_loop = looping or isinstance(node, (For, While))
        yield
        self.scope.certain, self.in_loop = certain, looping

    @contextmanager
    def inside(self, scope: Scope, node: Def) -> Iterator[None]:
        """Inside a function: its own scope, and no loop around it."""
        outer, looping = self.scope, self.in_loop
        scope.declare(bound_names(node.body))
        scope.deleted = set(deleted_names(node.body))
        self.scope, self.in_loop = scope, False
        yield
        self.scope, self.in_loop = outer, looping

    def free(self) -> None:
        """Let each step give back the slots that it is the last to read, once all is compiled."""
        for scope, life, ends in self._lives:
            for slot, place in life.readers.items():
                step = ends[place] if place >= 0 else None
                if step is not None and slot not in scope.kept:
                    step.free = (*step.free, slot)


def _target_of(node: Statement) -> Target | None:
    """What the node's own value is bound to beside its `id`; `for` and `with` bind another."""
    if isinstance(node, Def):
        return node.name
    return node.target if isinstance(node, (Node, Bind)) else None
