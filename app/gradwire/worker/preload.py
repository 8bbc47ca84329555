"""What the nursery loads before it forks, so that every worker begins warm."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import warnings
from pathlib import Path

import orjson
import torch

from gradwire.contract.frames import Job
from gradwire.contract.limits import Limits
from gradwire.contract.page import JobPage, create
from gradwire.engine.ops.registry import registry
from gradwire.worker import sandbox
from gradwire.worker.answer import Answerer

# Touches what a first request would otherwise load: the registry, signatures, the writer, autograd.
_FIRST = orjson.dumps(
    {
        "inputs": {"x": {"data": [[1.0, 2.0]], "dtype": "float32", "requires_grad": True}},
        "nodes": [
            {"id": "y", "op": "add", "args": ["$x", 2]},
            {"id": "z", "op": "mul", "args": ["$y", "$y"]},
            {"id": "out", "op": "mean", "args": ["$z"]},
            {"id": "g", "op": "autograd.grad", "args": ["$out", ["$x"]]},
        ],
        "returns": ["z", "g"],
        "tape": True,
        "device": "cpu",
    }
)


# What PyTorch loads only when it is first needed: by transforms, linearize, dry runs, sparse and nested tensors. That
# takes seconds, and a job that is killed meanwhile, or that may not write where they try to, would leave halves behind.
_LAZY = """
torch._dynamo torch._decomp.decompositions_for_jvp torch._functorch.eager_transforms torch._functorch.vmap
torch._subclasses.fake_tensor torch._subclasses.schema_check_mode torch._inductor.compiler_bisector
torch._inductor.fx_passes.dedupe_symint_uses torch.fx.experimental.const_fold torch.fx.experimental.proxy_tensor
torch.nested._internal.nested_tensor torch.nested._internal.ops torch.autograd._functions torch.utils.flop_counter
numpy.ma
""".split()


def everything() -> None:
    """Load all that workers need, without starting a thread or touching CUDA."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in _LAZY:
        importlib.import_module(name)
    registry().names()
    if not torch.backends.cuda.is_built():
        # Without devices the backward engine runs in the calling thread. With CUDA built in, the first backward pass
        # asks the driver for devices and starts a thread for each: that is for a worker to do, after the fork.
        descriptor = create()
        page = JobPage(descriptor)
        os.close(descriptor)
        first_graph(page)
        page.close()
    sandbox.readable()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        print(f"gradwire: the nursery has {threads} threads; its workers may hang", file=sys.stderr)  # noqa: T201
    # Long-lived objects are neither scanned nor copied in the forks.
    gc.collect()
    gc.freeze()


def first_graph(page: JobPage) -> None:
    """Run a small graph with a gradient and a tape, whatever the limits are. Raises RuntimeError where it fails."""
    reply = Answerer(Limits()).answer(Job(kind="graph.run"), _FIRST, page)
    if reply.status != 200:
        raise RuntimeError(f"the first graph failed: {bytes(reply.body).decode()}")
