"""Losses whose targets are indices that nothing checks."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Fence, Given


def ctc_loss(given: Given) -> None:
    """Targets index the classes, and lengths the targets, without a check."""
    probabilities, targets = given.tensor("log_probs"), given.tensor("targets")
    if probabilities is None or targets is None or probabilities.dim() < 2:
        return
    classes = probabilities.shape[-1]
    if targets.numel() and bool(((targets < 0) | (targets >= classes)).any()):
        raise given.refusal("targets", f"a target is outside of 0 … {classes - 1}")
    blank = given.integer("blank")
    if blank is not None and not 0 <= blank < classes:
        raise given.refusal("blank", f"'blank' is outside of 0 … {classes - 1}")
    _ctc_lengths(given, targets, probabilities.shape[0])


def _ctc_lengths(given: Given, targets: torch.Tensor, longest: int) -> None:
    for name, most in (("target_lengths", targets.shape[-1] if targets.dim() else 0), ("input_lengths", longest)):
        lengths = given.get(name)
        if isinstance(lengths, torch.Tensor):
            lengths = lengths.reshape(-1).tolist()
        if not isinstance(lengths, (list, tuple)) or not all(isinstance(one, int) for one in lengths):
            continue
        total = sum(lengths) if targets.dim() == 1 and name == "target_lengths" else max(lengths, default=0)
        if total > most or min(lengths, default=0) < 0:
            raise given.refusal(name, f"'{name}' reaches beyond {most}")


FENCES: dict[str, Fence] = {"ctc_loss": ctc_loss}
