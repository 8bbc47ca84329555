"""JSON documents, right and wrong, each with its verdict.

A document stands where the sign % is in a graph's body, or is the body. What is no JSON is `malformed_body` at the
pointer "" whatever it is part of; what is JSON is judged as what it stands for.
"""

from __future__ import annotations

import json
import struct

import pytest

from service import RUN, Service, read

DATA = b'{"inputs": {"x": {"data": %}}, "nodes": [], "returns": ["x"]}'
FLOAT64 = b'{"inputs": {"x": {"dtype": "float64", "data": %}}, "nodes": [], "returns": ["x"]}'
NAME = b'{"inputs": {%: 1}, "nodes": []}'
WORD = b'{"nodes": [{"id": %, "op": "eye", "args": [1]}]}'
ARGUMENT = b'{"nodes": [{"id": "r", "op": "full", "args": [[], %]}], "returns": ["r"]}'
OP = b'{"nodes": [{"op": %}]}'
WHOLE = b"%"

GOOD = "good"
BAD = (400, "malformed_body", "")
# A name has 1 to 256 characters, and none that controls a terminal.
NO_NAME = (422, "invalid_request", "/nodes/0/id")


def tensor_error(pointer: str) -> tuple[int, str, str]:
    return 422, "invalid_tensor", f"/inputs/x/data{pointer}"


def deep(levels: int, within: bytes = b"") -> bytes:
    return b"[" * levels + within + b"]" * levels


