"""How numbers are written: the fewest digits that read back in their own dtype, laid out as Python's repr does."""

from __future__ import annotations

import json
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import pytest
import torch

from service import RUN, Service
from tensor_json import FLOAT8, document, dtype_of, from_bytes

EXACT = [
    ("float32", [0.1], ["0.1"]),
    ("float64", [0.1], ["0.1"]),
    ("float64", [0.1 + 0.2], ["0.30000000000000004"]),
    ("float32", [27.0], ["27.0"]),
    ("float32", [1e20], ["1e+20"]),
    ("float32", [1e-45], ["1e-45"]),
    ("float64", [5e-324], ["5e-324"]),
    ("float64", [1.7976931348623157e308], ["1.7976931348623157e+308"]),
    ("float32", [3.4028234663852886e38], ["3.4028235e+38"]),
    ("float32", [1e-5], ["1e-05"]),
    ("float32", [0.0001], ["0.0001"]),
    ("float32", [1e15, 1e16], ["1000000000000000.0", "1e+16"]),
    ("float32", [16777216.0], ["16777216.0"]),
    ("float32", [1.874952793121338], ["1.8749528"]),
    ("float32", [-0.0, 0.0], ["-0.0", "0.0"]),
    ("float16", [0.1, 65504.0, 6e-8], ["0.1", "65500.0", "6e-08"]),
    ("bfloat16", [0.1, 3.140625, 1e38], ["0.1", "3.14", "1e+38"]),
    ("complex64", [[0.1, -0.0]], ["0.1", "-0.0"]),
    ("float32", ["NaN", "-NaN", "Infinity", "-Infinity"], ['"NaN"', '"-NaN"', '"Infinity"', '"-Infinity"']),
    ("float32", ["0x7fc00001", "0xFFFFFFFF"], ['"0x7fc00001"', '"0xffffffff"']),
    ("float16", ["0x7e01", "0xfc01"], ['"0x7e01"', '"0xfc01"']),
    ("bfloat16", ["0x7fc1"], ['"0x7fc1"']),
    ("float64", ["0x7ff8000000000001"], ['"0x7ff8000000000001"']),
    ("float64", ["0x7ff8000000000000", "0xfff8000000000000"], ['"NaN"', '"-NaN"']),
    ("float8_e5m2", ["0x7d", "0x7f", "0xff"], ['"0x7d"', '"NaN"', '"-NaN"']),
    ("float8_e4m3fn", ["NaN", "-NaN"], ['"NaN"', '"-NaN"']),
    ("int64", [2**53 - 1, 2**53, -(2**63)], ["9007199254740991", '"9007199254740992"', '"-9223372036854775808"']),
    ("uint64", [2**64 - 1, 0], ['"18446744073709551615"', "0"]),
    ("bool", [True, False], ["true", "false"]),
]


def texts(service: Service, document: Any) -> list[str]:
    """The reply's elements as they stand in its text."""
    reply = service.post(RUN, {"inputs": {"x": document}, "nodes": [], "returns": ["x"]})
    assert reply.status_code == 200, reply.text[:500]
    data = json.loads(reply.text, parse_float=_Raw, parse_int=_Raw)["outputs"]["x"]["data"]
    found: list[str] = []
    _flatten(data, found)
    return found


class _Raw(str):
    """A number's text."""


def _flatten(data: Any, found: list[str]) -> None:
    if isinstance(data, list):
        for part in data:
            _flatten(part, found)
    else:
        found.append(str(data) if isinstance(data, _Raw) else json.dumps(data))


@pytest.mark.parametrize(("dtype", "data", "expected"), EXACT, ids=lambda value: str(value)[:40])
def test_exact_text(service: Service, dtype: str, data: list[Any], expected: list[str]) -> None:
    assert texts(service, {"dtype": dtype, "data": data}) == expected


def digits(text: str) -> int:
    """How many significant digits a decimal has."""
    return max(1, len("".join(map(str, Decimal(text).normalize().as_tuple().digits))))


def around(value: float, count: int) -> list[float]:
    """The two decimals of `count` digits nearest to `value` from below and above."""
    exact = Decimal(value)
    unit = Decimal(1).scaleb(exact.adjusted() - count + 1)
    return [float(exact.quantize(unit, rounding)) for rounding in (ROUND_FLOOR, ROUND_CEILING)]


def read_back(values: list[float], name: str) -> torch.Tensor:
    """Decimals as torch.tensor reads them into a dtype."""
    return torch.tensor(values, dtype=torch.float64).to(dtype_of(name)).double()


SAMPLES = {
    "float16": torch.arange(2**15, dtype=torch.int32).to(torch.int16).view(torch.float16),
    "bfloat16": torch.arange(2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16),
    "float32": torch.randint(0, 2**31, [20_000], generator=torch.Generator().manual_seed(0)).int().view(torch.float32),
} | {name: from_bytes(bytes(range(256)), name, [256]) for name in FLOAT8}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_fewest_digits_that_read_back(service: Service, name: str) -> None:
    tensor = SAMPLES[name]
    written = texts(service, document(tensor))
    values = tensor.double()
    finite = [place for place in range(len(written)) if torch.isfinite(values[place])]
    assert len(finite) > 200
    chosen = [written[place] for place in finite]
    exact = [float(values[place]) for place in finite]
    assert all(repr(float(text)) == text for text in chosen)
    assert read_back([float(text) for text in chosen], name).tolist() == exact
    shorter = [(place, digits(text) - 1) for place, text in enumerate(chosen) if digits(text) > 1]
    # The largest of a dtype that saturates is what any larger number reads back as; no digits are saved there.
    largest = max(exact)
    for low_or_high in (0, 1):
        candidates = [around(exact[place], count)[low_or_high] for place, count in shorter]
        for (place, _), back in zip(shorter, read_back(candidates, name).tolist(), strict=True):
            assert back != exact[place] or abs(exact[place]) == largest, f"{chosen[place]} has a shorter form"


@pytest.mark.parametrize("name", SAMPLES)
def test_of_the_shortest_the_nearest(service: Service, name: str) -> None:
    tensor = SAMPLES[name]
    written = texts(service, document(tensor))
    for text, value in zip(written, tensor.double().tolist(), strict=True):
        if text[0] != '"' and value:
            for near in around(value, digits(text)):
                nearer = abs(Decimal(near) - Decimal(value)) < abs(Decimal(float(text)) - Decimal(value))
                assert not nearer or read_back([near], name).item() != value, (
                    f"{near} is nearer to {value!r} than {text}"
                )


def test_an_item_prints_the_double_it_converts_to(service: Service) -> None:
    reply = service.post("/v1/ops/item", {"args": [{"dtype": "float32", "data": [0.1]}]})
    assert '"value":0.10000000149011612' in reply.text.replace(" ", "")
