"""contract/media.py: Content-Type and Accept as RFC 9110 reads them."""

from __future__ import annotations

import pytest

from gradwire.contract.media import HTML, JSON, MediaType, negotiate, parse, readable


@pytest.mark.parametrize(
    ("header", "media"),
    [
        ("application/json", MediaType("application/json")),
        ("Application/JSON; Charset=UTF-8", MediaType("application/json", {"charset": "UTF-8"})),
        ('multipart/form-data; boundary="a b;c"', MediaType("multipart/form-data", {"boundary": "a b;c"})),
        (r'text/plain; x="a\"b"', MediaType("text/plain", {"x": 'a"b'})),
        ("text/plain;", MediaType("text/plain")),
        ("text/plain;;a=1", MediaType("text/plain", {"a": "1"})),
        ("json", None),
        ("", None),
        ("text/plain; a", None),
        ('text/plain; a="b', None),
        ("text/plain, text/html", None),
    ],
)
def test_a_media_type_is_parsed(header, media):
    assert parse(header) == media


@pytest.mark.parametrize(
    ("header", "read_as"),
    [
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ('APPLICATION/JSON;charset="UTF-8"', JSON),
        ("application/json; charset=latin-1", None),
        ("application/json; foo=bar", JSON),
        ("text/json", None),
        ("application/jsonx", None),
        (None, None),
        ("", None),
    ],
)
def test_a_json_body_says_so(header, read_as):
    assert readable(header, (JSON,)) == read_as


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("application/*", JSON),
        ("text/html", HTML),
        ("text/html, application/json", JSON),
        ("text/html, application/json;q=0.9", HTML),
        ("text/*;q=0.3, text/html;q=0.7, application/json;q=0.5", HTML),
        ("application/json;q=0, */*", HTML),
        ("*/*;q=0", None),
        ("image/png", None),
        ("application/json;q=2", None),
        ("nonsense, application/json", JSON),
        ("APPLICATION/JSON", JSON),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", HTML),
        ('text/html;x="a,b", application/json;q=0.1', HTML),
    ],
)
def test_the_reply_is_the_best_liked_type(accept, chosen):
    assert negotiate(accept, (JSON, HTML)) == chosen