# The name of a document, where it stands, the document, and its verdict: GOOD, or status, code and pointer.
# The data of a good tensor, where that is not what Python's json makes of it, is the fifth.
NUMBERS: list[tuple] = [
    ("zero", DATA, b"0", GOOD),
    ("minus zero is an integer", DATA, b"-0", GOOD, 0),
    ("a minus zero that is a float", DATA, b"-0.0", GOOD),
    ("an exponent", DATA, b"1e3", GOOD),
    ("a capital exponent", DATA, b"1E3", GOOD),
    ("an exponent with a plus", DATA, b"1e+3", GOOD),
    ("an exponent with leading zeros", DATA, b"1e003", GOOD),
    ("a negative exponent", DATA, b"25e-2", GOOD),
    ("the smallest double", FLOAT64, b"5e-324", GOOD),
    ("less than the smallest double", FLOAT64, b"1e-400", GOOD, 0.0),
    ("less than nothing", FLOAT64, b"-1e-400", GOOD, -0.0),
    ("a zero with a large exponent", FLOAT64, b"0e999999", GOOD, 0.0),
    ("the largest double", FLOAT64, b"1.7976931348623157e308", GOOD),
    ("rounds to the largest double", FLOAT64, b"1.7976931348623158e308", GOOD, 1.7976931348623157e308),
    ("rounds over the largest double", FLOAT64, b"1.7976931348623159e308", BAD),
    ("half a unit over the largest double", FLOAT64, b"1.797693134862315807e308", GOOD, 1.7976931348623157e308),
    ("1e309", FLOAT64, b"1e309", BAD),
    ("1e400", FLOAT64, b"1e400", BAD),
    ("-1e400", FLOAT64, b"-1e400", BAD),
    ("an exponent of a hundred digits", FLOAT64, b"1e" + b"9" * 100, BAD),
    ("a negative exponent of a hundred digits", FLOAT64, b"1e-" + b"9" * 100, GOOD, 0.0),
    ("a fraction of a thousand digits", FLOAT64, b"0." + b"3" * 1000, GOOD, 0.3333333333333333),
    ("a fraction of 100,000 digits", FLOAT64, b"0." + b"3" * 100_000, GOOD, 0.3333333333333333),
    ("as many zeros and a digit", FLOAT64, b"0." + b"0" * 100_000 + b"1", GOOD, 0.0),
    ("a hard case of rounding", FLOAT64, b"2.2250738585072011e-308", GOOD),
    ("half way between two doubles", FLOAT64, b"9007199254740993.0", GOOD, 9007199254740992.0),
    ("2^53 + 1", DATA, b"9007199254740993", GOOD, "9007199254740993"),
    ("the largest int64", DATA, b"9223372036854775807", GOOD, "9223372036854775807"),
    ("the smallest int64", DATA, b"-9223372036854775808", GOOD, "-9223372036854775808"),
    ("one under int64", DATA, b"-9223372036854775809", BAD),
    ("2^64", DATA, b"18446744073709551616", BAD),
    ("thirty digits", DATA, b"1" * 30, BAD),
    ("a million digits", DATA, b"1" * 1_000_000, BAD),
    ("thirty digits that are a float", FLOAT64, b"1" * 30 + b".0", GOOD),
    ("1e400 in an argument", ARGUMENT, b"1e400", BAD),
    ("2^64 in an argument", ARGUMENT, b"18446744073709551616", BAD),
    ("1e400 where no number is wanted", WORD, b"1e400", BAD),
    ("a leading zero", DATA, b"01", BAD),
    ("two zeros", DATA, b"00", BAD),
    ("a minus and a leading zero", DATA, b"-01", BAD),
    ("a plus", DATA, b"+1", BAD),
    ("a minus alone", DATA, b"-", BAD),
    ("two minuses", DATA, b"--1", BAD),
    ("a minus apart", DATA, b"- 1", BAD),
    ("no digit before the point", DATA, b".5", BAD),
    ("no digit behind the point", DATA, b"1.", BAD),
    ("no digit between point and exponent", DATA, b"1.e3", BAD),
    ("no exponent", DATA, b"1e", BAD),
    ("a sign for an exponent", DATA, b"1e+", BAD),
    ("two points", DATA, b"1.2.3", BAD),
    ("two exponents", DATA, b"1e2e3", BAD),
    ("a fractional exponent", DATA, b"1e2.5", BAD),
    ("hexadecimal", DATA, b"0x1f", BAD),
    ("octal", DATA, b"0o17", BAD),
    ("underscores", DATA, b"1_000", BAD),
    ("a thousands comma", DATA, b"[1,,000]", BAD),
    ("a letter behind", DATA, b"1f", BAD),
    ("digits of another script", DATA, "١٢".encode(), BAD),
    ("full-width digits", DATA, "１".encode(), BAD),
    ("NaN", DATA, b"NaN", BAD),
    ("nan", DATA, b"nan", BAD),
    ("Infinity", DATA, b"Infinity", BAD),
    ("-Infinity", DATA, b"[1, -Infinity]", BAD),
    ("inf", DATA, b"inf", BAD),
    ("a NaN in a list of a million", DATA, b"[" + b"1," * 1_000_000 + b"NaN]", BAD),
    ("1e400 in a list of a million", DATA, b"[" + b"1.5," * 1_000_000 + b"1e400]", BAD),
    ("2^64 in a list of a million", DATA, b"[" + b"1," * 1_000_000 + b"18446744073709551616]", BAD),
]
STRUCTURE: list[tuple] = [
    ("nothing", WHOLE, b"", BAD),
    ("a space", WHOLE, b" ", BAD),
    ("a null byte", WHOLE, b"\0", BAD),
    ("null", WHOLE, b"null", (422, "invalid_request", "")),
    ("true", WHOLE, b"true", (422, "invalid_request", "")),
    ("True", WHOLE, b"True", BAD),
    ("a number", WHOLE, b"1", (422, "invalid_request", "")),
    ("a string", WHOLE, b'"x"', (422, "invalid_request", "")),
    ("a list", WHOLE, b"[]", (422, "invalid_request", "")),
    ("an empty object", WHOLE, b"{}", (422, "invalid_request", "")),
    ("white space of every kind", WHOLE, b' \t\r\n{ "nodes" : [ ] }\r\n\t ', GOOD),
    ("a form feed", WHOLE, b'\x0c{"nodes": []}', BAD),
    ("a no-break space", WHOLE, '\u00a0{"nodes": []}'.encode(), BAD),
    ("a null byte behind", WHOLE, b'{"nodes": []}\0', BAD),
    ("two documents", WHOLE, b'{"nodes": []}{"nodes": []}', BAD),
    ("two documents on lines", WHOLE, b'{"nodes": []}\n{"nodes": []}', BAD),
    ("a brace too many", WHOLE, b'{"nodes": []}}', BAD),
    ("a brace too few", WHOLE, b'{"nodes": []', BAD),
    ("a bracket for a brace", WHOLE, b'{"nodes": []]', BAD),
    ("no colon", WHOLE, b'{"nodes" []}', BAD),
    ("two colons", WHOLE, b'{"nodes":: []}', BAD),
    ("an equals sign", WHOLE, b'{"nodes"= []}', BAD),
    ("no value", WHOLE, b'{"nodes":}', BAD),
    ("no comma", WHOLE, b'{"nodes": [] "seed": 1}', BAD),
    ("two commas", WHOLE, b'{"nodes": [],, "seed": 1}', BAD),
    ("a comma first", WHOLE, b'{,"nodes": []}', BAD),
    ("a comma last in an object", WHOLE, b'{"nodes": [],}', BAD),
    ("a comma last in a list", DATA, b"[1, 2,]", BAD),
    ("only a comma", DATA, b"[,]", BAD),
    ("a semicolon", DATA, b"[1; 2]", BAD),
    ("a colon in a list", DATA, b"[1: 2]", BAD),
    ("a number for a name", WHOLE, b'{1: 2, "nodes": []}', BAD),
    ("null for a name", WHOLE, b'{null: 2, "nodes": []}', BAD),
    ("a list for a name", WHOLE, b'{[]: 2, "nodes": []}', BAD),
    ("a name without quotes", WHOLE, b"{nodes: []}", BAD),
    ("single quotes", WHOLE, b"{'nodes': []}", BAD),
    ("backquotes", WHOLE, b"{`nodes`: []}", BAD),
    ("a comment of a line", WHOLE, b'{"nodes": []} // none', BAD),
    ("a comment in between", WHOLE, b'{"nodes": /* none */ []}', BAD),
    ("a hash", WHOLE, b'# none\n{"nodes": []}', BAD),
    ("a word", DATA, b"undefined", BAD),
    ("a word that begins as null", DATA, b"nul", BAD),
    ("a word that goes on after true", DATA, b"truely", BAD),
    ("TRUE", DATA, b"TRUE", BAD),
    ("Python", DATA, b"(1, 2)", BAD),
    ("HTML", WHOLE, b"<html></html>", BAD),
    ("a form", WHOLE, b"nodes=%5B%5D", BAD),
    ("MessagePack", WHOLE, b"\x81\xa5nodes\x90", BAD),
    ("no member is known", WHOLE, b'{"nodes": [], "node": []}', (422, "invalid_request", "/node")),
    ("an empty name", NAME, b'""', (422, "invalid_request", "/inputs/")),
]
DUPLICATES: list[tuple] = [
    ("twice", WHOLE, b'{"nodes": [], "nodes": []}', BAD),
    ("twice, once escaped", WHOLE, b'{"nodes": [], "\\u006eodes": []}', BAD),
    ("twice, both escaped", WHOLE, b'{"\\u006Eodes": [], "\\u006eodes": []}', BAD),
    ("twice, once with a slash escaped", WHOLE, b'{"nodes": [], "inputs": {"a/b": 1, "a\\/b": 2}}', BAD),
    (
        "twice, once as a pair of surrogates",
        WHOLE,
        '{"nodes": [], "inputs": {"𝄞": 1, "\\ud834\\udd1e": 2}}'.encode(),
        BAD,
    ),
    ("twice with the same value", WHOLE, b'{"nodes": [], "seed": 1, "seed": 1}', BAD),
    ("twice in a tensor", WHOLE, b'{"inputs": {"x": {"data": 1, "data": 1}}, "nodes": []}', BAD),
    ("twice in a node", WHOLE, b'{"nodes": [{"op": "eye", "op": "eye", "args": [1]}]}', BAD),
    ("twice in an argument", ARGUMENT, b'{"int": "1", "int": "1"}', BAD),
    (
        "twice, long lists between",
        WHOLE,
        b'{"nodes": [], "inputs": {"x": {"data": [%s1], "data": [%s1]}}}' % ((b"1," * 5000,) * 2),
        BAD,
    ),
    ("twice, the last of 10,000", NAME, b", ".join(b'"i%d": 1' % i for i in range(10_000)) + b', "i77"', BAD),
    ("twice in what is wrong anyway", WHOLE, b'{"nope": {"a": 1, "a": 2}}', BAD),
    ("alike, not the same", WHOLE, '{"nodes": [], "inputs": {"é": 1, "e\u0301": 1}}'.encode(), GOOD),
    ("alike but for the case", WHOLE, b'{"nodes": [], "inputs": {"a": 1, "A": 1}}', GOOD),
    ("the same in two objects", WHOLE, b'{"nodes": [], "inputs": {"a": {"data": 1}, "b": {"data": 1}}}', GOOD),
]
STRINGS: list[tuple] = [
    ("every short escape", WORD, rb'"\"\\\/\b\f\n\r\t"', NO_NAME),
    ("a letter escaped", WORD, rb'"\u0061"', GOOD),
    ("a pair of surrogates", WORD, rb'"\ud834\udd1e"', GOOD),
    ("a character outside the BMP", WORD, '"𝄞"'.encode(), GOOD),
    ("an escaped null", WORD, rb'"a\u0000b"', NO_NAME),
    ("DEL", WORD, b'"a\x7fb"', NO_NAME),
    ("a line separator", WORD, '"a\u2028b"'.encode(), GOOD),
    ("a noncharacter", WORD, '"\uffff"'.encode(), GOOD),
    ("a byte order mark inside", WORD, '"\ufeff"'.encode(), GOOD),
    ("a string of 100,000 characters", WORD, b'"' + b"a" * 100_000 + b'"', NO_NAME),
    ("a string of 10 MB", WORD, b'"' + b"a" * 10_000_000 + b'"', NO_NAME),
    ("a word with a name of a tensor's member", NAME, b'"__class__"', GOOD),
    ("a null byte in a string", WORD, b'"a\0b"', BAD),
    ("a newline in a string", WORD, b'"a\nb"', BAD),
    ("a tab in a string", WORD, b'"a\tb"', BAD),
    ("0x1f in a string", WORD, b'"a\x1fb"', BAD),
    ("no end", WORD, b'"a', BAD),
    ("an escaped end", WORD, rb'"a\"', BAD),
    ("an escape of x", WORD, rb'"\x61"', BAD),
    ("an escape of a quote", WORD, rb'"\'"', BAD),
    ("an escape of a capital U", WORD, rb'"\U00000061"', BAD),
    ("an escape of three digits", WORD, rb'"\u006"', BAD),
    ("an escape of no digits", WORD, rb'"\u"', BAD),
    ("an escape with a letter that is no digit", WORD, rb'"\u00g1"', BAD),
    ("an escape of a newline", WORD, b'"a\\\nb"', BAD),
    ("a lone high surrogate", WORD, rb'"\ud834"', BAD),
    ("a lone low surrogate", WORD, rb'"\udd1e"', BAD),
    ("surrogates the wrong way round", WORD, rb'"\udd1e\ud834"', BAD),
    ("two high surrogates", WORD, rb'"\ud834\ud834"', BAD),
    ("a high surrogate and a letter", WORD, rb'"\ud834a"', BAD),
    ("a high surrogate and half an escape", WORD, rb'"\ud834\u"', BAD),
    ("a lone surrogate in a name", NAME, rb'"\ud834"', BAD),
    ("a lone surrogate deep in what is not read", WHOLE, rb'{"nope": [[{"a": "\udfff"}]]}', BAD),
    ("a lone surrogate among a million strings", DATA, b"[" + b'"1",' * 1_000_000 + rb'"\udfff"]', BAD),
]
BYTES: list[tuple] = [
    ("a byte order mark", WHOLE, b'\xef\xbb\xbf{"nodes": []}', BAD),
    ("a byte order mark alone", WHOLE, b"\xef\xbb\xbf", BAD),
    ("half a byte order mark", WHOLE, b'\xef\xbb{"nodes": []}', BAD),
    ("UTF-16, little-endian", WHOLE, '{"nodes": []}'.encode("utf-16-le"), BAD),
    ("UTF-16, big-endian with a mark", WHOLE, b"\xfe\xff" + '{"nodes": []}'.encode("utf-16-be"), BAD),
    ("UTF-32", WHOLE, '{"nodes": []}'.encode("utf-32"), BAD),
    ("Latin-1", WORD, b'"caf\xe9"', BAD),
    ("a continuation alone", WORD, b'"\x80"', BAD),
    ("a start alone", WORD, b'"\xc3"', BAD),
    ("a start and a letter", WORD, b'"\xc3a"', BAD),
    ("two of three bytes", WORD, b'"\xe2\x82"', BAD),
    ("a slash in two bytes", WORD, b'"\xc0\xaf"', BAD),
    ("a null in two bytes", WORD, b'"\xc0\x80"', BAD),
    ("a slash in three bytes", WORD, b'"\xe0\x80\xaf"', BAD),
    ("a surrogate as three bytes", WORD, b'"\xed\xa0\x80"', BAD),
    ("a pair of surrogates as six bytes", WORD, b'"\xed\xa0\xb4\xed\xb4\x9e"', BAD),
    ("over the last character", WORD, b'"\xf4\x90\x80\x80"', BAD),
    ("five bytes", WORD, b'"\xf8\x88\x80\x80\x80"', BAD),
    ("0xff", WORD, b'"\xff"', BAD),
    ("0xff between members", WHOLE, b'{"nodes": []\xff}', BAD),
    ("0xff behind 100 kB", WORD, b'"' + b"a" * 100_000 + b'\xff"', BAD),
]
MILLION = 1_000_000
UNKNOWN = (422, "invalid_request", None)
NODE = b'{"op":"eye","args":[1]}'
MANY_INPUTS = b'{"nodes": [], "inputs": {%s}}' % b",".join(b'"%d":1' % i for i in range(MILLION))
SIZES: list[tuple] = [
    ("lists nested 60 deep", DATA, deep(60, b"1"), GOOD),
    ("lists nested 190 deep", WHOLE, deep(190), (422, "invalid_request", "")),
    ("lists nested 201 deep", WHOLE, deep(201), BAD),
    ("lists nested 1,000,000 deep", WHOLE, deep(1_000_000), BAD),
    ("lists nested 1,000,000 deep without an end", WHOLE, b"[" * 1_000_000, BAD),
    ("1,000,000 ends", WHOLE, b"]" * 1_000_000, BAD),
    ("data nested 300 deep", DATA, deep(300, b"1"), BAD),
    ("objects nested 300 deep", WHOLE, b'{"a":' * 300 + b"1" + b"}" * 300, BAD),
    ("lists and objects in turn, 1,000 deep", WHOLE, b'[{"a":' * 500 + b"1" + b"}]" * 500, BAD),
    ("brackets in a string are no nesting", WORD, b'"' + b"[" * 100_000 + b'"', NO_NAME),
    ("a million numbers", DATA, b"[" + b",".join([b"1"] * 1_000_000) + b"]", GOOD),
    ("a million empty lists", DATA, b"[" + b",".join([b"[]"] * 1_000_000) + b"]", GOOD),
    ("a million nulls", DATA, b"[" + b",".join([b"null"] * MILLION) + b"]", tensor_error("/0")),
    ("a million empty objects", DATA, b"[" + b",".join([b"{}"] * MILLION) + b"]", tensor_error("/0")),
    ("a million names that are not known", WHOLE, b"{%s}" % b",".join(b'"%d":1' % i for i in range(MILLION)), UNKNOWN),
    ("a million inputs", WHOLE, MANY_INPUTS, (422, "limit_exceeded", "/inputs")),
    ("100,000 nodes", WHOLE, b'{"nodes": [%s]}' % b",".join([NODE] * 100_000), (422, "limit_exceeded", "/nodes")),
    ("a name of a megabyte that is not known", WHOLE, b'{"nodes": [], "%s": 1}' % (b"a" * MILLION), UNKNOWN),
    ("an op of a megabyte", OP, b'"' + b"a" * MILLION + b'"', (422, "unknown_op", "/nodes/0/op")),
    ("a megabyte of spaces", WHOLE, b'{"nodes": [' + b" " * 1_000_000 + b"]}", GOOD),
    ("ragged at the end of a million", DATA, b"[" + b"[1,2]," * 500_000 + b"[1]]", tensor_error("/500000")),
    ("a null at the end of a million", DATA, b"[" + b"1," * 1_000_000 + b"null]", tensor_error("/1000000")),
]  # fmt: skip
ALL = [*NUMBERS, *STRUCTURE, *DUPLICATES, *STRINGS, *BYTES, *SIZES]


