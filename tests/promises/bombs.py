"""Requests that ask for more memory than a worker of 2 GiB has, in as many ways as there are kinds of ops."""

from __future__ import annotations

from typing import Any

from service import node

Body = dict[str, Any]
HUGE, WIDE = 10**10, 30_000
# A gigabyte of float32, once; and a tensor that says it is larger than any memory while it takes none.
GIGABYTE = node("ones", 2**28, id="x")
EXPANDED = [node("ones", 1, id="one"), node("expand", "$one", HUGE, id="x")]


def graph(*nodes: Body, inputs: Body | None = None, returns: list[str] | None = None) -> Body:
    """The body of a run; the last node is `bomb` where it has no id."""
    last = {"id": "bomb", **nodes[-1]}
    return {"inputs": inputs or {}, "nodes": [*nodes[:-1], last], "returns": returns or [last["id"]]}


def small(*shape: int) -> Body:
    return node("ones", *shape, id="x")


def chain(*, length: int) -> list[Body]:
    """Each node keeps what its backward needs: 64 MB a turn."""
    made = [node("ones", 2**24, id="x0", requires_grad=True)]
    made += [node("exp", f"$x{turn}", id=f"x{turn + 1}") for turn in range(length)]
    return [*made, node("sum", f"$x{length}", id="total"), node("backward", "$total")]


def doubling(op: str, times: int) -> list[Body]:
    """Twice as much with each node."""
    made = [node("ones", 2**22, id="x0")]
    return made + [node(op, [f"$x{turn}", f"$x{turn}"], id=f"x{turn + 1}") for turn in range(times)]


def higher_gradients(order: int) -> list[Body]:
    """Gradients of gradients; the graph of each holds those before."""
    made = [node("randn", 2**22, id="x", requires_grad=True), node("sin", "$x", id="s"), node("exp", "$s", id="y0")]
    for turn in range(order):
        made += [
            node("sum", f"$y{turn}", id=f"sum{turn}"),
            node("autograd.grad", [f"$sum{turn}"], ["$x"], create_graph=True, id=f"g{turn}"),
            node("mul", f"$g{turn}.0", 1, id=f"y{turn + 1}"),
        ]
    return made


def with_function(body: list[Body], returns: str, *nodes: Body) -> Body:
    """A graph whose function `f` takes `a`."""
    return graph(*nodes) | {"functions": {"f": {"params": ["a"], "nodes": body, "returns": returns}}}


SQUARES = [node("mul", "$a", "$a", id="aa"), node("sum", "$aa", id="s")]
OUTER = [node("outer", "$a", "$a", id="o")]


def of(op: str, *args: Any, **members: Any) -> Body:
    """A node that gives a function to a transform."""
    return {"id": "bomb", "op": op, "of": "f", "args": list(args), **members}


