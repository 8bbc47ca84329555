"""Losses whose targets are indices that nothing checks."""

from __future__ import annotations

import torch

from gradwire.engine.ops.fences.given import Fence, Given


def ctc_loss(given: Given) -> None:
    """Targets index the classes, and lengths the targets, without a check."""
    probabilities, targets = given.get("log_probs"), given.tensor("targets")
    if not isinstance(probabilities, torch.Tensor) or targets is None or probabilities.dim() < 2:
        return
    classes = probabilities.shape[-1]
    if targets.numel() and bool(((targets < 0) | (targets >= classes)).any()):
        raise given.refusal("targets", f"a target is outside of 0 … {classes - 1}")
    blank = given.integer("blank")
    if blank is not None and not 0 <= blank < classes:
        raise given.refusal("blank", f"'blank' is outside of 0 … {classes - 1}")
    shape = given.get("targets").shape
    _ctc_lengths(given, "target_lengths", shape[-1] if shape else 0, together=len(shape) == 1)
    _ctc_lengths(given, "input_lengths", probabilities.shape[0], together=False)


def _ctc_lengths(given: Given, name: str, most: int, *, together: bool) -> None:
    """Each length, or all of them together, must lie within `most`."""
    lengths = given.get(name)
    if isinstance(lengths, (list, tuple)) and lengths and all(isinstance(one, int) for one in lengths):
        lengths = torch.tensor(lengths)
    elif isinstance(lengths, torch.Tensor):
        lengths = given.tensor(name)
    else:
        return
    if lengths is None or lengths.numel() == 0 or lengths.is_floating_point() or lengths.is_complex():
        return
    reached = lengths.sum(-1) if together and lengths.dim() else lengths
    if bool((reached > most).any()) or bool((lengths < 0).any()) or bool((lengths > most).any()):
        raise given.refusal(name, f"'{name}' reaches beyond {most}")


FENCES: dict[str, Fence] = {"ctc_loss": ctc_loss}