def body(place: bytes, document: bytes) -> bytes:
    before, _, after = place.partition(b"%")
    return before + document + after


def test_there_are_more_than_a_hundred_and_each_is_another() -> None:
    assert len(ALL) > 200
    assert len({name for name, *_ in ALL}) == len(ALL)
    assert len({body(place, document) for _, place, document, *_ in ALL}) == len(ALL)


@pytest.mark.parametrize("case", ALL, ids=[case[0] for case in ALL])
def test_the_verdict_of_each(service: Service, case: tuple) -> None:
    _, place, document, verdict, *expected = case
    if verdict == GOOD:
        reply = service.post(RUN, body(place, document))
        assert reply.status_code == 200, reply.text[:1000]
        if place in (DATA, FLOAT64):
            same(read(reply)["outputs"]["x"]["data"], expected[0] if expected else json.loads(document))
        return
    status, code, pointer = verdict
    problem = service.refused(body(place, document))
    found = problem["errors"][0]
    assert (problem["status"], problem["code"]) == (status, code), problem
    assert pointer is None or found["pointer"] == pointer
    assert len(problem["errors"]) == 1 or code != "malformed_body"


def same(given: object, expected: object) -> None:
    """Equal, and a zero of the same sign."""
    assert given == expected
    if isinstance(expected, float):
        assert struct.pack("<d", given) == struct.pack("<d", expected)


def test_after_all_of_them_the_service_still_works(service: Service) -> None:
    service.still_works()
    assert service.client.get("/v1/server").json()["workers"]["lost"] == 0
