"""What workflows are started with: the lane's own, with everything but secrets."""

from dataclasses import replace
from unittest.mock import sentinel

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_orchestrator.adapters.temporal import ActivityLimits, TemporalEngine
from sheaf_orchestrator.api.attending import group_of as group_given
from sheaf_orchestrator.domain import Group, Lane
from sheaf_orchestrator.extraction import OcrMode
from sheaf_orchestrator.settings import TemporalSettings
from sheaf_orchestrator.workflows.contracts import ProcessGroupInput, RecogniseDocumentInput
from support.orchestrator_fakes import task_of

ENGINE = TemporalEngine(
    sentinel.client,
    TemporalSettings().queues,
    ActivityLimits(
        heartbeat_timeout_s=10,
        document_s=30,
        base_document_s=150,
        page_s=300,
        pages_per_chunk=4,
        chunks_at_once=3,
    ),
)
ASKED = replace(
    task_of(),
    words=True,
    ocr=OcrMode.ALWAYS,
    ocr_languages=("deu", "eng"),
    has_password=True,
    depth=2,
)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_document_arrives_as_it_was_claimed(lane: Lane) -> None:
    """Through a workflow's input and an activity's, with all that was asked of it."""
    _, given = ENGINE.workflow(Group("w", lane, (ASKED,)))
    documents = given.documents if isinstance(given, ProcessGroupInput) else [given.document]

    assert group_given("w", lane.value, *documents) == Group("w", lane, (ASKED,))


def test_a_scan_has_a_workflow_of_its_own() -> None:
    """On the lane's own task queue, in chunks, with limits that follow from those of a page."""
    name, given = ENGINE.workflow(Group("w", Lane.OCR, (ASKED,)))

    assert name == "RecogniseDocument"
    assert isinstance(given, RecogniseDocumentInput)
    assert given.ocr_task_queue == "sheaf-ocr"
    assert (given.begin_deadline_s, given.pages_deadline_s) == (360.0, 4860.0)


def test_two_scans_are_never_one_workflow() -> None:
    """A definite refusal: the claim is released."""
    with pytest.raises(InvalidInput, match="2 documents"):
        ENGINE.workflow(Group("w", Lane.OCR, (ASKED, task_of())))
