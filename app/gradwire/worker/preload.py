"""What the nursery loads before it forks, so that every worker begins warm."""

from __future__ import annotations

import gc
import warnings

import orjson
import torch

from gradwire.contract.frames import Job
from gradwire.contract.limits import Limits
from gradwire.contract.page import JobPage, create
from gradwire.worker.answer import Answerer

# Touches what a first request would otherwise load: the registry, signatures, the writer, autograd.
_FIRST = {
    "inputs": {"x": {"data": [[1.0, 2.0]], "requires_grad": True}},
    "nodes": [
        {"id": "y", "op": "add", "args": ["$x", 2]},
        {"id": "z", "op": "mul", "args": ["$y", "$y"]},
        {"id": "out", "op": "mean", "args": ["$z"]},
        {"id": "g", "op": "autograd.grad", "args": ["$out", ["$x"]]},
    ],
    "returns": ["z", "g"],
    "tape": True,
}


def everything(limits: Limits) -> None:
    """Load PyTorch with one thread and answer one request, without starting a thread.

    `autograd.grad` on the CPU runs in the calling thread, so no thread of the backward engine is left behind.
    """
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    page = JobPage(create())
    reply = Answerer(limits).answer(Job(kind="graph.run"), orjson.dumps(_FIRST), page)
    page.close()
    if reply.status != 200:
        raise RuntimeError(f"the first graph failed: {reply.body.decode()}")
    # Long-lived objects are neither scanned nor copied in the forks.
    gc.collect()
    gc.freeze()
