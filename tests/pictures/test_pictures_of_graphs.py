"""What is in a picture: nodes, edges with dtypes and shapes, the tape, ties, blocks, in-place steps, leaves."""

from __future__ import annotations

from collections import Counter

from drawn import GRAPHVIZ, Dot, Svg, draw, overlap, program

from service import TUTORIAL_GRAPH, Service

TUTORIAL = TUTORIAL_GRAPH | {"returns": ["y", "out", "x.grad"]}
LOOP = program(
    "x = torch.linspace(-1, 1, 50)",
    "w = torch.zeros((), requires_grad=True)",
    "for i in range(20):",
    "    loss = ((w * x - 1) ** 2).mean()",
    "    loss.backward()",
    "    with torch.no_grad():",
    "        w -= 0.1 * w.grad",
    "    w.grad = None",
    "print(w)",
)
NETWORK = program(
    "x = torch.randn(8, 4)",
    "w1 = torch.randn(4, 16, requires_grad=True)",
    "b1 = torch.zeros(16, requires_grad=True)",
    "w2 = torch.randn(16, 2, requires_grad=True)",
    "h = torch.relu(x @ w1 + b1)",
    "y = h @ w2",
    "loss = (y ** 2).mean()",
    "loss.backward()",
)
IN_PLACE = program(
    "x = torch.ones(3, requires_grad=True)",
    "y = x.clone()",
    "y.mul_(2)",
    "v = y.view(3, 1)",
    "v += 1",
    "z = (y * y).sum()",
    "z.backward()",
)
FUNCTIONS = program(
    "def loss(w, x):",
    "    return (torch.dot(w, x) - 1) ** 2",
    "w = torch.ones(3)",
    "x = torch.ones(5, 3)",
    "g = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(w, x)",
)


def edges_of(service: Service, body: object) -> set[tuple[str, str, str]]:
    """The edges of the graph: titles at both ends, and what stands on it."""
    dot = Dot.of(draw(service, body, GRAPHVIZ, "graph").text)
    first = {name: label.split("\n")[0] for name, label in dot.nodes.items()}
    return {(first[source], first[target], label) for source, target, label in dot.edges}


def test_the_tutorials_graph(service: Service) -> None:
    svg = Svg.of(draw(service, TUTORIAL).text)
    assert [cell.title for cell in svg.graph] == [
        *("x", "y = add(x, 2)", "yy = mul(y, y)", "z = mul(yy, 3)", "out = mean(z)", "backward(out)"),
        *("y", "out", "x.grad"),
    ]
    assert [cell.attributes["data-node"] for cell in svg.nodes] == ["x", "y", "yy", "z", "out", "4"]
    assert "leaf" in svg.graph[0].classes
    assert Counter(svg.labels) == {"float32[2, 2]": 6, "float32[]": 2}


def test_its_tape_and_what_it_keeps(service: Service) -> None:
    tape = Svg.of(draw(service, TUTORIAL, show="tape").text).tape
    assert [(cell.attributes["data-tape"], cell.attributes["data-node"], cell.title) for cell in tape] == [
        ("0", "out", "MeanBackward0"),
        ("1", "z", "MulBackward0"),
        ("2", "yy", "MulBackward0"),
        ("3", "y", "AddBackward0"),
        ("4", "x", "AccumulateGrad"),
    ]
    assert tape[0].texts[1] == "root: out"
    assert tape[1].texts[1:] == ["other = 3"]
    assert sorted(tape[2].texts[1:]) == ["keeps 16 B", "other: float32[2, 2] 16 B", "self: float32[2, 2] 16 B"]
    assert tape[4].texts[1:] == ["into x.grad"]


def test_each_tape_node_is_tied_to_the_node_that_made_it(service: Service) -> None:
    dot = Dot.of(draw(service, TUTORIAL, GRAPHVIZ).text)
    title = {name: label.split("\n")[0] for name, label in dot.nodes.items()}
    ties = {(title[one], title[other]) for one, other, _ in dot.edges if one[0] == "g" and other[0] == "t"}
    assert ties == {
        ("out = mean(z)", "MeanBackward0"),
        ("z = mul(yy, 3)", "MulBackward0"),
        ("yy = mul(y, y)", "MulBackward0"),
        ("y = add(x, 2)", "AddBackward0"),
        ("x", "AccumulateGrad"),
    }
    assert Svg.of(draw(service, TUTORIAL).text).ties == 5
    assert Svg.of(draw(service, TUTORIAL, show="graph").text).ties == 0


def test_show_chooses_what_is_drawn(service: Service) -> None:
    shown = {show: Svg.of(draw(service, TUTORIAL, show=show).text) for show in ("both", "graph", "tape")}
    counts = {show: (len(svg.graph), len(svg.tape)) for show, svg in shown.items()}
    assert counts == {"both": (9, 5), "graph": (9, 0), "tape": (0, 5)}
    assert draw(service, TUTORIAL).text == draw(service, TUTORIAL, show="both").text


