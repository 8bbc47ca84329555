"""Bodies: what is strict JSON, and what is refused as malformed."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire.findings import Refusal
from gradwire.wire.read.arrays import NumberArray
from gradwire.wire.read.skeleton import SMALL_BODY, skeleton

LONG = ",".join(["0"] * 3000)


def refused(body: bytes, depth: int = 200):
    with pytest.raises(Refusal) as caught:
        skeleton(body, depth)
    (finding,) = caught.value.findings
    assert finding.code == "malformed_body"
    assert finding.source.pointer == ""
    return finding


def padded(body: bytes) -> bytes:
    """The same document, over the size up to which bodies are read the simple way."""
    return body + b" " * SMALL_BODY


MALFORMED = {
    b"": "empty",
    b" \n": "empty",
    b"\xef\xbb\xbf{}": "byte order mark",
    b"\xff\xfe[\x00]\x00": "UTF-8",
    b'["\xff"]': "UTF-8 at byte 2",
    b'["\xed\xa0\x80"]': "UTF-8",
    b"nul": "not JSON",
    b"[1,]": "line 1, column 4",
    b'{"a":1': "delimiter",
    b"{'a':1}": "not JSON",
    b"[1] [2]": "Extra data",
    b"[01]": "not JSON",
    b"[.5]": "not JSON",
    b"[1.]": "not JSON",
    b"[+1]": "not JSON",
    b"[NaN]": "bare NaN",
    b"[Infinity]": "bare Infinity",
    b"[-Infinity]": "bare -Infinity",
    b'["\x01"]': "not JSON",
    b'["\\x"]': "not JSON",
    b'["\\ud800"]': "lone surrogate",
    b'["\\udc00"]': "lone surrogate",
    b'["\\ud800\\u0041"]': "lone surrogate",
    b"[1e400]": "fits none of",
    b"[-1e400]": "fits none of",
    b"[18446744073709551616]": "fits none of",
    b"[-9223372036854775809]": "fits none of",
    b"[123456789012345678901234567890]": "fits none of",
    b'{"a":1,"a":2}': "has the member 'a' twice",
    b'{"a":1,"\\u0061":2}': "has the member 'a' twice",
    b'{"":1,"":2}': "has the member '' twice",
    b'{"a:":1,"a\\u003a":2}': "has the member 'a:' twice",
    b'{"x":":","b":[{"c":1,"c":1}]}': "the object at '/b/0' has the member 'c' twice",
}


@pytest.mark.parametrize("pad", [bytes, padded], ids=["small", "large"])
@pytest.mark.parametrize("body", MALFORMED, ids=str)
def test_malformed(body, pad):
    if body.strip():
        assert MALFORMED[body] in refused(pad(body)).message
    else:
        refused(pad(body))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b"5", 5),
        (b'"a"', "a"),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b"[9007199254740993, 1.0, 1e3, -0, -0.0, 1e-400]", [2**53 + 1, 1.0, 1000.0, 0, -0.0, 0.0]),
        (b'{"a\\u0000":"\\ud83d\\ude00", "b:":":"}', {"a\0": "\U0001f600", "b:": ":"}),
        (b'[["[", "]"], "\\u005b"]', [["[", "]"], "["]),
    ],
)
@pytest.mark.parametrize("pad", [bytes, padded], ids=["small", "large"])
def test_plain_values(body, value, pad):
    found = skeleton(pad(body), 200)
    assert found == value
    assert repr(found) == repr(value)


def test_depth_counts_lists_and_objects():
    assert skeleton(b"[" * 200 + b"]" * 200, 200)
    assert "more than 199 deep" in refused(b"[" * 200 + b"]" * 200, 199).message
    assert "more than 3 deep" in refused(b'{"a":[{"b":[]}]}', 3).message
    refused(b"[" * 100_000 + b"]" * 100_000)
    refused(b'{"a":' * 2000 + b"1" + b"}" * 2000)


def test_depth_counts_the_lists_of_a_long_array():
    body = f'{{"a": [[[{LONG}]]]}}'.encode()
    assert skeleton(body, 4)["a"].shape == (1, 1, 3000)
    assert "more than 3 deep" in refused(body, 3).message


def array_of(text: str) -> NumberArray:
    found = skeleton(f'{{"inputs": {{"x": {{"data": {text}, "dtype": "float32"}}}}}}'.encode(), 200)
    array = found["inputs"]["x"]["data"]
    assert isinstance(array, NumberArray)
    assert found["inputs"]["x"]["dtype"] == "float32"
    return array


def test_long_lists_become_buffers():
    values = np.arange(2000.0).reshape(20, 100) / 7
    array = array_of(json.dumps(values.tolist()))
    assert array.shape == (20, 100)
    assert array.flat.tobytes() == values.tobytes()
    assert array.tolist() == values.tolist()
    assert len(array) == 20


@pytest.mark.parametrize(
    ("extra", "kind"),
    [("5", "i"), ("9223372036854775808", "u"), ("-9223372036854775808", "i"), ("1.0", "f"), ("1e2", "f")],
)
def test_kind_of_buffer(extra, kind):
    array = array_of(f"[{LONG},{extra}]")
    assert array.flat.dtype.kind == kind
    assert array.flat[-1] == float(extra)
    assert array.tolist()[-1] == json.loads(extra)
    assert type(array.tolist()[-1]) is type(json.loads(extra))


def test_mixed_signs_beyond_int64_are_floats_with_exact_integers_at_hand():
    array = array_of(f"[{LONG},-1,18446744073709551615]")
    assert array.flat.dtype.kind == "f"
    assert array.lossy
    assert array.tolist()[-2:] == [-1, 2**64 - 1]


RAGGED = [
    f"[[{LONG}],[{LONG},1]]",
    f"[[{LONG}],[1,{LONG[2:]},1]]",
    f"[[{LONG}],{LONG}]",
    f"[[{LONG}],[[{LONG[2:]}],1]]",
    f"[[{LONG}],[{LONG[2:]},[1]]]",
    f"[{LONG},[1]]",
    f"[{LONG},[]]",
    f"[[{LONG}],[]]",
    f"[{LONG},true]",
    f'[{LONG},"NaN"]',
    f"[{LONG},null]",
    f'[{LONG},{{"a":1}}]',
]


@pytest.mark.parametrize("text", RAGGED, ids=range(len(RAGGED)))
def test_what_is_no_array_of_numbers_stays_a_list(text):
    found = skeleton(f'{{"x": {text}}}'.encode(), 200)
    assert found == {"x": json.loads(text)}


@pytest.mark.parametrize(
    "template",
    [
        "%s",
        "[%s]",
        '["a", %s]',
        '["a", [[%s]], "b"]',
        '{"a": %s, "b\\\\": "\\"", "c": %s}',
        '["\\\\\\\\", %s, "]"]',
        '{"[": %s}',
    ],
)
def test_arrays_are_found_in_any_place(template):
    text = f"[[{LONG}],[{LONG}]]"
    body = template.replace("%s", text)
    expected = json.loads(body)
    assert plain(skeleton(body.encode(), 200)) == expected


def plain(value):
    if isinstance(value, NumberArray):
        return value.tolist()
    if isinstance(value, dict):
        return {name: plain(inside) for name, inside in value.items()}
    return [plain(inside) for inside in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "body",
    [
        f"{{[{LONG}]:1}}",
        f"[{LONG}",
        f"[{LONG}]]",
        f"[{LONG}][{LONG}]",
        f"1[{LONG}]",
        f"[[{LONG}][{LONG}]]",
        f'["a"[{LONG}]]',
    ],
    ids=range(7),
)
def test_a_long_list_where_none_may_stand_is_malformed(body):
    refused(body.encode())


def test_duplicates_are_found_beside_long_lists():
    assert "'x' twice" in refused(f'{{"x": [{LONG}], "y": 1, "\\u0078": [{LONG}]}}'.encode()).message


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=30,
)


@given(json_values, st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_every_json_document_reads_as_the_standard_library_reads_it(value, ascii_only, large):
    body = json.dumps(value, ensure_ascii=ascii_only).encode()
    if large:
        body = padded(body)
    assert repr(skeleton(body, 200)) == repr(json.loads(body))


@given(st.text(alphabet='[]{},:"\\u0019eE.-+tfn a', max_size=24))
@settings(max_examples=2000, deadline=None)
def test_nothing_is_read_that_the_standard_library_refuses(text):
    def pairs(members):
        assert len({name for name, _ in members}) == len(members)
        return dict(members)

    def number(digits):
        assert -(2**63) <= int(digits) < 2**64
        return int(digits)

    def real(digits):
        assert math.isfinite(float(digits))
        return float(digits)

    def constant(word):
        raise AssertionError(word)

    try:
        expected = json.loads(
            text, object_pairs_hook=pairs, parse_int=number, parse_float=real, parse_constant=constant
        )
        json.dumps(expected, ensure_ascii=False).encode()
    except (ValueError, AssertionError):
        refused(text.encode())
    else:
        assert repr(skeleton(text.encode(), 200)) == repr(expected)
