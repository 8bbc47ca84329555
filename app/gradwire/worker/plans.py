"""Plans of graphs that came before, for requests that differ in their inputs only.

Programs send the same graph over and over with other tensors. What such a request has in common with the last one is
compared as text, so that equal means equal to the letter (1 is not 1.0, and true is not 1).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import orjson

from gradwire.contract.frames import Job
from gradwire.engine.plan import Plan

# Of each request of its own: all else decides the plan.
_OWN = frozenset(("inputs", "seed", "deadline_ms"))
_MOST_PLANS = 128
_LONGEST = 32 * 1024


class Plans:
    """The plans used last, by the text of what they were made from."""

    def __init__(self) -> None:
        self._plans: OrderedDict[bytes, Plan] = OrderedDict()

    def recall(self, form: bytes | None) -> Plan | None:
        """The plan of an equal graph, if it is still here."""
        if form is None or form not in self._plans:
            return None
        self._plans.move_to_end(form)
        return self._plans[form]

    def keep(self, form: bytes | None, plan: Plan) -> None:
        """Remember `plan`. Whoever runs it lets it forget its inputs after that."""
        if form is None or not plan.reusable:
            return
        self._plans[form] = plan
        if len(self._plans) > _MOST_PLANS:
            self._plans.popitem(last=False)


def form_of(job: Job, bones: Any) -> bytes | None:
    """The text of all that decides a plan: the graph without its inputs' tensors. None where it is too long to keep."""
    if not isinstance(bones, dict):
        return None
    inputs = bones.get("inputs", {})
    if not isinstance(inputs, dict) or any(map(_has_device, inputs.values())):
        return None
    shared = {name: value for name, value in bones.items() if name not in _OWN}
    try:
        form = orjson.dumps((job.kind, job.target, list(inputs), shared))
    except TypeError:  # a long list of numbers, which is kept as a buffer
        return None
    return form if len(form) <= _LONGEST else None


def _has_device(document: Any) -> bool:
    """Whether an input says where it wants to be, which is checked while planning."""
    return isinstance(document, dict) and document.get("device", "cpu") != "cpu"


def own_part(bones: dict[str, Any]) -> dict[str, Any]:
    """The members of a request that are its own, to be read and checked as those of any other."""
    return {name: value for name, value in bones.items() if name in _OWN}
