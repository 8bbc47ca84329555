"""Large graphs make pictures of bounded size: long bodies, deep blocks, long tapes and many inputs are folded."""

from __future__ import annotations

from typing import Any

from drawn import GRAPHVIZ, MERMAID, Dot, Mermaid, Svg, draw, program

from service import Service

X = {"x": {"data": [1.0, 2.0], "requires_grad": True}}


def chain(count: int) -> dict[str, Any]:
    """A graph of `count` nodes in a row."""
    nodes = [
        {"id": f"n{place}", "op": "add", "args": [f"$n{place - 1}" if place else "$x", 1]} for place in range(count)
    ]
    return {"inputs": X, "nodes": nodes}


def test_ten_thousand_nodes_make_a_picture_of_bounded_size(service: Service) -> None:
    reply = draw(service, chain(10_000))
    svg = Svg.of(reply.text)
    assert len(reply.content) < 200_000
    assert len(svg.graph) < 150
    assert "… 9,944 more nodes" in {cell.title for cell in svg.graph}
    assert {"n0 = add(x, 1)", "n47 = add(n46, 1)", "n9999 = add(n9998, 1)"} <= {cell.title for cell in svg.graph}
    assert "… 9,969 more tape nodes" in {cell.title for cell in svg.cells}
    assert svg.root.get("aria-label", "").startswith("Graph and tape. A graph of 10,000 nodes and 1 input.")


def test_a_fold_stands_between_what_is_drawn(service: Service) -> None:
    dot = Dot.of(draw(service, chain(100), GRAPHVIZ, "graph").text)
    names = {label.split("\n")[0]: name for name, label in dot.nodes.items()}
    fold = names["… 44 more nodes"]
    assert (names["n47 = add(n46, 1)"], fold) in {(one, other) for one, other, _ in dot.edges}
    assert (fold, names["n92 = add(n91, 1)"]) in {(one, other) for one, other, _ in dot.edges}


def test_long_bodies_are_folded(service: Service) -> None:
    lines = [f"    y = y + {place}" for place in range(40)]
    svg = Svg.of(draw(service, program("y = torch.zeros(2)", "for i in range(3):", *lines), show="graph").text)
    assert "… 30 more nodes" in {cell.title for cell in svg.graph}
    assert {"y = y + 0", "y = y + 8", "y = y + 39"} <= {cell.title for cell in svg.graph}
    assert "y = y + 20" not in {cell.title for cell in svg.graph}


def test_blocks_in_a_fold_are_counted_with_what_is_in_them(service: Service) -> None:
    lines = ["x = torch.ones(2, requires_grad=True)", "y = x * 1"]
    for place in range(70):
        lines += [f"if y.sum() > {place}:", f"    y = y * {place + 2}", "else:", f"    y = y - {place}"]
    svg = Svg.of(draw(service, program(*lines, "z = y.sum()", "z.backward()"), show="graph").text)
    (fold,) = [cell.title for cell in svg.graph if cell.title.endswith("more nodes") and "fold" in cell.classes]
    assert int(fold.split()[1].replace(",", "")) > 200
    assert svg.cell("z.backward()")


def test_deep_blocks_are_folded(service: Service) -> None:
    nodes: list[dict[str, Any]] = [{"op": "add", "args": ["$y", 1], "let": "y"}]
    for _ in range(20):
        nodes = [{"op": "if", "test": True, "then": nodes}]
    body = {"nodes": [{"let": "y", "value": 1}, *nodes], "returns": ["y"]}
    svg = Svg.of(draw(service, body).text)
    assert sum("frame" in cell.classes for cell in svg.graph) == 6
    assert "… 15 more nodes" in {cell.title for cell in svg.graph}


def test_many_blocks_do_not_multiply(service: Service) -> None:
    """Twelve nodes in each of twelve blocks in each of twelve blocks would be 1,728."""
    inner = [{"op": "add", "args": ["$y", 1], "let": "y"}] * 12
    for _ in range(2):
        inner = [{"op": "if", "test": True, "then": inner}] * 12
    svg = Svg.of(draw(service, {"nodes": [{"let": "y", "value": 1}, *inner], "returns": ["y"]}).text)
    assert len(svg.graph) < 150


def test_many_inputs_and_outputs_are_folded(service: Service) -> None:
    inputs = {f"x{place}": {"data": [1.0]} for place in range(500)}
    body = {"inputs": inputs, "nodes": [], "returns": list(inputs)}
    svg = Svg.of(draw(service, body).text)
    titles = [cell.title for cell in svg.graph]
    assert titles[23] == "… 477 more nodes"
    assert titles[-1] == "… 484 more"
    assert len(titles) == 24 + 17


def test_dense_graphs_are_bounded_in_every_language(service: Service) -> None:
    lines = ["x = torch.ones(2)", "y0 = x"]
    for place in range(1, 70):
        lines.append(f"y{place} = torch.stack([{', '.join(f'y{one}' for one in range(max(0, place - 40), place))}])[0]")
    body = program(*lines)
    for accept, read in ((GRAPHVIZ, Dot.of), (MERMAID, Mermaid.of)):
        assert len(read(draw(service, body, accept, "graph").text).edges) <= 260


def test_long_words_are_cut(service: Service) -> None:
    name = "n" * 256
    body = {"inputs": X, "nodes": [{"id": name, "op": "add", "args": ["$x", 1]}], "returns": [name]}
    svg = Svg.of(draw(service, body).text)
    assert svg.graph[1].attributes["data-node"] == name
    assert max(len(text) for cell in svg.cells for text in cell.texts) <= 44
