"""Which devices there are, and which one a run or a tensor is put on."""

from __future__ import annotations

import functools

import torch

from gradwire.findings import Source, refuse


@functools.cache
def present() -> tuple[str, ...]:
    """The devices of this machine: `cpu`, then `cuda:0` … where there are any.

    Counting CUDA devices opens the driver, which must not happen in a process that forks: call it in a worker only.
    """
    count = torch.cuda.device_count() if torch.backends.cuda.is_built() else 0
    return ("cpu", *(f"cuda:{index}" for index in range(count)))


def resolve(text: str, source: Source) -> torch.device:
    """The device that `text` names (`auto`: CUDA where there is one).

    Raises Refusal (`unavailable_device`) for one that this machine lacks, listing those present.
    """
    if text == "auto":
        return torch.device("cuda:0" if len(present()) > 1 else "cpu")
    try:
        device = torch.device(text)
    except RuntimeError:
        raise _unavailable(text, source) from None
    require(device, source)
    return device


def require(device: torch.device, source: Source) -> None:
    """Raise Refusal (`unavailable_device`) where `device` is not present."""
    name = str(device)
    if name == "cuda" and len(present()) > 1:
        return
    if name.replace("cpu:0", "cpu") not in present():
        raise _unavailable(name, source)


def _unavailable(text: str, source: Source) -> Exception:
    return refuse(
        "unavailable_device",
        f"there is no device '{text[:64]}' here",
        source,
        got=text,
        expected=["auto", *present()],
        hint='leave "device" out, or use "auto", to take what there is',
    )
