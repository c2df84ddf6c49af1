"""Ids sort by time, and say when they were made."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import derived_id, new_id, parse_id, time_of


def test_ids_grow() -> None:
    """Each id is greater than the one before, also within a millisecond."""
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 1000


def test_an_id_tells_its_time() -> None:
    """The time of a new id is now."""
    assert abs(time_of(new_id()) - datetime.now(UTC)) < timedelta(seconds=2)


def test_only_a_version_7_id_has_a_time() -> None:
    """A random id is refused."""
    with pytest.raises(InvalidInput, match="not a UUIDv7"):
        time_of(uuid4())


def test_an_id_beyond_the_calendar_is_refused() -> None:
    """The largest 48-bit time is an error, not a crash."""
    with pytest.raises(InvalidInput, match="no valid time"):
        time_of(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff"))


@pytest.mark.parametrize(
    "text",
    ["", "abc", "{0190b6a0-0000-7000-8000-000000000000}", "0190b6a0000070008000000000000000"],
)
def test_only_the_canonical_form_is_an_id(text: str) -> None:
    """Anything else is refused by the name of its field."""
    with pytest.raises(InvalidInput) as refused:
        parse_id(text, "batch_id")

    assert (refused.value.reason, refused.value.evidence["field"]) == ("ID_INVALID", "batch_id")


def test_a_derived_id_is_the_same_each_time_and_of_its_parents_time() -> None:
    """Another label or parent gives another id; all are UUIDv7."""
    parent = new_id()
    derived = derived_id(parent, "1")
    assert derived == derived_id(parent, "1")
    assert (derived.version, derived.variant) == (7, parent.variant)
    assert time_of(derived) == time_of(parent)
    assert len({parent, derived, derived_id(parent, "2"), derived_id(new_id(), "1")}) == 4
