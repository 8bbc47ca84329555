"""Nothing that a client writes can become anything but text in a picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest
from drawn import GRAPHVIZ, MERMAID, Dot, Mermaid, Svg, draw, program

from service import Service

HOSTILE = (
    "</text><script>alert(1)</script>",
    '" onload="alert(1)',
    "'><foreignObject>",
    "]]><!--",
    "<?xml-stylesheet href='x'?>",
    "&lt;b&gt; &amp; &#106;avascript: &quot;",
    "<img src=x onerror=alert(1)>",
    'a"];b[label="x',
    "back\\slash \\N \\",
    '\\" ]',
    "<<b>bold</b>>",
    "%%{init: {}}%%",
    'click g0 "javascript:alert(1)"',
    'x"] --> y["',
    "end",
    "subgraph",
    "`**md**`",
    "#quot; #35;",
    "1. one",
    "; } digraph {",
    "\u202egnp.exe",
    "\u2028line",
    "\u200bnothing\ufeff",
    "\ufffe\uffff",
    "汉字漢字 ωμέγα 🙂",
)


def body(word: str) -> dict[str, Any]:
    """A graph that has `word` wherever a word can stand."""
    return {
        "inputs": {word: {"data": [1.0], "requires_grad": True}},
        "nodes": [
            {"id": f"{word} id", "op": "mul", "args": [f"${word}", 2]},
            {"op": "print", "args": [f"{word} said"]},
            {"op": "if", "test": True, "then": [{"let": f"{word} let", "value": f"{word} text"}]},
            {"op": "sum", "args": [f"${word} id"], "let": f"{word} sum"},
            {"op": "backward", "args": [f"${word} sum"]},
        ],
        "returns": {f"{word} out": f"{word} sum"},
    }


def shown(word: str) -> str:
    """`word` as a picture shows it: what is invisible is visible, and line ends are spaces."""
    made = {"\u202e", "\u200b", "\ufeff", "\ufffe", "\uffff"}
    return "".join("\ufffd" if one in made else " " if one.isspace() else one for one in word)


@pytest.mark.parametrize("word", HOSTILE)
def test_svg_holds_words_as_text_only(service: Service, word: str) -> None:
    reply = draw(service, body(word))
    svg = Svg.of(reply.text)
    tags = {element.tag.rpartition("}")[2] for element in svg.root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "rect", "path", "polygon", "circle", "text"}
    attributes = {name for element in svg.root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name or name in ("style", "src")]
    assert svg.cell(shown(word)).attributes["data-node"] == shown(word)
    assert "url(" not in reply.text
    assert "@import" not in reply.text
    assert "<!" not in reply.text
    assert "<?" not in reply.text


def several(words: Sequence[str]) -> dict[str, Any]:
    """A graph of an input and three nodes for each word, as parsing takes its time."""
    nodes: list[dict[str, Any]] = []
    for word in words:
        nodes.append({"id": f"{word} id", "op": "mul", "args": [f"${word}", 2]})
        nodes.append({"op": "print", "args": [f"{word} said"]})
        nodes.append({"op": "if", "test": True, "then": [{"let": f"{word} let", "value": f"{word} text"}]})
    return {"inputs": {word: {"data": [1.0], "requires_grad": True} for word in words}, "nodes": nodes, "returns": []}


@pytest.mark.parametrize("words", [HOSTILE[::2], HOSTILE[1::2]])
def test_graphviz_holds_words_in_quoted_strings_only(service: Service, words: Sequence[str]) -> None:
    text = draw(service, several(words), GRAPHVIZ).text
    dot = Dot.of(text)
    assert [dot.nodes[f"g{place}"] for place in range(len(words))] == [
        f"{shown(it)}\nleaf, requires grad" for it in words
    ]
    assert all(re.fullmatch(r"g\d+", name) for name in dot.nodes)
    assert set(dot.clusters.values()) == {"graph", "tape", "if True"}
    assert len(dot.nodes) == 4 * len(words)  # without the frames
    assert len(dot.edges) == len(words)
    assert "=<" not in text


@pytest.mark.parametrize("word", HOSTILE)
def test_mermaid_holds_words_in_coded_strings_only(service: Service, word: str) -> None:
    text = draw(service, body(word), MERMAID).text
    found = Mermaid.of(text)
    assert found.nodes["g0"] == f"{shown(word)}\nleaf, requires grad"
    assert "%%" not in text
    assert "`" not in text
    assert not [line for line in text.splitlines() if line.strip().startswith(("click", "style", "linkStyle"))]
    plain = Mermaid.of(draw(service, body("plain"), MERMAID).text)
    assert (set(found.nodes), len(found.edges)) == (set(plain.nodes), len(plain.edges))


def test_program_text_is_text(service: Service) -> None:
    source = program("s = '</text><script>alert(1)</script>'", 't = "\\"];"', "x = {'<b>': 1}['<b>']", "print(s < t)")
    svg = Svg.of(draw(service, source).text)
    assert svg.graph[0].title.startswith("s = '</text><script>")
    assert "script" not in {element.tag.rpartition("}")[2] for element in svg.root.iter()}
    Dot.of(draw(service, source, GRAPHVIZ).text)
    Mermaid.of(draw(service, source, MERMAID).text)


def test_a_picture_is_one_xml_document_of_utf_8(service: Service) -> None:
    text = draw(service, body("漢字")).content.decode("utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