# Refused with limit_exceeded, the node named; nothing of it can be answered.
TOO_LARGE: dict[str, Body] = {
    # Creation.
    "ones": graph(node("ones", HUGE)),
    "zeros": graph(node("zeros", 10**6, 10**6)),
    "full": graph(node("full", [HUGE], 1.5)),
    "empty": graph(node("empty", HUGE)),
    "arange": graph(node("arange", HUGE)),
    "linspace": graph(node("linspace", 0, 1, HUGE)),
    "logspace": graph(node("logspace", 0, 1, HUGE)),
    "eye": graph(node("eye", 10**6)),
    "rand": graph(node("rand", HUGE)),
    "randn": graph(node("randn", HUGE)),
    "randint": graph(node("randint", 0, 9, [HUGE])),
    "randperm": graph(node("randperm", HUGE)),
    "tril_indices": graph(node("tril_indices", 10**6, 10**6)),
    "hann_window": graph(node("hann_window", HUGE)),
    "new_zeros": graph(small(1), node("new_zeros", "$x", [HUGE])),
    "empty_strided": graph(node("empty_strided", [2, 2], [HUGE, 1])),
    "numpy.ones": graph(node("numpy.ones", HUGE)),
    "numpy.arange": graph(node("numpy.arange", HUGE)),
    "sizes that overflow": graph(node("ones", 2**40, 2**40)),
    "a count that overflows": graph(node("zeros", 2**62)),
    # Something that takes no memory made real.
    "expand and contiguous": graph(*EXPANDED, node("contiguous", "$x")),
    "expand and clone": graph(*EXPANDED, node("clone", "$x", memory_format={"memory_format": "contiguous_format"})),
    "expand and add": graph(*EXPANDED, node("add", "$x", 1)),
    "expand and cast": graph(*EXPANDED, node("to", "$x", {"dtype": "float64"})),
    "expand and sort": graph(*EXPANDED, node("sort", "$x")),
    "expand and reshape": graph(node("ones", 1, 1, id="one"), node("expand", "$one", 10**5, 10**5, id="x"),
                                node("reshape", "$x", -1)),
    "expand and nonzero": graph(*EXPANDED[:1], node("expand", "$one", 2**29, id="x"), node("nonzero", "$x")),
    "expand and where": graph(*EXPANDED, node("where", {"tensor": {"data": True}}, "$x", 0.0)),
    "broadcast": graph(node("ones", WIDE, 1, id="a"), node("ones", 1, WIDE, id="b"), node("add", "$a", "$b")),
    "broadcast_to and cumsum": graph(small(1), node("broadcast_to", "$x", [HUGE], id="b"), node("cumsum", "$b", 0)),
    "meshgrid and stack": graph(node("arange", 20_000, id="x"), node("meshgrid", "$x", "$x", id="m"),
                                node("stack", ["$m.0", "$m.1"])),
    # Products and repetitions.
    "outer": graph(small(WIDE), node("outer", "$x", "$x")),
    "kron": graph(small(200, 200), node("kron", "$x", "$x")),
    "cartesian_prod": graph(small(WIDE), node("cartesian_prod", "$x", "$x")),
    "combinations": graph(small(3000), node("combinations", "$x", 3)),
    "einsum": graph(small(3000), node("einsum", "a,b,c->abc", "$x", "$x", "$x")),
    "tensordot": graph(small(WIDE), node("tensordot", "$x", "$x", 0)),
    "matmul": graph(node("ones", WIDE, 1, id="a"), node("ones", 1, WIDE, id="b"), node("mm", "$a", "$b")),
    "bmm": graph(node("ones", 50, 5000, 1, id="a"), node("ones", 50, 1, 5000, id="b"), node("bmm", "$a", "$b")),
    "cdist": graph(small(WIDE, 2), node("cdist", "$x", "$x")),
    "vander": graph(small(WIDE), node("vander", "$x", WIDE)),
    "block_diag": graph(small(WIDE, 1), node("ones", 1, WIDE, id="y"), node("block_diag", "$x", "$y")),
    "diag_embed": graph(small(WIDE), node("diag_embed", "$x")),
    "repeat": graph(small(10), node("repeat", "$x", 10**9)),
    "tile": graph(small(10), node("tile", "$x", [10**9])),
    "repeat_interleave": graph(small(10), node("repeat_interleave", "$x", 10**9)),
    "one_hot": graph(node("arange", WIDE, id="x"), node("nn.functional.one_hot", "$x", WIDE)),
    "bincount": graph(node("tensor", [HUGE], id="x"), node("bincount", "$x")),
    "histc": graph(small(10), node("histc", "$x", bins=HUGE)),
    "gather": graph(small(1), node("zeros", 1, dtype="int64", id="i"), node("expand", "$i", HUGE, id="j"),
                    node("gather", "$x", 0, "$j")),
    "index_select": graph(small(1000, 1000), node("zeros", 10**6, dtype="int64", id="i"),
                          node("index_select", "$x", 0, "$i")),
    "embedding": graph(small(10, 10_000), node("zeros", 10**6, dtype="int64", id="i"),
                       node("nn.functional.embedding", "$i", "$x")),
    "roll of a large one": graph(GIGABYTE, node("roll", "$x", 1)),
    "unfold": graph(small(1, 1, 5000, 5000), node("nn.functional.unfold", "$x", 20)),
    "flip of an expanded one": graph(*EXPANDED, node("flip", "$x", [0])),
    "fft": graph(small(10), node("fft.fft", "$x", 2**33)),
    "stft": graph(small(10**7), node("hann_window", 400, id="w"),
                  node("stft", "$x", 400, 1, window="$w", return_complex=True)),
    # Layers.
    "constant_pad": graph(small(1, 1, 2, 2), node("nn.functional.pad", "$x", [10**5, 10**5, 10**5, 10**5])),
    "a convolution's padding": graph(small(1, 1, 4, 4), node("ones", 1, 1, 3, 3, id="w"),
                                     node("nn.functional.conv2d", "$x", "$w", padding=50_000)),
    "a convolution's channels": graph(small(1, 1, 512, 512), node("ones", 5000, 1, 1, 1, id="w"),
                                      node("nn.functional.conv2d", "$x", "$w")),
    "a transposed convolution": graph(small(1, 1, 100, 100), node("ones", 1, 1, 2, 2, id="w"),
                                      node("nn.functional.conv_transpose2d", "$x", "$w", stride=1000)),
    "interpolate": graph(small(1, 1, 10, 10), node("nn.functional.interpolate", "$x", [10**5, 10**5])),
    "upsample by a factor": graph(small(1, 1, 100, 100), node("nn.functional.interpolate", "$x", scale_factor=1000)),
    "pixel_shuffle": graph(GIGABYTE, node("view", "$x", 1, 2**14, 128, 128, id="v"),
                           node("nn.functional.pixel_shuffle", "$v", 128)),
    "adaptive pooling": graph(small(1, 1, 4), node("nn.functional.adaptive_avg_pool1d", "$x", 10**10)),
    "linear": graph(small(WIDE, 1), node("ones", WIDE, 1, id="w"), node("nn.functional.linear", "$x", "$w")),
    "bilinear": graph(small(2000, 1), node("ones", 10**6, 1, 1, id="w"),
                      node("nn.functional.bilinear", "$x", "$x", "$w")),
    "softmax of an expanded one": graph(*EXPANDED, node("softmax", "$x", 0)),
    "attention": graph(small(1, WIDE, 8), node("ones", 1, 1, WIDE, WIDE, dtype="bool", id="m"),
                       node("nn.functional.scaled_dot_product_attention", "$x", "$x", "$x", "$m")),
    # Many that are small one by one.
    "cat in a loop": graph(*doubling("cat", 12)),
    "stack in a loop": graph(*doubling("stack", 12)),
    "many that are kept": {
        "nodes": [node("ones", 2**26, id=f"x{number}") for number in range(9)],
        "returns": [f"x{number}" for number in range(9)],
    },
    "resize_": graph(small(1), node("resize_", "$x", [HUGE])),
    # Autograd.
    "a deep chain that keeps all": graph(*chain(length=40), returns=["x0.grad"]),
    "the gradient of an expanded sum": graph(node("ones", 1, requires_grad=True, id="p"),
                                             node("expand", "$p", HUGE, id="x"), node("exp", "$x", id="e"),
                                             node("sum", "$e", id="s"), node("backward", "$s")),
    "gradients of gradients": graph(*higher_gradients(9)),
    # Transforms of functions.
    "a Hessian": with_function(SQUARES, "s", small(WIDE), of("func.hessian", "$x")),
    "a Jacobian": with_function(SQUARES, "aa", small(WIDE), of("func.jacrev", "$x")),
    "a Jacobian forwards": with_function(SQUARES, "aa", small(WIDE), of("func.jacfwd", "$x")),
    "autograd.functional.jacobian": with_function(OUTER, "o", small(1500), of("autograd.functional.jacobian", "$x")),
    "vmap": with_function(OUTER, "o", small(1000, 2000), of("func.vmap", "$x")),
    # Lists and numbers.
    "tolist of an expanded one": graph(*EXPANDED, node("tolist", "$x")),
    "returning an expanded one": graph(node("ones", 1, id="one"), node("expand", "$one", HUGE)),
    "returning one without elements": graph(node("zeros", 10**9, 0)),
    "base64 of a large one": graph(GIGABYTE, node("view", "$x", 2, -1)) | {"encoding": "base64"},
    "numpy.repeat": graph(node("numpy.ones", 10, id="x"), node("numpy.repeat", "$x", 10**9)),
    "a NumPy broadcast": graph(node("numpy.ones", [WIDE, 1], id="x"), node("numpy.ones", [1, WIDE], id="y"),
                               node("numpy.multiply", "$x", "$y")),
    "numpy.tile": graph(node("numpy.ones", 10, id="x"), node("numpy.tile", "$x", 10**9)),
}  # fmt: skip
# These fill a gigabyte first, which takes a second or more.
SLOW_TO_FILL = """
roll of a large one|pixel_shuffle|attention|many that are kept|a deep chain that keeps all|gradients of gradients
autograd.functional.jacobian
""".replace("\n", "|").split("|")
