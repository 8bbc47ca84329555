"""Every value of every dtype survives the way there and back, bit for bit, in both encodings."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import torch

from service import Service, node
from tensor_json import COMPLEX, FLOAT8, FLOATS, INTEGERS, SIZES, document, dtype_of, from_bytes, same_bits, to_bytes

EVERY = {name: list(range(256)) for name in FLOAT8} | {name: list(range(65536)) for name in ("float16", "bfloat16")}
# NaNs of both signs with many payloads, quiet and signaling; infinities; zeros; the edges of normal and subnormal.
FLOAT32 = [
    0x7F800000,
    0xFF800000,
    0x7F800001,
    0xFF800001,
    0x7FC00000,
    0xFFC00000,
    0x7FC00001,
    0x7FBFFFFF,
    0x7FFFFFFF,
    0xFFFFFFFF,
    0,
    0x80000000,
    1,
    0x80000001,
    0x7FFFFF,
    0x800000,
    0x7F7FFFFF,
    0xFF7FFFFF,
    0x3DCCCCCD,
]
FLOAT64 = [
    0x7FF << 52,
    0xFFF << 52,
    (0x7FF << 52) + 1,
    (0xFFF << 52) + 1,
    0x7FF8 << 48,
    0xFFF8 << 48,
    (0x7FF8 << 48) + 1,
    2**63 - 1,
    2**64 - 1,
    0,
    1 << 63,
    1,
    (1 << 63) + 1,
    (1 << 52) - 1,
    1 << 52,
    (0x7FF << 52) - 1,
]


def agrees_there_and_back(service: Service, tensor: torch.Tensor) -> dict[str, Any]:
    """Send in base64, read JSON; send that JSON as it came, read base64; the JSON."""
    written = service.graph({"inputs": {"x": document(tensor)}, "nodes": [], "returns": ["x"]})["outputs"]["x"]
    same_bits(written, tensor)
    again = service.graph({"inputs": {"x": written}, "nodes": [], "returns": ["x"], "encoding": "base64"})["outputs"][
        "x"
    ]
    assert again["encoding"] == "base64"
    assert base64.b64decode(again["data"], validate=True) == to_bytes(tensor)
    same_bits(again, tensor)
    once_more = service.graph({"inputs": {"x": again}, "nodes": [], "returns": ["x"]})["outputs"]["x"]
    assert once_more == written
    return written  # type: ignore[no-any-return]


def patterns(numbers: list[int], name: str) -> torch.Tensor:
    """Elements with these bits."""
    size = SIZES[name]
    return from_bytes(b"".join(number.to_bytes(size, "little") for number in numbers), name, [len(numbers)])


@pytest.mark.parametrize("name", EVERY)
def test_every_pattern_of_the_small_floats(service: Service, name: str) -> None:
    written = agrees_there_and_back(service, patterns(EVERY[name], name))
    assert len(written["data"]) == len(EVERY[name])


@pytest.mark.parametrize(("name", "numbers"), [("float32", FLOAT32), ("float64", FLOAT64)])
def test_the_edges_of_the_large_floats(service: Service, name: str, numbers: list[int]) -> None:
    agrees_there_and_back(service, patterns(numbers, name))


@pytest.mark.parametrize("name", ["float32", "float64"])
def test_random_patterns_of_the_large_floats(service: Service, name: str) -> None:
    torch.manual_seed(1)
    raw = torch.randint(0, 256, [SIZES[name] * 50_000], dtype=torch.uint8)
    agrees_there_and_back(service, raw.view(dtype_of(name)).reshape(100, 500))


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_with_nans_and_signed_zeros_in_either_part(service: Service, name: str) -> None:
    part = {"complex128": "float64", "complex64": "float32", "complex32": "float16"}[name]
    words = {
        "float64": FLOAT64,
        "float32": FLOAT32,
        "float16": [0x7C00, 0xFC00, 0x7E00, 0xFE00, 0x7E01, 0x7C01, 0, 0x8000, 1],
    }
    numbers = [number for re in words[part] for im in words[part] for number in (re, im)]
    written = agrees_there_and_back(service, patterns(numbers, part).view(dtype_of(name)))
    assert all(isinstance(pair, list) and len(pair) == 2 for pair in written["data"])


@pytest.mark.parametrize("name", INTEGERS)
def test_integers_to_their_limits(service: Service, name: str) -> None:
    info = torch.iinfo(dtype_of(name))
    near = {
        info.min,
        info.min + 1,
        -1,
        0,
        1,
        info.max - 1,
        info.max,
        2**53 - 1,
        2**53,
        2**53 + 1,
        1 - 2**53,
        -(2**53),
        -(2**53) - 1,
    }
    numbers = sorted(number for number in near if info.min <= number <= info.max)
    written = agrees_there_and_back(service, torch.tensor(numbers, dtype=dtype_of(name)))
    expected = [number if abs(number) < 2**53 else str(number) for number in numbers]
    assert written["data"] == expected


def test_bool(service: Service) -> None:
    written = agrees_there_and_back(service, torch.tensor([[True, False], [False, True]]))
    assert written["data"] == [[True, False], [False, True]]


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    ("shape", "data"),
    [
        ([0], []),
        ([0, 3], []),
        ([2, 0], [[], []]),
        ([2, 0, 3], [[], []]),
        ([2, 1, 0], [[[]], [[]]]),
        ([1, 2, 0], [[[], []]]),
    ],
)
def test_tensors_without_elements(service: Service, name: str, shape: list[int], data: Any) -> None:
    written = agrees_there_and_back(service, torch.empty(shape, dtype=dtype_of(name)))
    assert (written["shape"], written["data"]) == (shape, data)


@pytest.mark.parametrize("name", SIZES)
def test_a_tensor_without_dimensions_is_a_bare_number(service: Service, name: str) -> None:
    written = agrees_there_and_back(service, torch.ones([], dtype=torch.float64).to(dtype_of(name)))
    one: Any = 1.0 if name in FLOATS else [1.0, 0.0] if name in COMPLEX else True if name == "bool" else 1
    assert (written["shape"], written["data"]) == ([], one)
    assert type(written["data"]) is type(one)


X = torch.arange(24, dtype=torch.float32).view(2, 3, 4)
LAYOUTS = {
    "transposed": ([node("transpose", "$x", 0, 2, id="y")], X.transpose(0, 2)),
    "a column": ([node("getitem", "$x", "..., 1", id="y")], X[..., 1]),
    "every second": ([node("getitem", "$x", "..., ::2", id="y")], X[..., ::2]),
    "an offset": ([node("getitem", "$x", "1, 1:", id="y")], X[1, 1:]),
    "expanded": (
        [node("getitem", "$x", "0, :, :1", id="c"), node("expand", "$c", 5, 3, 4, id="y")],
        X[0, :, :1].expand(5, 3, 4),
    ),
    "the gradient of a sum": (
        [
            node("requires_grad_", "$x"),
            node("sum", "$x", id="s"),
            node("backward", "$s"),
            node("view_as", "$x.grad", "$x", id="y"),
        ],
        torch.ones(2, 3, 4),
    ),
    "overlapping": ([node("unfold", "$x", 2, 3, 1, id="y")], X.unfold(2, 3, 1)),
    "conjugated": ([node("complex", "$x", "$x", id="c"), node("conj", "$c", id="y")], torch.complex(X, X).conj()),
    "negated lazily": (
        [node("complex", "$x", "$x", id="c"), node("conj", "$c", id="k"), node("imag", "$k", id="y")],
        torch.complex(X, X).conj().imag,
    ),
    "channels last": (
        [node("view", "$x", 1, 2, 3, 4, id="v"), node("contiguous", "$v", memory_format="channels_last", id="y")],
        X.view(1, 2, 3, 4),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("encoding", ["json", "base64"])
def test_any_layout_is_written_in_c_order(service: Service, name: str, encoding: str) -> None:
    nodes, expected = LAYOUTS[name]
    written = service.run(nodes, ["y"], {"x": document(X)}, encoding=encoding)["y"]
    same_bits(written, expected)


def test_any_reply_is_an_input_as_it_came(service: Service) -> None:
    """Members that only describe are ignored, whatever they hold; requires_grad is read."""
    nodes = [node("mul", "$x", 2, id="y"), node("numpy.ones", 3, id="a")]
    x = {"data": [1.5, "NaN", "-Infinity"], "requires_grad": True}
    first = service.run(nodes, ["x", "y", "a"], {"x": x}, describe="full")
    assert {"strides", "storage_offset", "storage", "version"} <= set(first["y"])
    again = service.run([], {name: name for name in first}, first)
    for name, value in first.items():
        assert again[name]["kind"] == "tensor"
        assert again[name]["data"] == value["data"]
        assert again[name]["dtype"] == value["dtype"]
        assert again[name]["grad_fn"] is None
    assert [again[name]["requires_grad"] for name in ("x", "y", "a")] == [True, True, False]
    assert again["y"]["is_leaf"] is True
