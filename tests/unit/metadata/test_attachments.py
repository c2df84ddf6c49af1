"""Which files inside a document become documents."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import derived_id, new_id
from sheaf_metadata.adapters.mysql.writing import changes_of
from sheaf_metadata.domain.attachments import MAX_DEPTH, admitted, child_of
from sheaf_metadata.domain.documents import Document, Lane, Priority, Status
from sheaf_metadata.domain.options import Options
from sheaf_metadata.domain.outcomes import Completed, Outcome, check_outcomes
from sheaf_metadata.domain.registration import NewDocument

_PARENT = Document(
    document_id=new_id(),
    batch_id=new_id(),
    user_id="ann",
    product="tax",
    status=Status.COMPLETED,
    lane=Lane.OCR,
    priority=Priority.HIGH,
    attempt=3,
    dispatches=1,
    workflow_id="w",
    result_key="r",
    uploaded_at=datetime(2026, 1, 1, tzinfo=UTC),
    row_version=9,
    options=Options(words=True),
)


def inside(count: int) -> list[NewDocument]:
    """So many files inside it."""
    return [
        NewDocument(
            derived_id(_PARENT.document_id, str(number)), "a", "text/plain", 1, b"0" * 32, "k"
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("depth", "known", "room", "taken", "cut"),
    [
        (0, 0, 10, [0, 1, 2], False),
        (0, 1, 10, [1, 2], False),
        (0, 3, 0, [], False),
        (0, 0, 2, [0, 1], True),
        (0, 1, 2, [1, 2], False),
        (0, 0, 0, [], True),
        (0, 0, -4, [], True),
        (MAX_DEPTH - 1, 0, 10, [0, 1, 2], False),
        (MAX_DEPTH, 0, 10, [], True),
        (MAX_DEPTH, 3, 10, [], False),
    ],
)
def test_attachments_are_admitted_as_depth_and_batch_allow(
    depth: int, known: int, room: int, taken: list[int], *, cut: bool
) -> None:
    """What is there stays and takes no room; the rest is left out, and said to be."""
    files = inside(3)
    found = admitted(
        replace(_PARENT, depth=depth),
        files,
        {each.document_id.bytes for each in files[:known]},
        room,
    )
    assert found == ([files[number] for number in taken], cut)


def test_a_child_is_its_parents_in_all_but_its_content() -> None:
    """Queued as a first attempt, one deeper; nothing of the parent's run is taken over."""
    (new,) = inside(1)
    assert child_of(_PARENT, new) == Document(
        document_id=new.document_id,
        batch_id=_PARENT.batch_id,
        parent_id=_PARENT.document_id,
        user_id="ann",
        product="tax",
        status=Status.QUEUED,
        lane=Lane.TEXT,
        priority=Priority.HIGH,
        filename="a",
        content_type="text/plain",
        size_bytes=1,
        sha256=b"0" * 32,
        object_key="k",
        attempt=1,
        uploaded_at=_PARENT.uploaded_at,
        row_version=1,
        options=Options(words=True),
        depth=1,
    )


def test_whoever_waits_for_work_is_told_of_children() -> None:
    """They are queued in the text lane, whatever lane their parent ended in."""
    child = child_of(_PARENT, inside(1)[0])
    assert changes_of([], (), freed=False, added=[child]).queued_lanes == {Lane.TEXT}


@pytest.mark.parametrize(
    ("attachments", "field"),
    [
        (inside(101), "outcomes[0].attachments"),
        (inside(2) + inside(1), "outcomes"),
        (
            [*inside(1), replace(inside(2)[1], size_bytes=0)],
            "outcomes[0].attachments[1].size_bytes",
        ),
    ],
)
def test_attachments_that_cannot_be_recorded_are_named(
    attachments: list[NewDocument], field: str
) -> None:
    """Before anything is recorded."""
    done = Completed("k", 1, 1, False, "", attachments=tuple(attachments))
    with pytest.raises(InvalidInput) as refused:
        check_outcomes("w", [Outcome(_PARENT.document_id, 1, done, "")])
    assert refused.value.evidence["field"] == field
