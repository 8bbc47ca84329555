"""What docs/fences.md lists: the ops of its tables, by section."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "fences.md"
_ROW = re.compile(r"^\| (`[^|]*`) \|")
WAITING = "Left to the deadline"


def listed() -> dict[str, set[str]]:
    """Section -> keys of ops, as fences.key gives them."""
    found: dict[str, set[str]] = {}
    section = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif row := _ROW.match(line):
            found.setdefault(section, set()).update(re.findall(r"`([\w.]+)`", row[1]))
    return found