def test_a_two_layer_network_has_its_shapes_on_its_edges(service: Service) -> None:
    assert {
        ("x = randn(8, 4)", "x @ w1", "float32[8, 4]"),
        ("w1 = randn(4, 16, requires_grad=True)", "x @ w1", "float32[4, 16]"),
        ("x @ w1", "· + b1", "float32[8, 16]"),
        ("h = relu(·)", "y = h @ w2", "float32[8, 16]"),
        ("loss.backward()", "w1.grad", "float32[4, 16]"),
    } <= edges_of(service, NETWORK)


def test_program_nodes_and_tape_nodes_tell_their_lines(service: Service) -> None:
    svg = Svg.of(draw(service, NETWORK).text)
    assert svg.cell("y = h @ w2").attributes["data-line"] == "7"
    lines = {cell.title: cell.attributes["data-line"] for cell in svg.tape}
    assert lines["ReluBackward0"] == "6"
    assert lines["MeanBackward0"] == "8"
    assert {cell.texts[1] for cell in svg.tape if cell.title == "AccumulateGrad"} == {
        *("into w1.grad", "into b1.grad", "into w2.grad"),
    }


def test_leaves_are_marked_wherever_they_are_made(service: Service) -> None:
    body = program(
        "a = torch.ones(2, requires_grad=True)", "b = torch.ones(2)", "b.requires_grad_()", "c = (a * b).sum()"
    )
    svg = Svg.of(draw(service, body).text)
    marked = {cell.title for cell in svg.graph if "leaf" in cell.classes}
    assert marked == {"a = ones(2, requires_grad=True)", "b.requires_grad_()"}


def test_in_place_steps_are_marked_and_what_follows_reads_what_they_left(service: Service) -> None:
    svg = Svg.of(draw(service, IN_PLACE).text)
    assert {cell.title for cell in svg.graph if "in-place" in cell.classes} == {"y.mul_(2)", "v += 1"}
    assert {
        ("y = x.clone()", "y.mul_(2)", "float32[3]"),
        ("y.mul_(2)", "v = y.view(3, 1)", "float32[3]"),
        ("v = y.view(3, 1)", "v += 1", "float32[3, 1]"),
        ("v += 1", "y * y", "float32[3]"),  # through the view, y has changed
    } <= edges_of(service, IN_PLACE)


def test_out_and_setitem_are_in_place_too(service: Service) -> None:
    body = program("a = torch.zeros(3)", "torch.add(a, 1, out=a)", "a[0] = 5.0", "b = a + 1")
    svg = Svg.of(draw(service, body).text)
    marked = {cell.title for cell in svg.graph if "in-place" in cell.classes}
    assert marked == {"add(a, 1, out=a)", "a[0] = 5.0"}


def test_a_loop_is_a_frame_that_says_how_often_its_nodes_ran(service: Service) -> None:
    svg = Svg.of(draw(service, LOOP).text)
    loop, inner = svg.cell("for i in range(20)"), svg.cell("w * x")
    assert "frame" in loop.classes
    assert loop.box[0] < inner.box[0] < inner.box[2] < loop.box[2]
    assert loop.box[1] < inner.box[1] < inner.box[3] < loop.box[3]
    assert inner.texts[1] == "line 5 · ran 20 times"
    block = svg.cell("with no_grad()")
    assert loop.box[0] < block.box[0]
    assert block.box[3] < loop.box[3]


def test_what_a_turn_leaves_to_the_next_has_a_cell_of_its_own(service: Service) -> None:
    svg = Svg.of(draw(service, LOOP).text)
    (turn,) = [cell for cell in svg.graph if cell.title == "w" and "parameter" in cell.classes]
    assert turn.texts[1:] == ["from turn to turn", "then from line 8"]
    edges = edges_of(service, LOOP)
    assert {
        ("w = zeros((), requires_grad=True)", "w", "float32[]"),
        ("w", "w * x", "float32[]"),
        ("w -= ·", "print(w)", "float32[]"),
    } <= edges


def test_of_a_loop_that_went_backward_the_last_tape_is_drawn(service: Service) -> None:
    svg = Svg.of(draw(service, LOOP).text)
    names = Counter(cell.title for cell in svg.tape)
    assert names == {"MulBackward0": 1, "SubBackward0": 1, "PowBackward0": 1, "MeanBackward0": 1, "AccumulateGrad": 1}
    assert svg.cell("MeanBackward0").texts[1] == "root: loss#20"
    assert svg.cell("… 76 more tape nodes")


