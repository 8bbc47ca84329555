"""The backward graph of a run, as contract section 4 shows it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from gradwire.engine.graph import Statement
from gradwire.engine.observe.flow import Flow
from gradwire.engine.observe.hidden import Hidden, hides
from gradwire.engine.observe.origins import Maker, Mark, Origins, leaf_of
from gradwire.engine.observe.saved import Storages, saved_by


class Tape:
    """Records the backward graph from where each backward pass starts. Of use to one run.

    `gradients` adds to every tape node the gradients that flowed into it. The run calls `inputs` before the first node;
    for a node that starts a backward pass `starting` before and `finished` after it, also when it failed; `after` each
    node that succeeded; `finish` at the end. Nothing here changes a result or an error of the run.
    """

    def __init__(self, gradients: bool = False) -> None:
        self._origins = Origins()
        self._storages = Storages()
        self._hidden = Hidden()
        self._flow = Flow(self._entry_of) if gradients else None
        self._nodes: list[dict[str, Any]] = []
        # by tape node: the graph node that made it, whose label it may share with others
        self.makers: list[Statement | None] = []
        self._roots: dict[str, int] = {}
        # reference as written -> how many roots have it: a loop starts from the same one at every turn
        self._starts: Counter[str] = Counter()
        self._started = False
        self._just_ran = False
        self._filled_with_graphs = False
        # of the pass that was started last: the references as written, and their keys
        self._last_roots: list[tuple[str, str]] = []
        # leaf -> tape node: PyTorch makes an AccumulateGrad anew when no graph holds the old one, for the same leaf
        self._leaves = WeakTensorKeyDictionary()

    def inputs(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """The graph's inputs by name."""
        self._origins.inputs(dict(tensors))

    def after(self, maker: Maker, value: Any, args: Sequence[Any]) -> None:
        """The node `maker` gave `value` for `args` (the values of its arguments, keyword ones too)."""
        if self._just_ran:
            self._just_ran = False
            if self._filled_with_graphs:
                self._claim_grads(maker)
        self._origins.after(maker, value, args, self._hidden.take())

    def writing(self, op_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Around the call of an in-place op, `out=` and setitem too: what it saves through a view is seen only then."""
        if not hides(op_name, args, kwargs):
            return nullcontext()
        return self._hidden.watching(op_name, args, kwargs)

    def _claim_grads(self, maker: Maker) -> None:
        """With create_graph, the gradients that a backward pass leaves in `.grad` have a graph behind them."""
        for leaf in list(self._leaves):
            if leaf.grad is not None and leaf.grad.requires_grad:
                self._origins.claim(maker, leaf.grad)

    def starting(self, roots: Iterable[tuple[str, torch.Tensor]], inputs: Iterable[torch.Tensor] = ()) -> None:
        """A backward pass is about to start from `roots`: the reference as written, and its tensor.

        `inputs` are what autograd.grad differentiates by: PyTorch does not run their nodes, so only they can say which
        gradient arrived.
        """
        if self._just_ran:  # and never came to `after`: it failed, and the node is tried again with other arguments
            for text, key in self._last_roots:
                del self._roots[key]
                self._starts[text] -= 1
        self._started = True
        self._last_roots = []
        fns = self._record(roots)
        if self._flow is not None:
            self._flow.watch(fns, inputs)

    def finished(self, create_graph: bool = True) -> None:
        """The backward pass that `starting` announced is over, whether or not it failed.

        `create_graph`: what it left in `.grad` may have a graph. Then all leaves are looked at, which are many where
        each turn of a loop has its own.
        """
        self._just_ran, self._filled_with_graphs = True, create_graph
        if self._flow is not None:
            self._flow.release()

    def finish(self, returned: Mapping[str, torch.Tensor]) -> dict[str, Any]:
        """The tape for the reply: JSON-ready, but for the tensors in `grad`.

        `returned` are the tensors of the reply by reference as written: the roots where no backward pass ran.
        """
        if not self._started:
            self._record(returned.items())
        return {"roots": self._roots, "nodes": self._nodes, "saved_bytes": self._storages.total}

    def _record(self, roots: Iterable[tuple[str, torch.Tensor]]) -> list[Any]:
        """Put what `roots` come from on the tape; one that needs no gradient is no root."""
        fns = []
        for text, tensor in roots:
            fn = _node_of(tensor)
            if fn is not None:
                self._origins.claim(None, tensor)
                key = self._free_key(text)
                self._roots[key] = self._walk(fn)
                self._last_roots.append((text, key))
                fns.append(fn)
        return fns

    def _free_key(self, text: str) -> str:
        """The reference itself, or with the number of its start; a name that ends so may have taken that."""
        self._starts[text] += 1
        count = self._starts[text]
        key = text if count == 1 else f"{text}#{count}"
        while key in self._roots:
            count += 1
            key = f"{text}#{count}"
        return key

    def _walk(self, root: Any) -> int:
        """Number what is new behind `root`, breadth first; what is on the tape already stays as it was recorded."""
        queue: deque[tuple[Any, dict[str, Any]]] = deque()
        number = self._number(root, queue)
        while queue:
            fn, entry = queue.popleft()
            for following, place in fn.next_functions:
                entry["next"].append(None if following is None else [self._number(following, queue), place])
        return number

    def _number(self, fn: Any, queue: deque[tuple[Any, dict[str, Any]]]) -> int:
        mark = self._origins.mark_of(fn)
        leaf = leaf_of(fn)
        if mark.number is None and leaf is not None:
            mark.number = self._leaves.get(leaf)
        if mark.number is None:
            mark.number = len(self._nodes)
            entry = self._entry(fn, mark.number, mark)
            self._nodes.append(entry)
            queue.append((fn, entry))
            if leaf is not None:
                self._leaves[leaf] = mark.number
        return mark.number

    def _entry(self, fn: Any, number: int, mark: Mark) -> dict[str, Any]:
        entry: dict[str, Any] = {"id": number, "name": name_of(fn), **self._maker(fn, mark.maker), "next": []}
        entry["saved"], kept = saved_by(fn, self._storages, mark.hidden)
        entry["saved_bytes"] = self._storages.size(kept)
        if self._flow is not None:
            entry["grad"] = None
        return entry

    def _maker(self, fn: Any, maker: Maker | None) -> dict[str, Any]:
        """The input that an AccumulateGrad belongs to, else the graph node that made `fn` or the leaf behind it."""
        leaf = leaf_of(fn)
        name = None if leaf is None else self._origins.input_of(leaf)
        if leaf is not None and name is None:
            maker = self._origins.maker_of(leaf) or maker
        self.makers.append(None if maker is None or name is not None else maker.node)
        return _made_by(maker) if name is None else {"input": name}

    def _entry_of(self, fn: Any) -> dict[str, Any] | None:
        number = self._origins.mark_of(fn).number
        return None if number is None else self._nodes[number]


def _made_by(maker: Maker | None) -> dict[str, Any]:
    """What a tape node says of the graph node that made it; a line only where that stands in a program."""
    if maker is None:
        return {"node": None}
    return {"node": maker.label} if maker.line is None else {"node": maker.label, "line": maker.line}


def _node_of(tensor: torch.Tensor) -> Any:
    """The backward node where a gradient of `tensor` would enter; None where none is wanted."""
    if not tensor.requires_grad:
        return None
    try:
        return torch.autograd.graph.get_gradient_edge(tensor).node
    except RuntimeError:  # a view that may not be differentiated: PyTorch will say so itself
        return None


def name_of(fn: Any) -> str:
    """The name as PyTorch prints it in a tensor's `grad_fn=<…>`."""
    name = type(fn).__name__
    return str(fn.name()).rpartition("::")[2] if name == "CppFunction" else name
