"""The rules of HTTP headers."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import OutOfRange
from sheaf_gateway.api.headers import accepts_zstd, attachment, etag_matches, requested_range


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=90-1000", (90, 10)),
        ("bytes=10-", (10, 90)),
        ("bytes=-10", (90, 10)),
        ("bytes=-1000", (0, 100)),
        ("BYTES = 1-2", None),
        ("bytes= 1 - 2 ", (1, 2)),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=\u0661-\u0662", None),
    ],
)
def test_what_a_range_asks_for(header: str | None, part: tuple[int, int] | None) -> None:
    """Of 100 bytes; what is not understood asks for the whole."""
    assert requested_range(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_is_refused(header: str) -> None:
    """It cannot be satisfied."""
    with pytest.raises(OutOfRange):
        requested_range(header, 100)


@given(st.text(max_size=60))
def test_a_disposition_is_safe_and_complete(filename: str) -> None:
    """Nothing in a name ends the header or its quotes, and the name comes back."""
    filename = filename.encode(errors="ignore").decode()
    header = attachment(filename)
    match = re.fullmatch(r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''(\S*)", header)

    assert match is not None
    assert not set(match.group(1)) & set('"\\/%\r\n')
    assert unquote(match.group(2)) == filename


@pytest.mark.parametrize(
    ("header", "accepts"),
    [
        (None, False),
        ("", False),
        ("gzip, br", False),
        ("zstd", True),
        ("gzip,ZSTD", True),
        ("zstd;q=0.5, gzip", True),
        ("zstd; q=0", False),
        ("zstd;q=0.000", False),
        ("xzstd", False),
        ("*", False),
    ],
)
def test_who_takes_zstd(header: str | None, *, accepts: bool) -> None:
    """Only who says so."""
    assert accepts_zstd(header) is accepts


@pytest.mark.parametrize(
    ("header", "matches"),
    [
        (None, False),
        ('"a"', True),
        ('W/"a"', True),
        ('"b", "a"', True),
        ("*", True),
        ('"b"', False),
    ],
)
def test_a_validator_matches(header: str | None, *, matches: bool) -> None:
    """By weak comparison."""
    assert etag_matches(header, '"a"') is matches
