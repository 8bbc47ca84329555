"""contract/problems.py: one table of statuses, and documents that are strict JSON of at most 64 KiB."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradwire.contract.problems import MAX_PROBLEM_BYTES, STATUSES, order, problem
from gradwire.findings import Finding, Source

# Section 7 of the wire contract.
CODES = {
    400: "malformed_body",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request unknown_op excluded_op unknown_reference duplicate_id invalid_argument invalid_tensor "
    "op_failed limit_exceeded unavailable_device invalid_program",
    429: "rate_limited",
    500: "worker_lost internal_error",
    503: "overloaded",
    504: "deadline_exceeded",
}


def strict(document: bytes) -> dict:
    def no_constant(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(document.decode("utf-8"), parse_constant=no_constant)


def test_every_code_of_the_contract_has_a_row_and_no_other():
    expected = {code: status for status, codes in CODES.items() for code in codes.split()}
    assert {code: row.status for code, row in STATUSES.items()} == expected
    assert all(row.title and row.explanation for row in STATUSES.values())


def test_the_first_finding_decides_status_code_and_detail():
    findings = [
        Finding("unknown_op", "there is no op `ad`", Source("/nodes/0/op"), node="y", got="ad", hint="add"),
        Finding("malformed_body", "later"),
    ]
    status, document = problem(findings)
    assert status == 422
    assert strict(document) == {
        "type": "/problems/unknown_op",
        "title": "There is no such op",
        "status": 422,
        "detail": "there is no op `ad`",
        "code": "unknown_op",
        "errors": [
            {
                "pointer": "/nodes/0/op",
                "node": "y",
                "code": "unknown_op",
                "message": "there is no op `ad`",
                "got": "ad",
                "hint": "add",
            },
            {"pointer": "", "code": "malformed_body", "message": "later"},
        ],
    }


def test_an_unknown_op_in_the_path_is_404_and_names_the_parameter():
    status, document = problem([Finding("unknown_op", "there is no op `ad`", parameter="name")])
    assert status == 404
    error = strict(document)["errors"][0]
    assert (error["pointer"], error["parameter"]) == ("", "name")


def test_a_place_in_program_text_has_line_and_column():
    source = Source("/program", line=2, column=5, end_line=2, end_column=9)
    error = strict(problem([Finding("invalid_program", "no classes", source)])[1])["errors"][0]
    assert (error["line"], error["column"], error["end_line"], error["end_column"]) == (2, 5, 2, 9)


@pytest.mark.parametrize(
    ("got", "shown"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([1.5, -math.inf], [1.5, "-Infinity"]),
        (2**53 - 1, 2**53 - 1),
        (2**53, str(2**53)),
        (10**30, str(10**30)),
        ("a\ud800b", "a\ufffdb"),
        ({"\udfff": True}, {"\ufffd": True}),
        ({"a": [None, False]}, {"a": [None, False]}),
        (list(range(1000)), "a list of 1000 items"),
        ({str(n): n for n in range(1000)}, "an object of 1000 members: 0, 1, 2, 3, 4"),
        ([[[]]] * 300, "a list of 300 items"),
        (object(), "object"),
    ],
)
def test_what_came_is_shown_as_strict_json_and_bounded(got, shown):
    assert strict(problem([Finding("invalid_argument", "m", got=got)])[1])["errors"][0]["got"] == shown


def test_long_texts_are_cut():
    long = "ü" * 100_000
    finding = Finding("op_failed", long, Source("/" + long), node=long, got=long, expected=[long], hint=long)
    error = strict(problem([finding])[1])["errors"][0]
    assert len(error["message"]) == 4096
    assert len(error["pointer"]) == 1024
    assert (len(error["node"]), len(error["got"]), len(error["hint"])) == (300, 512, 512)


def test_errors_that_do_not_fit_are_counted():
    findings = [Finding("unknown_op", f"there is no op number {n}", Source(f"/nodes/{n}/op")) for n in range(10_000)]
    document = problem(findings)[1]
    decoded = strict(document)
    assert MAX_PROBLEM_BYTES - 1024 < len(document) <= MAX_PROBLEM_BYTES
    assert len(decoded["errors"]) + decoded["omitted"] == 10_000
    assert decoded["errors"][-1]["message"] == f"there is no op number {len(decoded['errors']) - 1}"


ANY_TEXT = st.text(st.characters(), max_size=30) | st.just("\0" * 9000) | st.just("\U0001f600" * 9000)
ANY_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            Finding,
            st.sampled_from(sorted(STATUSES)),
            ANY_TEXT,
            st.builds(Source, ANY_TEXT),
            node=st.none() | st.integers(0, 9) | ANY_TEXT,
            got=ANY_VALUE,
            expected=ANY_VALUE,
            hint=st.none() | ANY_TEXT,
            parameter=st.none() | ANY_TEXT,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_findings_make_a_strict_document_within_the_limit(findings):
    document = problem(findings)[1]
    assert len(document) <= MAX_PROBLEM_BYTES
    assert strict(document)["code"] == findings[0].code


def pointers(findings):
    return [finding.source.pointer for finding in findings]


def test_errors_stand_in_the_order_of_the_request():
    body = {
        "nodes": [{"op": "x", "args": [1, 2], "id": "a"}, {"kwargs": {"b": 1, "a": 2}, "op": "y"}],
        "inputs": {"q/r": {"data": 1, "dtype": "z"}, "p": 2},
        "returns": ["a"],
    }
    expected = [
        "",
        "/nodes/0",
        "/nodes/0/op",
        "/nodes/0/args/1",
        "/nodes/0/id",
        "/nodes/1/kwargs/b",
        "/nodes/1/kwargs/a",
        "/nodes/1/op",
        "/nodes/1/missing",
        "/inputs/q~1r/data/3",
        "/inputs/q~1r/dtype",
        "/inputs/p",
        "/returns/0",
        "/unknown",
    ]
    shuffled = [Finding("invalid_request", "m", Source(pointer)) for pointer in sorted(expected)]
    assert pointers(order(shuffled, body)) == expected


def test_findings_at_one_place_keep_their_order_but_for_line_and_column():
    first, second = Finding("op_failed", "1", Source("/nodes/0")), Finding("op_failed", "2", Source("/nodes/0"))
    assert order([second, first], {"nodes": [{}]}) == [second, first]
    late = Finding("invalid_program", "l", Source("/program", line=3, column=1))
    early = Finding("invalid_program", "e", Source("/program", line=2, column=7))
    assert order([late, early], {"program": ""}) == [early, late]


def test_ordering_many_findings_takes_time_in_proportion():
    body = {"nodes": [{"op": "x"}] * 10_000, "inputs": {f"x{n}": 1 for n in range(10_000)}}
    findings = [Finding("invalid_tensor", "m", Source(f"/inputs/x{n}")) for n in reversed(range(10_000))]
    assert pointers(order(findings, body))[:2] == ["/inputs/x0", "/inputs/x1"]
