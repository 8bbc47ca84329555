"""Reads the examples out of the project's Markdown, so that tests can run them.

A block ```sh with a curl command stands right before the block ```json with its reply, where `…` is for members that
are left out. The first ```python and ```javascript blocks of a file are the lines that all its others begin with; each
line that these print stands below as a comment.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
BASE_URL = "http://127.0.0.1:8000"
LEFT_OUT = "…"
_HEADING_OR_BLOCK = re.compile(r"^#+ (?P<heading>[^\n]+)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_COMMENTS = {"python": "# ", "javascript": "// "}


@dataclass(frozen=True)
class Example:
    """One block to run, with the reply (curl) or the printed lines (Python, JavaScript) that the document shows."""

    file: str
    heading: str
    language: str
    code: str
    shown: str

    def __str__(self) -> str:
        return f"{self.file}-{self.heading}-{self.language}"


def examples(file: str) -> list[Example]:
    """All examples of a Markdown file of the project."""
    found: list[Example] = []
    begin: dict[str, str] = {}
    heading, curl = "", ""
    for match in _HEADING_OR_BLOCK.finditer((ROOT / file).read_text("utf-8")):
        language, text = match["language"], match["text"]
        if match["heading"]:
            heading = match["heading"]
        elif language == "json" and curl:
            found.append(Example(file, heading, "sh", curl, text))
        elif language in _COMMENTS:
            if language in begin:
                found.append(Example(file, heading, language, begin[language] + text, _comments(text, language)))
            else:
                begin[language] = text
        curl = text if language == "sh" and text.startswith("curl ") else ""
    return found


def _comments(code: str, language: str) -> str:
    mark = _COMMENTS[language]
    return "".join(line.removeprefix(mark) + "\n" for line in code.splitlines() if line.startswith(mark))


def must_be_shown_in(shown: str, reply: str) -> None:
    """Assert that a reply holds what the document shows of it."""
    _matches(_read(shown), json.loads(reply), "reply")


def _read(shown: str) -> Any:
    """JSON in which a bare `…` stands for members left out."""
    marked = re.sub(rf"(?<=[,{{\s]){LEFT_OUT}(?=\s*\}})", f'"{LEFT_OUT}": 0', shown)
    return json.loads(marked)


def _matches(shown: Any, real: Any, place: str) -> None:
    if isinstance(shown, dict):
        assert isinstance(real, dict), place
        members = set(shown) - {LEFT_OUT}
        missing, more = members - set(real), set(real) - members
        assert not missing, f"{place} lacks {missing}"
        assert LEFT_OUT in shown or not more, f"{place} also has {more}"
        for name in members:
            _matches(shown[name], real[name], f"{place}.{name}")
    elif isinstance(shown, list):
        assert isinstance(real, list), place
        assert len(shown) == len(real), place
        for index, (part, real_part) in enumerate(zip(shown, real, strict=True)):
            _matches(part, real_part, f"{place}[{index}]")
    elif isinstance(shown, str) and LEFT_OUT in shown:
        assert re.fullmatch(".*".join(map(re.escape, shown.split(LEFT_OUT))), real, re.S), f"{place}: {real}"
    elif ".timing_ms." in place:
        assert isinstance(real, float), place
    else:
        assert (shown, type(shown)) == (real, type(real)), place
