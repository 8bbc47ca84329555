"""docs/pictures.md shows what the service draws."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from drawn import DRAW, MERMAID, draw

from service import Service

DOCS = Path(__file__).parents[2] / "docs"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (DOCS / "pictures.md").read_text("utf-8"), re.M | re.S)


def bodies() -> list[dict[str, object]]:
    """The bodies of the curl examples."""
    commands = [shlex.split(text) for language, text in BLOCKS if language == "sh"]
    return [json.loads(words[words.index("-d") + 1]) for words in commands]


@pytest.mark.parametrize("name", ["gradient", "loop"])
def test_the_pictures_are_those_that_are_drawn_now(service: Service, name: str) -> None:
    """To renew one, save this reply in its place."""
    (program,) = [text for language, text in BLOCKS if language == "python"]
    body = bodies()[0] if name == "gradient" else {"program": program}
    assert draw(service, body).text == (DOCS / "pictures" / f"{name}.svg").read_text("utf-8")


def test_the_mermaid_text_is_what_is_drawn_now(service: Service) -> None:
    (shown,) = [text for language, text in BLOCKS if language == "text"]
    reply = service.post(f"{DRAW}?show=tape", bodies()[1], accept=MERMAID)
    assert reply.text.startswith(shown)
