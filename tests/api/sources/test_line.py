"""Addresses and headers of requests: nobody's text changes where a request goes."""

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sources import SourceFailed
from api.sources.line import Line, segment

LINE = Line("synthetic", "https://source.example/base/", {"Authorization": "Bearer s3cret"})
TEXT = st.text(st.characters(codec="utf-8"), max_size=60)


@given(query=st.dictionaries(TEXT.filter(bool), TEXT, max_size=4))
def test_a_query_arrives_as_it_was_meant(query: dict[str, str]) -> None:
    """Whatever the values hold, host and path stay, and the other side reads exactly these pairs."""
    address = LINE.address("/search", query)
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "source.example", "/base/search")
    assert parts.fragment == ""
    assert dict(parse_qsl(parts.query, keep_blank_values=True)) == query
    assert address.isascii()
    assert address.isprintable()
    assert " " not in address


@given(text=TEXT.filter(lambda text: text not in ("", ".", "..")))
def test_a_segment_is_one_segment(text: str) -> None:
    """An identifier of a source's own becomes one segment of a path, whatever it holds."""
    path = urlsplit(LINE.address(f"/accounts/{segment(text)}/transactions")).path
    assert path.count("/") == 4
    assert unquote(path.split("/")[3]) == text


@pytest.mark.parametrize("text", ["", ".", "..", "x" * 201])
def test_what_cannot_be_a_segment_is_the_sources_fault(text: str) -> None:
    """An identifier that would climb the path, or is far too long, is not what a source publishes."""
    with pytest.raises(SourceFailed) as failure:
        segment(text)
    assert failure.value.why == "schema"


@pytest.mark.parametrize(
    "path", ["x", "//elsewhere", "/a/../b", "/a/..", "/a?b=c", "/a#b", "/a b", "/a\r\nX: y", "/é", "/a%zz", "/a\\b"]
)
def test_a_path_is_made_of_segments(path: str) -> None:
    """A path that holds anything but encoded segments is a mistake, and the message does not repeat it."""
    with pytest.raises(ValueError, match="percent-encoded segments") as failure:
        LINE.address(path)
    assert path not in str(failure.value)


@pytest.mark.parametrize(
    "address",
    [
        *("", "source.example", "ftp://source.example", "file:///etc/passwd", "https://", "https://source example"),
        *("https://user:s3cret@source.example", "https://source.example/?key=s3cret", "https://source.example/#x"),
        *("https://source.example/a/../b", "https://source.example:port", "https://source.example\r\nX: y"),
    ],
)
def test_an_address_that_is_not_plain_is_refused(address: str) -> None:
    """Only http(s) addresses without user, query and fragment make a line; the message does not repeat them."""
    with pytest.raises(ValueError, match="the address of synthetic is not a plain") as failure:
        Line("synthetic", address, {})
    assert "s3cret" not in str(failure.value)


@pytest.mark.parametrize("value", ["Bearer s3cret\r\nX: y", "s3cret\n", "s3cret\x00"])
def test_a_header_cannot_bring_another_one(value: str) -> None:
    """Control characters in a header are refused, and the message does not repeat it."""
    with pytest.raises(ValueError, match="control characters") as failure:
        Line("synthetic", "https://source.example", {"Authorization": value})
    assert "s3cret" not in str(failure.value)


def test_credentials_are_not_shown() -> None:
    """The text of a line does not hold its headers."""
    assert "s3cret" not in repr(LINE) + str(LINE)
