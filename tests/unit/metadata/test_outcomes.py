"""Who may record an outcome."""

from itertools import product
from uuid import UUID

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import TERMINAL, Lane, Status
from sheaf_metadata.domain.outcomes import (
    Completed,
    Disposition,
    Failed,
    NeedsOcr,
    Outcome,
    Ownership,
    check_outcomes,
    judge,
    settled,
)

_RECORDED, _ALREADY, _SUPERSEDED = (
    Disposition.RECORDED,
    Disposition.ALREADY_RECORDED,
    Disposition.SUPERSEDED,
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Ownership(Status.PROCESSING, "w", 1, ""), _RECORDED),
        (Ownership(Status.PROCESSING, "other", 1, ""), _SUPERSEDED),
        (Ownership(Status.PROCESSING, "w", 2, ""), _SUPERSEDED),
        (Ownership(Status.QUEUED, "", 1, ""), _SUPERSEDED),
        (Ownership(Status.QUEUED, "", 1, "w"), _ALREADY),
        (Ownership(Status.PROCESSING, "scan", 1, "w"), _ALREADY),
        (Ownership(Status.COMPLETED, "scan", 1, "w"), _ALREADY),
        (Ownership(Status.QUEUED, "", 2, "w"), _SUPERSEDED),
        (Ownership(Status.COMPLETED, "w", 1, ""), _ALREADY),
        (Ownership(Status.COMPLETED, "other", 1, ""), _SUPERSEDED),
        (Ownership(Status.COMPLETED, "w", 2, ""), _SUPERSEDED),
        (Ownership(Status.QUARANTINED, "", 1, ""), _SUPERSEDED),
        (Ownership(Status.CANCELLED, "", 1, ""), _SUPERSEDED),
        (None, _SUPERSEDED),
    ],
)
def test_an_outcome_is_judged_by_its_row(row: Ownership | None, expected: Disposition) -> None:
    """Workflow w reports attempt 1."""
    assert judge(row, "w", 1) is expected


def test_only_the_owner_in_processing_records() -> None:
    """Over all rows there can be."""
    rows = [
        Ownership(status, workflow, attempt, requested)
        for status, workflow, attempt, requested in product(
            Status, ("", "w", "v"), (1, 2), ("", "w", "v")
        )
    ]
    recorded = [row for row in rows if judge(row, "w", 1) is _RECORDED]
    assert {(row.status, row.workflow_id, row.attempt) for row in recorded} == {
        (Status.PROCESSING, "w", 1)
    }
    assert {row.status for row in rows if row.status.terminal} == TERMINAL


def test_ocr_is_asked_for_once() -> None:
    """In its own lane it is a failure with a reason."""
    outcome = Outcome(UUID(int=1), 1, NeedsOcr(), "1")
    assert settled(outcome, Lane.TEXT) == outcome
    failed = settled(outcome, Lane.OCR).result
    assert isinstance(failed, Failed)
    assert failed.reason == "OCR_EXHAUSTED"


@pytest.mark.parametrize(
    ("outcome", "field"),
    [
        (Outcome(UUID(int=1), 1, Failed("lower", ""), ""), "outcomes[0].reason"),
        (Outcome(UUID(int=1), 1, Failed("", ""), ""), "outcomes[0].reason"),
        (Outcome(UUID(int=1), 1, Failed("A", ""), "v" * 33), "outcomes[0].pipeline_version"),
        (
            Outcome(UUID(int=1), 1, Completed("", 1, 1, False, ""), ""),
            "outcomes[0].result_key",
        ),
        (
            Outcome(UUID(int=1), 1, Completed("k", -1, 1, False, ""), ""),
            "outcomes[0].page_count",
        ),
        (
            Outcome(UUID(int=1), 1, Completed("k", 1, -1, False, ""), ""),
            "outcomes[0].character_count",
        ),
    ],
)
def test_what_cannot_be_recorded_is_named(outcome: Outcome, field: str) -> None:
    """Before anything is."""
    with pytest.raises(InvalidInput) as refused:
        check_outcomes("w", [outcome])
    assert refused.value.evidence["field"] == field


@pytest.mark.parametrize("count", [0, 501])
def test_outcomes_are_1_to_500(count: int) -> None:
    """More would be a transaction that lasts."""
    with pytest.raises(InvalidInput):
        check_outcomes("w", [Outcome(UUID(int=1), 1, NeedsOcr(), "")] * count)
