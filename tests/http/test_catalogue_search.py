"""front/catalogue.py and the query of GET /v1/ops: search, pages, and what is refused."""

from __future__ import annotations

import pytest
from starlette.datastructures import QueryParams

from gradwire.findings import Refusal
from gradwire.front.api.ops import read_query
from gradwire.front.catalogue import Catalogue, Query, cursor_of, offset_of


def op(name, summary="", status="callable", reason=None):
    return {"name": name, "summary": summary, "status": status, "reason": reason}


CATALOGUE = Catalogue(
    [
        op("relu6", "Like relu, cut at six."),
        op("nn.functional.relu", "Applies the rectified linear unit."),
        op("relu", "Rectified linear."),
        op("Tensor.relu", ""),
        op("leaky_relu", ""),
        op("relu_", ""),
        op("add", "Adds other, scaled by alpha, to input."),
        op("linalg.solve", "Computes the solution of a square system of linear equations."),
        op("matmul", "Matrix product of two tensors."),
        op("save", "Saves an object to a file.", "excluded", "it writes files"),
        op("threshold", "Thresholds each element; see relu."),
        op("numpy.add", "Adds arguments."),
    ]
)


def names(**query):
    return [each["name"] for each in CATALOGUE.page(Query(**query)).ops]


def test_without_words_ops_stand_by_name():
    assert names() == sorted(names())
    assert len(names()) == len(CATALOGUE) == 12


def test_the_best_matches_come_first():
    assert names(q="relu") == [
        "relu",  # the name
        "Tensor.relu",  # its last part, shorter first
        "nn.functional.relu",
        "relu6",  # how it begins
        "relu_",
        "leaky_relu",  # what it holds
        "threshold",  # its summary
    ]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("RELU6", ["relu6"]),
        (" torch.matmul ", ["matmul"]),
        ("F.relu", ["nn.functional.relu"]),
        ("torch.nn.functional.relu", ["nn.functional.relu"]),
        ("np.add", ["numpy.add"]),
        ("matrix product", ["matmul"]),
        ("product matrix", ["matmul"]),
        ("linear solve", ["linalg.solve"]),
        ("nothing like it", []),
        ("%_\\*", []),
    ],
)
def test_words_are_found_in_names_and_summaries(q, found):
    assert names(q=q) == found


def test_words_are_found_with_other_endings_and_last_in_the_text():
    catalogue = Catalogue(
        [
            op("mm", "Performs a matrix multiplication of the matrices."),
            op("matmul", "Matrix product of two tensors.") | {"text": "… a batched matrix multiply is done …"},
            op("mul", "Multiplies input by other."),
        ]
    )
    page = catalogue.page(Query(q="matrix multiply"))
    assert [each["name"] for each in page.ops] == ["mm", "matmul"]
    assert all("text" not in each for each in page.ops)


@pytest.mark.parametrize(
    ("namespace", "found"),
    [
        ("Tensor", ["Tensor.relu"]),
        ("nn.functional", ["nn.functional.relu"]),
        ("F", ["nn.functional.relu"]),
        ("torch.linalg", ["linalg.solve"]),
        ("torch", ["add", "leaky_relu", "matmul", "relu", "relu6", "relu_", "save", "threshold"]),
        ("nn", []),
        ("Torch", []),
    ],
)
def test_a_namespace_holds_the_names_before_the_last_dot(namespace, found):
    assert names(namespace=namespace) == found


def test_filters_hold_together():
    assert names(status="excluded") == ["save"]
    assert names(q="add", namespace="torch", status="callable") == ["add"]
    assert CATALOGUE.page(Query(status="excluded")).ops[0]["reason"] == "it writes files"


def test_pages_follow_each_other_without_a_gap():
    seen, query = [], Query(limit=5)
    while True:
        page = CATALOGUE.page(query)
        assert page.total == 12
        seen += [each["name"] for each in page.ops]
        if page.next_cursor is None:
            break
        query = Query(limit=5, offset=offset_of(query, page.next_cursor))
    assert seen == names()


def test_the_last_full_page_has_no_cursor():
    assert CATALOGUE.page(Query(limit=12)).next_cursor is None
    assert CATALOGUE.page(Query(limit=5, offset=100)).ops == []


def test_a_cursor_belongs_to_its_query():
    cursor = cursor_of(Query(q="relu"), 5)
    assert offset_of(Query(q="relu", limit=7), cursor) == 5
    assert offset_of(Query(q="add"), cursor) is None
    assert offset_of(Query(q="relu", status="callable"), cursor) is None


@pytest.mark.parametrize("cursor", ["x", "5", "!!!!", "\u00fc", "NQ", "LTUuMA", "a" * 5000, cursor_of(Query(), -5)])
def test_anything_else_is_no_cursor(cursor):
    assert offset_of(Query(), cursor) is None


def test_parameters_left_out_or_empty_have_their_defaults():
    assert read_query(QueryParams("")) == read_query(QueryParams("q=&namespace=&status=&limit=&cursor=")) == Query()


def test_parameters_are_read():
    cursor = cursor_of(Query("relu", "torch", "callable"), 3)
    text = f"q=relu&namespace=torch&status=callable&limit=1000&cursor={cursor}"
    assert read_query(QueryParams(text)) == Query("relu", "torch", "callable", 1000, 3)


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("limit=0", ["limit"]),
        ("limit=1001", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=1.0", ["limit"]),
        ("limit=ten", ["limit"]),
        ("limit=%205", ["limit"]),
        ("limit=1_0", ["limit"]),
        ("limit=%D9%A3", ["limit"]),
        ("limit=99999999999999999999", ["limit"]),
        ("q=" + "a+" * 129, ["q"]),
        ("status=Callable", ["status"]),
        ("cursor=nonsense", ["cursor"]),
        ("limit=0&status=x&cursor=y", ["limit", "status", "cursor"]),
    ],
)
def test_wrong_parameters_are_named(query, parameters):
    with pytest.raises(Refusal) as refusal:
        read_query(QueryParams(query))
    findings = refusal.value.findings
    assert [finding.parameter for finding in findings] == parameters
    assert {(finding.code, finding.source.pointer) for finding in findings} == {("invalid_request", "")}
