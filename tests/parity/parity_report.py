"""The figures of a parity run in words: a table for the terminal, and the part of docs/parity.md that is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from parity_recipes import NOT_COMPARED

Record = dict[str, Any]
_SAMPLES = {
    "samples": "samples of the functions",
    "methods": "of the methods",
    "in_place": "of the in-place methods",
    "gradients": "of all these with gradients",
    "forward": "samples in forward mode, with tangents",
    "local_errors": "samples that PyTorch refuses, refused alike",
}
_CASES = {
    "cases": "error inputs",
    "alike": "with PyTorch's message",
    "refused_before": "invalid_argument in our own words for a TypeError of PyTorch's parser",
    "as_tensors": "where a number or list becomes a tensor: PyTorch's answer, or message, for tensors",
    "no_error": "that local PyTorch takes, too, as they are sent: the same bits",
}
_BEGIN, _END = "<!-- figures: make parity ARGS=--docs -->", "<!-- end of figures -->"
# Why entries have nothing to compare, where samples themselves do not tell.
_EMPTY = {"nn.functional.batch_norm.without_cudnn": "its samples are for CUDA only"}


def table(whole: Record) -> str:
    """All figures, and every entry that is not passed with its cause."""
    return "\n".join([*_head(whole), "", *(f"  {line}" for line in _exceptions(whole)), *_workers(whole)])


def documented(page: str, whole: Record) -> str:
    """The page with its figures renewed."""
    before, rest = page.split(_BEGIN)
    after = rest.split(_END)[1]
    listed = [f"- {line}" for line in _exceptions(whole)]
    lines = ["```", *_head(whole), *_workers(whole), "```", "", "Entries that are not passed, or not in full:", ""]
    return before + "\n".join([_BEGIN, *lines, *listed, _END]) + after


def _head(whole: Record) -> Iterator[str]:
    verdicts = Counter(record["verdict"] for record in whole["samples"])
    yield f"torch {whole['torch']}, CPU, 1 thread: {len(whole['samples'])} of {whole['total']} entries of op_db"
    compared = sum(verdicts[one] for one in ("passed", "differs", "varies", "not public"))
    yield f"{verdicts['passed'] / max(compared, 1):8.1%} of those that have samples here"
    for verdict, count in verdicts.most_common():
        yield f"{count:8,} {verdict}"
    for kind, names in (("samples", _SAMPLES), ("errors", _CASES)):
        for key, name in names.items():
            yield f"{sum(record.get(key, 0) for record in whole[kind]):8,} {name}"
    differing = sum(record["verdict"] == "differs" for record in whole["errors"])
    yield f"{differing:8,} entries whose error inputs are answered otherwise"


def _exceptions(whole: Record) -> Iterator[str]:
    for record in whole["samples"]:
        if record["verdict"] != "passed" or record["unwritable"]:
            yield f"`{record['entry']}`: {record['verdict']}{_cause(record)}"
    for record in whole["errors"]:
        if record["verdict"] == "differs" or record["unwritable"]:
            yield f"`{record['entry']}`, error inputs: {record['verdict']}{_cause(record)}"


def _cause(record: Record) -> str:
    causes = [f"{count} samples with {cause}" for cause, count in record["unwritable"].items()]
    if record["note"] or record["entry"] in NOT_COMPARED:
        causes.append(record["note"])
    elif record["verdict"] == "varies":
        causes.append("local PyTorch gives other bits from process to process, see above")
    else:
        causes += record["differences"][:3]
    if record["verdict"] == "no samples" and not causes:
        causes.append(_EMPTY.get(record["entry"], "op_db has none for a CPU in these dtypes"))
    return f" ({'; '.join(causes)})" if causes else ""


def _workers(whole: Record) -> Iterator[str]:
    if workers := whole.get("workers"):
        yield f"workers lost: {workers['lost']}, killed: {workers['killed']}, retired: {workers['retired']}"
