"""Which pages are wanted, as clients write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_gateway.pages import MAX_CHARACTERS, MAX_PAGE, MAX_RANGES, pages_text, parse_pages

_RANGES = st.lists(
    st.tuples(st.integers(1, 40), st.none() | st.integers(0, 9)), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1-3,7,10-", "1-3,7,10-"),
        ("7", "7"),
        ("7-7", "7"),
        (" 7 ,\t1-3 ", "1-3,7"),
        ("10-,1-3,2-5,6", "1-6,10-"),
        ("3-,5-9,4-", "3-"),
        ("2-3,1-", ""),
        ("", ""),
        (f"{MAX_PAGE}", f"{MAX_PAGE}"),
        (",".join(str(n) for n in range(1, 501)), "1-500"),
    ],
)
def test_ranges_are_put_in_order_and_joined(written: str, shown: str) -> None:
    """All pages are shown as nothing."""
    assert pages_text(parse_pages(written)) == shown


@pytest.mark.parametrize(
    "written",
    [
        "0", "-3", "3-1", "1--3", "1,,2", ",", "a", "1 - 3", "1.5", "+1", "01", "\u0661", "1\n",
        f"{MAX_PAGE + 1}", f"1-{MAX_PAGE + 1}", "9" * 4000,
        ",".join(str(2 * n + 1) for n in range(MAX_RANGES + 1)),
        ",".join(f"{100_000 + 10 * n}-{100_001 + 10 * n}" for n in range(MAX_RANGES)),
    ],
)  # fmt: skip
def test_what_are_no_pages_is_refused(written: str) -> None:
    """Numbers from 1, bounded in size and number."""
    with pytest.raises(ValueError, match="range"):
        parse_pages(written)


def test_twenty_ranges_of_four_digits_are_taken() -> None:
    """As many pages as documents have."""
    text = ",".join(f"{1000 + 10 * n}-{1001 + 10 * n}" for n in range(MAX_RANGES))
    assert (pages_text(parse_pages(text)), len(text) < MAX_CHARACTERS) == (text, True)


@given(ranges=_RANGES)
def test_the_same_pages_are_wanted_after_joining(ranges: list[tuple[int, int | None]]) -> None:
    """No page more, none less, whatever overlaps; and the text of ranges reads as itself."""
    written = ",".join(
        f"{first}-" if length is None else f"{first}-{first + length}" for first, length in ranges
    )
    parsed = parse_pages(written)
    last = 60
    wanted = {
        page
        for first, length in ranges
        for page in range(first, (last if length is None else first + length) + 1)
    }
    kept = [p for each in parsed or [None] for p in range(*_bounds(each, last))]

    assert kept == sorted(wanted)
    assert parse_pages(pages_text(parsed)) == parsed


def _bounds(pages: object, last: int) -> tuple[int, int]:
    first, end = (1, 0) if pages is None else (pages.first, pages.last)  # type: ignore[attr-defined]
    return first, (end or last) + 1
