"""Along which index a list goes, and what may be looked for."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import Priority, Status
from sheaf_metadata.domain.listing import (
    ListFilter,
    ScanPlan,
    check,
    end_id,
    first_id,
    plan_of,
)
from sheaf_metadata.domain.registration import NewBatch, NewDocument, check_ages

_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [
        (ListFilter("ann"), ScanPlan.USER_TIME),
        (ListFilter("ann", product="tax"), ScanPlan.USER_TIME),
        (ListFilter("ann", Status.FAILED), ScanPlan.USER_STATUS),
        (ListFilter("ann", Status.FAILED, "tax"), ScanPlan.USER_STATUS),
        (ListFilter("ann", batch_id=UUID(int=1)), ScanPlan.BATCH),
        (ListFilter("ann", workflow_id="w"), ScanPlan.WORKFLOW),
        (ListFilter(status=Status.FAILED), ScanPlan.STATUS_TIME),
        (ListFilter(status=Status.FAILED, product="tax"), ScanPlan.PRODUCT_STATUS),
        (ListFilter("ann", document_class="w2", content_type="text/*"), ScanPlan.USER_TIME),
        (ListFilter("ann", uploaded_from=_NOW, uploaded_before=_NOW), ScanPlan.USER_TIME),
        (ListFilter(), ScanPlan.ALL),
    ],
)
def test_each_list_has_an_index(wanted: ListFilter, plan: ScanPlan) -> None:
    """The one that leaves the least to be looked at."""
    assert plan_of(wanted) is plan


@pytest.mark.parametrize(
    ("wanted", "sparse"),
    [
        (ListFilter("ann"), False),
        (ListFilter("ann", uploaded_from=_NOW, uploaded_before=_NOW), False),
        (ListFilter("ann", product="tax"), True),
        (ListFilter("ann", document_class="w2"), True),
        (ListFilter("ann", content_type="image/*"), True),
        (ListFilter("ann", Status.FAILED), False),
        (ListFilter("ann", Status.FAILED, uploaded_from=_NOW), True),
        (ListFilter("ann", batch_id=UUID(int=1), document_class="w2"), False),
        (ListFilter("ann", workflow_id="w", document_class="w2"), False),
        (ListFilter(uploaded_before=_NOW), True),
        (ListFilter(), False),
    ],
)
def test_a_list_is_sparse_where_its_index_does_not_answer_all(
    wanted: ListFilter,
    sparse: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """A batch and a workflow are small."""
    assert plan_of(wanted).is_sparse(wanted) is sparse


@given(_MOMENTS, st.integers(-3_700_000, 400_000), st.integers(0, 2**74 - 1))
def test_ids_that_may_be_registered_lie_in_the_range_of_their_time(
    now: datetime, made_after_ms: int, rest: int
) -> None:
    """Whatever id is accepted at a moment is in a list from it, and in one before the next."""
    made_ms = int(now.timestamp() * 1000) + made_after_ms
    made = UUID(int=made_ms << 80 | 7 << 76 | (rest >> 62) << 64 | 2 << 62 | rest & (1 << 62) - 1)
    document = NewDocument(made, "a", "text/plain", 1, b"0" * 32, "key")
    try:
        check_ages(NewBatch(made, "ann", "", Priority.NORMAL, (document,)), now)
    except InvalidInput:
        return
    assert first_id(now) <= made < end_id(now + timedelta(microseconds=1))


@pytest.mark.parametrize("year", [1, 9999])
def test_any_time_has_a_range_of_ids(year: int) -> None:
    """Also one that no id can have."""
    moment = datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert first_id(moment) <= end_id(moment)


def looking_for(field: str, value: Any) -> ListFilter:
    """A filter of one field."""
    return ListFilter(**{field: value})


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("product", ["", "tax", "a b"], ["é", "x" * 65, "a\n"]),
        ("workflow_id", ["", "w-1"], ["文", "x" * 65]),
        ("document_class", ["", "invoice"], ["\x7f", "x" * 65]),
        (
            "content_type",
            ["", "text/plain", "image/*", "text/plain; charset=utf-8", "application/vnd.a+b_c"],
            ["*", "*/*", "/*", "image*", "image/p*", "a/b/*", "é/*", "x" * 128, "image/*\n"],
        ),
    ],
)
def test_texts_that_no_document_can_have_are_refused(
    field: str, good: list[str], bad: list[str]
) -> None:
    """By the field's name."""
    for value in good:
        check(looking_for(field, value))
    for value in bad:
        with pytest.raises(InvalidInput) as refused:
            check(looking_for(field, value))
        assert (refused.value.reason, refused.value.evidence["field"]) == ("FIELD_INVALID", field)