def test_functions_are_frames_and_their_parameters_tell_what_they_got(service: Service) -> None:
    svg = Svg.of(draw(service, FUNCTIONS).text)
    assert "function" in svg.cell("def loss(w, x)").classes
    edges = edges_of(service, FUNCTIONS)
    assert ("w", "dot(w, x)", "float32[3]") in edges
    assert ("x", "dot(w, x)", "float32[3]") in edges  # a row: what the function sees under vmap
    assert any(target == "g = ·(w, x)" and label == "float32[5, 3]" for _, target, label in edges)


def test_an_assigned_gradient_is_read_from_where_it_was_assigned(service: Service) -> None:
    body = program(
        "a = torch.ones(2, requires_grad=True)",
        "b = torch.ones(2, requires_grad=True)",
        "(a * b).sum().backward()",
        "a.grad = None",
        "c = b.grad * 2",
        "print(a.grad)",
    )
    edges = {(source, target) for source, target, _ in edges_of(service, body)}
    assert ("a.grad = None", "print(a.grad)") in edges
    assert ("·.backward()", "c = b.grad * 2") in edges


def test_a_branch_that_was_not_taken_is_faint_and_gives_nothing(service: Service) -> None:
    body = program("x = torch.ones(2)", "if x.sum() > 1:", "    y = x * 2", "else:", "    y = x.double()", "z = y + 1")
    svg = Svg.of(draw(service, body).text)
    assert "idle" in svg.cell("y = x.double()").classes
    assert svg.cell("y = x.double()").texts[1] == "line 6 · never ran"
    sources = {source for source, target, _ in edges_of(service, body) if target == "z = y + 1"}
    assert sources == {"y = x * 2"}
    assert "if x.sum() > 1" in {cell.title for cell in svg.graph}


def test_items_of_tuples_and_attributes_have_shapes_of_their_own(service: Service) -> None:
    body = {
        "inputs": {"x": {"data": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}},
        "nodes": [
            {"id": "m", "op": "max", "args": ["$x", 1]},
            {"id": "a", "op": "add", "args": ["$m.values", 1]},
            {"id": "i", "op": "add", "args": ["$m.1", 1]},
            {"id": "t", "op": "neg", "args": ["$x.T"]},
        ],
        "returns": ["a", "i", "t"],
    }
    edges = edges_of(service, body)
    assert ("m = max(x, 1)", "i = add(m.1, 1)", "int64[2]") in edges
    assert ("m = max(x, 1)", "a = add(m.values, 1)", "float32[2]") in edges
    assert ("x", "t = neg(x.T)", "float32[3, 2]") in edges


def test_blocks_without_ids_are_tied_to_their_own_tape_nodes(service: Service) -> None:
    """Inside blocks nodes without an id share their labels, which are indices."""
    body = {
        "inputs": {"x": {"data": [1.0], "requires_grad": True}},
        "nodes": [
            {"op": "mul", "args": ["$x", 2], "let": "y"},
            {"op": "if", "test": True, "then": [{"op": "exp", "args": ["$y"], "let": "y"}]},
            {"op": "backward", "args": ["$y"]},
        ],
    }
    dot = Dot.of(draw(service, body, GRAPHVIZ).text)
    title = {name: label.split("\n")[0] for name, label in dot.nodes.items()}
    ties = {(title[one], title[other]) for one, other, _ in dot.edges if one[0] == "g" and other[0] == "t"}
    assert ties == {("y = mul(x, 2)", "MulBackward0"), ("y = exp(y)", "ExpBackward0"), ("x", "AccumulateGrad")}


def test_no_label_lies_on_another_or_on_a_cell(service: Service) -> None:
    for body in (TUTORIAL, NETWORK, IN_PLACE, LOOP, FUNCTIONS):
        svg = Svg.of(draw(service, body).text)
        labels, cells = svg.label_boxes, [cell.box for cell in svg.cells if "frame" not in cell.classes]
        assert len(labels) > 3
        for place, label in enumerate(labels):
            assert not any(overlap(label, other) for other in labels[place + 1 :])
            assert not any(overlap(label, cell) for cell in cells)
        for place, cell in enumerate(cells):
            assert not any(overlap(cell, other) for other in cells[place + 1 :])


def test_tied_cells_stand_side_by_side(service: Service) -> None:
    """The tape runs upwards beside the graph, so that a tie of a plain graph is level."""
    svg = Svg.of(draw(service, TUTORIAL).text)
    height = {cell.attributes["data-node"]: (cell.box[1] + cell.box[3]) / 2 for cell in svg.graph[:6]}
    for cell in svg.tape:
        assert abs((cell.box[1] + cell.box[3]) / 2 - height[cell.attributes["data-node"]]) < 12


def test_an_empty_graph_and_an_empty_tape_are_pictures_too(service: Service) -> None:
    empty = Svg.of(draw(service, {"nodes": []}).text)
    assert empty.cells == []
    assert empty.root.get("aria-label") == "Graph and tape. A graph of 0 nodes and 0 inputs. Its tape is empty."
    assert Svg.of(draw(service, program("x = torch.ones(2)"), show="tape").text).cells == []
