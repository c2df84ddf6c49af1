"""Estimates of work, and how a group is cut by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.claims import ClaimLimits, check_limits, cut_group
from sheaf_metadata.domain.documents import Lane, Priority
from sheaf_metadata.domain.work import estimated_work_ms, priority_shift
from support.metadata_fakes import candidate

_MIB = 2**20


def limits(
    *, documents: int = 500, size_bytes: int = 2**40, work_s: float = 1e6, lane: Lane = Lane.TEXT
) -> ClaimLimits:
    """Bounds that nothing reaches unless a test says so."""
    return ClaimLimits(lane, 3, documents, size_bytes, work_s, 10)


@pytest.mark.parametrize(
    ("content_type", "size_bytes", "lane", "expected"),
    [
        ("application/pdf", 1024, Lane.TEXT, 10.05),
        ("application/pdf", 200 * 1024, Lane.TEXT, 20.0),
        ("text/plain", 1024, Lane.TEXT, 6.51),
        ("text/html", _MIB, Lane.TEXT, 16.74),
        ("application/msword", 1024, Lane.TEXT, 11.05),
        ("application/pdf", 130 * 1024, Lane.OCR, 1350.0),
    ],
)
def test_work_is_estimated_by_type_and_size(
    content_type: str, size_bytes: int, lane: Lane, expected: float
) -> None:
    """In milliseconds of one core."""
    assert estimated_work_ms(content_type, size_bytes, lane) == pytest.approx(expected)


def test_priorities_shift_both_ways_by_the_same() -> None:
    """A normal document stays where it is."""
    assert priority_shift(Priority.HIGH) == -priority_shift(Priority.LOW)
    assert (
        priority_shift(Priority.HIGH)
        < priority_shift(Priority.NORMAL)
        == type(priority_shift(Priority.LOW))(0)
    )


def test_a_group_of_two_hundred_milliseconds() -> None:
    """Some eighteen small PDFs, at the default of the dispatcher."""
    pdfs = [candidate(n, content_type="application/pdf", size_bytes=20_000) for n in range(100)]
    assert len(cut_group(pdfs, limits(documents=64, work_s=0.2))) == 18


@pytest.mark.parametrize("dispatches", [2, 3])
def test_a_suspect_is_alone(dispatches: int) -> None:
    """At the front it is the group; later it ends the group before it."""
    suspect = candidate(9, dispatches=dispatches)
    plain = [candidate(n, dispatches=1) for n in (1, 2)]
    assert cut_group([suspect, *plain], limits()) == (suspect,)
    assert cut_group([*plain, suspect, candidate(3)], limits()) == tuple(plain)


def test_nothing_is_cut_from_nothing() -> None:
    """No candidates, no group."""
    assert cut_group([], limits()) == ()


@given(
    st.lists(st.tuples(st.integers(1, 10_000), st.integers(0, 3)), min_size=1, max_size=40),
    st.integers(1, 30),
    st.integers(1, 40_000),
    st.floats(0.0001, 0.1),
)
def test_a_group_is_a_beginning_within_its_bounds(
    documents: list[tuple[int, int]], most: int, most_bytes: int, most_work_s: float
) -> None:
    """Never empty, never more than allowed but for a single one, and as long as may be."""
    candidates = [
        candidate(n, size_bytes=size, dispatches=dispatches)
        for n, (size, dispatches) in enumerate(documents)
    ]
    bounds = limits(documents=most, size_bytes=most_bytes, work_s=most_work_s)
    group = cut_group(candidates, bounds)

    def allowed(count: int) -> bool:
        some = candidates[:count]
        work_ms = sum(estimated_work_ms(d.content_type, d.size_bytes, Lane.TEXT) for d in some)
        return count == 1 or (
            count <= most
            and sum(d.size_bytes for d in some) <= most_bytes
            and work_ms <= most_work_s * 1000
            and not any(d.dispatches >= 2 for d in some)
        )

    assert list(group) == candidates[: len(group)]
    assert allowed(len(group))
    assert len(group) == len(candidates) or not allowed(len(group) + 1)


def test_usable_limits_are_let_through() -> None:
    """The dispatcher's own."""
    check_limits(ClaimLimits(Lane.TEXT, 3, 64, 32 * _MIB, 0.2, 10))
    with pytest.raises(InvalidInput):
        check_limits(ClaimLimits(Lane.TEXT, 3, 64, 32 * _MIB, 0.2, 0))
