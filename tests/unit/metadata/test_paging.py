"""Cursors and field masks."""

import base64
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import DOCUMENT_FIELDS, Status
from sheaf_metadata.domain.fields import ALL_FIELDS, fields_of, with_fields
from sheaf_metadata.domain.listing import ListFilter, plan_of
from sheaf_metadata.domain.paging import Position, decode_cursor, encode_cursor

_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive
_FILTERS = st.builds(
    ListFilter,
    user_id=st.sampled_from([None, "ann", "bob"]),
    status=st.sampled_from([None, *Status]),
    product=st.sampled_from(["", "tax"]),
    batch_id=st.sampled_from([None, UUID(int=7)]),
    workflow_id=st.sampled_from(["", "w"]),
    document_class=st.sampled_from(["", "invoice"]),
    content_type=st.sampled_from(["", "text/plain", "text/*"]),
    uploaded_from=st.none() | _MOMENTS,
    uploaded_before=st.none() | _MOMENTS,
)


def place(wanted: ListFilter, last: UUID, moment: datetime) -> Position:
    """Where a list's document is; its time only where the list goes by it."""
    return Position(last, moment if plan_of(wanted).by_time else None)


@given(_FILTERS, st.uuids(), _MOMENTS)
def test_a_cursor_comes_back_as_it_was(wanted: ListFilter, last: UUID, moment: datetime) -> None:
    """Id and time, to the microsecond; the time only where the list goes by it."""
    expected = place(wanted, last, moment)
    assert decode_cursor(wanted, encode_cursor(wanted, expected)) == expected


@given(_FILTERS, _FILTERS, st.uuids(), _MOMENTS)
def test_a_cursor_of_another_list_is_refused(
    one: ListFilter, other: ListFilter, last: UUID, moment: datetime
) -> None:
    """Whatever the difference."""
    token = encode_cursor(one, place(one, last, moment))
    if one != other:
        with pytest.raises(InvalidInput) as refused:
            decode_cursor(other, token)
        assert refused.value.reason == "CURSOR_INVALID"


def test_a_cursor_of_an_earlier_form_is_refused() -> None:
    """Its list was told apart by fewer filters."""
    old = msgspec.msgpack.encode([1, 0, UUID(int=7).bytes, None])
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(ListFilter(), base64.urlsafe_b64encode(old).decode())
    assert refused.value.reason == "CURSOR_INVALID"


@given(st.text(min_size=1, max_size=300))
def test_nonsense_is_never_a_cursor(token: str) -> None:
    """It is refused, not an error of another kind."""
    with pytest.raises(InvalidInput) as refused:
        decode_cursor(ListFilter(), token)
    assert refused.value.reason == "CURSOR_INVALID"


def test_no_cursor_is_the_first_page() -> None:
    """Empty means from the newest."""
    assert decode_cursor(ListFilter(), "") is None


def test_a_mask_names_fields_in_any_order() -> None:
    """They are read in the contract's; none means all."""
    assert fields_of(["status", "document_id", "status"]) == ("document_id", "status")
    assert fields_of([]) == ALL_FIELDS == DOCUMENT_FIELDS
    assert with_fields(("filename",), "document_id") == ("document_id", "filename")


def test_an_unknown_field_is_named() -> None:
    """The first in alphabetical order."""
    with pytest.raises(InvalidInput) as refused:
        fields_of(["status", "zzz", "lease"])
    assert refused.value.evidence["field"] == "lease"
