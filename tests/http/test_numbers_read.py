"""How numbers are read: each element exactly for its dtype, as torch.tensor converts it, in every way to write it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from service import Service
from tensor_json import document, dtype_of, same_bits, to_bytes, to_torch

INFERRED = [
    ([5.5, 3], [5.5, 3.0], "float32"),
    ([1, 2], [1, 2], "int64"),
    ([True, False], [True, False], "bool"),
    (1.0, 1.0, "float32"),
    ([1e3], [1000.0], "float32"),
    ([1.0, 2], [1.0, 2.0], "float32"),
    ([True, 2], [1, 2], "int64"),
    ([True, 2.5], [1.0, 2.5], "float32"),
    (True, True, "bool"),
    (7, 7, "int64"),
    ([], [], "float32"),
    ([[], []], [[], []], "float32"),
    (["NaN", 1], ["NaN", 1.0], "float32"),
    (["-Infinity"], ["-Infinity"], "float32"),
    ([-(2**63), 2**63 - 1], ["-9223372036854775808", "9223372036854775807"], "int64"),
    ([9007199254740993], ["9007199254740993"], "int64"),
    ([-0.0], [-0.0], "float32"),
]


@pytest.mark.parametrize(("data", "shown", "dtype"), INFERRED, ids=lambda value: str(value)[:40])
def test_without_a_dtype_it_is_torch_tensors(service: Service, data: Any, shown: Any, dtype: str) -> None:
    inputs = {"bare": data, "document": {"data": data}}
    for value in service.run([], {"a": "bare", "b": "document"}, inputs).values():
        assert value["dtype"] == dtype
        assert value["data"] == shown
        assert repr(value["data"]) == repr(shown)


@pytest.mark.parametrize("order", [["data", "shape", "dtype"], ["dtype", "data", "shape"], ["shape", "dtype", "data"]])
def test_members_in_any_order_and_flat_or_nested(service: Service, order: list[str]) -> None:
    for data in ([1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]):
        members = {"data": data, "shape": [2, 3], "dtype": "int16"}
        x = service.run([], {"x": "x"}, {"x": {name: members[name] for name in order}})["x"]
        same_bits(x, torch.tensor([[1, 2, 3], [4, 5, 6]], dtype=torch.int16))


@pytest.mark.parametrize(
    ("shape", "data"), [([], 5), ([], [5]), ([1], [5]), ([1, 1], [5]), ([0, 3], []), ([2, 0], []), ([2, 0], [[], []])]
)
def test_shapes_of_few_elements(service: Service, shape: list[int], data: Any) -> None:
    x = service.run([], {"x": "x"}, {"x": {"data": data, "shape": shape, "dtype": "float32"}})["x"]
    assert x["shape"] == shape
    assert to_torch(x).flatten().tolist() == ([5.0] if 0 not in shape else [])


ALIASES = {
    "double": "float64",
    "float": "float32",
    "half": "float16",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "chalf": "complex32",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "torch.double": "float64",
    "torch.bfloat16": "bfloat16",
    "torch.half": "float16",
}


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_aliases_are_taken_and_never_given(service: Service, alias: str, name: str) -> None:
    data = [[1, 0]] if name.startswith("complex") else [1]
    assert service.run([], {"x": "x"}, {"x": {"data": data, "dtype": alias}})["x"]["dtype"] == name


# A JSON number is converted as torch.tensor converts it: (dtype, what is sent).
CONVERTED = [
    ("float32", [0.1, 1e39, -1e39, 1e-46, 16777217, 2**63 - 1, 0.30000001192092896]),
    ("float16", [65519.99, 65520, 1e9, 5.9e-8, 2.9e-8, 0.1, 2049]),
    ("bfloat16", [3.3961775292304957e38, 3.4e38, 1.00390625, 257, 1e-41]),
    ("float8_e4m3fn", [448, 464, 465, 1e9, -1e9, 0.001, 0.0009765625, 3.3]),
    ("float8_e5m2", [57344, 61439, 61440, 1e9, 1e-6, 0.1]),
    ("float8_e4m3fnuz", [240, 248, 1e9, -0.0, 0.1]),
    ("float8_e5m2fnuz", [57344, 1e9, -0.0, 0.1]),
    ("float8_e8m0fnu", [1, 3, 0.7, 1e30]),
    ("complex64", [[0.1, 1e39], [-0.0, 16777217]]),
    ("int8", [1.0, -128, 127.0]),
    ("uint64", [2**64 - 1, 0]),
    ("int64", [9007199254740993, -(2**63)]),
    ("float64", [9007199254740993, 2**64 - 1]),
    ("bool", [1, 0, True, False]),
]


@pytest.mark.parametrize(("name", "data"), CONVERTED, ids=lambda value: str(value)[:40])
def test_numbers_are_converted_as_torch_tensor_does(service: Service, name: str, data: list[Any]) -> None:
    dtype = dtype_of(name)
    if name.startswith("complex"):
        expected = torch.tensor([complex(*pair) for pair in data], dtype=dtype)
    else:
        expected = torch.tensor(data, dtype=dtype)
    same_bits(service.run([], {"x": "x"}, {"x": {"data": data, "dtype": name}})["x"], expected)


# Strings: (dtype, text, bits).
STRINGS = [
    ("float32", "NaN", 0x7FC00000),
    ("float32", "-NaN", 0xFFC00000),
    ("float32", "Infinity", 0x7F800000),
    ("float32", "-Infinity", 0xFF800000),
    ("float32", "0x7fc00001", 0x7FC00001),
    ("float32", "0x7F800001", 0x7F800001),
    ("float32", "0.1", 0x3DCCCCCD),
    ("float32", "-0.0", 0x80000000),
    ("float32", "-0", 0x80000000),
    ("float32", "1e400", 0x7F800000),
    ("float32", "-1E+400", 0xFF800000),
    ("float32", "1e-400", 0),
    # Halfway between two floats but for the last digit: rounding to a double first would lose it.
    ("float32", "1.00000005960464477539062500000000000000000000001", 0x3F800001),
    ("float32", "1.000000059604644775390625", 0x3F800000),
    ("float16", "1.00048828125000000000000000000000001", 0x3C01),
    ("float16", "1.00048828125", 0x3C00),
    ("float16", "NaN", 0x7E00),
    ("float16", "-NaN", 0xFE00),
    ("float16", "65520", 0x7C00),
    ("float16", "65519.999", 0x7BFF),
    ("bfloat16", "NaN", 0x7FC0),
    ("bfloat16", "-NaN", 0xFFC0),
    ("bfloat16", "1.00390625000000000000000001", 0x3F81),
    ("float64", "NaN", 0x7FF8 << 48),
    ("float64", "-NaN", 0xFFF8 << 48),
    ("float64", "0x0000000000000001", 1),
    ("float64", "9007199254740993", 0x4340000000000000),
    ("float64", "5e-324", 1),
    ("float64", "1" * 1100, 0x7FF0 << 48),
    ("float64", "0." + "0" * 330 + "1", 0),
    ("float64", "2.5e-324", 1),
    ("float8_e5m2", "NaN", 0x7F),
    ("float8_e5m2", "-NaN", 0xFF),
    ("float8_e5m2", "Infinity", 0x7C),
    ("float8_e5m2", "0x7d", 0x7D),
    ("float8_e4m3fn", "NaN", 0x7F),
    ("float8_e4m3fn", "-NaN", 0xFF),
    ("float8_e4m3fn", "1e9", 0x7E),
    ("float8_e4m3fnuz", "NaN", 0x80),
    ("float8_e4m3fnuz", "-NaN", 0x80),
    ("float8_e5m2fnuz", "NaN", 0x80),
    ("float8_e4m3fnuz", "-0.0", 0x00),
    ("float8_e4m3fnuz", "Infinity", 0x80),
    ("float8_e8m0fnu", "NaN", 0xFF),
    ("float8_e8m0fnu", "-NaN", 0xFF),
    ("float8_e8m0fnu", "1", 0x7F),
    ("int64", "9223372036854775807", 2**63 - 1),
    ("int64", "-9223372036854775808", 2**63),
    ("int8", "-128", 0x80),
    ("uint64", "18446744073709551615", 2**64 - 1),
    ("uint8", "255", 255),
    ("int32", "-0", 0),
]


@pytest.mark.parametrize(("name", "text", "bits"), STRINGS, ids=lambda value: str(value)[:30])
def test_strings_are_read_exactly(service: Service, name: str, text: str, bits: int) -> None:
    x = service.run([], {"x": "x"}, {"x": {"data": [text], "dtype": name}}, encoding="base64")["x"]
    assert int.from_bytes(to_bytes(to_torch(x)), "little") == bits


def test_complex_in_all_its_forms(service: Service) -> None:
    z = torch.tensor([1 + 2j, 3 + 4j], dtype=torch.complex64)
    forms: dict[str, tuple[Any, torch.Tensor]] = {
        "pairs": ({"data": [[1, 2], [3, 4]]}, z),
        "pairs with shape": ({"data": [[1, 2], [3, 4]], "shape": [2]}, z),
        "bare numbers where shape says so": (
            {"data": [[1, 2], [3, 4]], "shape": [2, 2]},
            torch.tensor([[1, 2], [3, 4]], dtype=torch.complex64),
        ),
        "flat bare numbers": (
            {"data": [1, 2, 3, 4], "shape": [2, 2]},
            torch.tensor([[1, 2], [3, 4]], dtype=torch.complex64),
        ),
        "flat pairs": ({"data": [[1, 2], [3, 4]], "shape": [2, 1]}, z.view(2, 1)),
        "one": ({"data": [1, 2]}, z[0]),
        "one with shape": ({"data": [1, 2], "shape": []}, z[0]),
    }
    inputs = {name: {"dtype": "complex64"} | form for name, (form, _) in forms.items()}
    outputs = service.run([], {name: name for name in forms}, inputs)
    for name, (_, expected) in forms.items():
        same_bits(outputs[name], expected)
    words = {"dtype": "complex64", "data": [["NaN", "-Infinity"], ["0x7fc00001", "-0.0"]]}
    assert service.run([], {"x": "x"}, {"x": words})["x"]["data"] == [["NaN", "-Infinity"], ["0x7fc00001", -0.0]]


@pytest.mark.parametrize("name", ["float64", "bfloat16", "complex32", "int16", "bool"])
def test_base64_is_little_endian_and_in_c_order(service: Service, name: str) -> None:
    torch.manual_seed(2)
    x = (torch.randn(3, 4) * 9).to(dtype_of(name))
    same_bits(service.run([], {"x": "x"}, {"x": document(x)})["x"], x)
    assert (
        service.run([], {"x": {"ref": "x", "encoding": "base64"}}, {"x": document(x)})["x"]["data"]
        == document(x)["data"]
    )


def test_a_million_numbers(service: Service) -> None:
    torch.manual_seed(3)
    x = torch.randn(1000, 1000)
    value = service.run([], {"x": "x"}, {"x": {"data": x.tolist(), "dtype": "float32"}})["x"]
    assert torch.equal(torch.tensor(value["data"], dtype=torch.float32), x)


def test_white_space_and_unicode_escapes_change_nothing(service: Service) -> None:
    body = (
        b' {"inp\\u0075ts" :\n{ "\xc3\xa9\\ud83d\\ude00" : {"data"\t:[ [ 1 , 2.5 ],\r\n[ -3e-1,4E+2]]} } , "nodes":[]'
        b',"returns":{"x":"\\u00e9\xf0\x9f\x98\x80"}}'
    )
    x = service.graph(body)["outputs"]["x"]
    assert x["data"] == [[1.0, 2.5], [-0.3, 400.0]]
