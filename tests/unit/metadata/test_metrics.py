"""What becomes of documents, as it is counted."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from sheaf_metadata.adapters.metrics import FirstTexts, MetadataCollector, PrometheusObserver
from sheaf_metadata.domain.documents import Document, Lane, LaneBacklog, Status

_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_DOCUMENT = Document(
    status=Status.COMPLETED,
    lane=Lane.TEXT,
    attempt=1,
    uploaded_at=_BEGAN,
    finished_at=_BEGAN + timedelta(seconds=1.5),
)


def value(name: str, **labels: str) -> float:
    """A sample as it is served now; 0 if there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def growth(change: Callable[[], None], name: str, **labels: str) -> float:
    """By how much a sample grows."""
    before = value(name, **labels)
    change()
    return value(name, **labels) - before


def test_a_label_takes_a_bounded_number_of_texts() -> None:
    """The first ones keep their names, however many come; no text is none."""
    texts = FirstTexts(limit=3)
    assert [texts.label(text) for text in ("a", "", "b", "c", "d", "a", "e", "c")] == [
        "a", "none", "b", "c", "other", "a", "other", "c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "observed"),
    [
        (_DOCUMENT, 1),
        (replace(_DOCUMENT, status=Status.QUARANTINED), 1),
        (replace(_DOCUMENT, attempt=2), 0),
        (replace(_DOCUMENT, status=Status.CANCELLED), 0),
        (replace(_DOCUMENT, duplicate_of=UUID(int=1)), 0),
    ],
)
def test_a_result_is_timed_at_the_first_attempt(document: Document, observed: int) -> None:
    """From the registration, by the record's own times; what was cancelled or copied has none."""
    observer, name = PrometheusObserver(), "sheaf_document_result_seconds"
    assert document.status is not None
    ends = {"status": document.status.value, "document_class": "none"}
    took_s = value(f"{name}_sum", lane="text")

    def end() -> None:
        counted = growth(lambda: observer.ended(document), "sheaf_documents_finished_total", **ends)
        assert counted == 1

    assert growth(end, f"{name}_count", lane="text") == observed
    assert value(f"{name}_sum", lane="text") - took_s == pytest.approx(1.5 * observed)


def test_a_backlog_that_is_not_known_is_not_a_number() -> None:
    """In every lane; what is known is as it was seen."""
    seen: list[LaneBacklog] | None = None
    with MetadataCollector(lambda: 2, lambda: seen):
        for lane in ("text", "ocr"):
            assert math.isnan(value("sheaf_backlog_documents", lane=lane))
            assert math.isnan(value("sheaf_backlog_oldest_seconds", lane=lane))
        seen = [LaneBacklog(Lane.TEXT, 7, 1.5, 2, 90), LaneBacklog(Lane.OCR, 0, 0.0, 0, 0)]
        assert value("sheaf_backlog_documents", lane="text") == 7
        assert value("sheaf_backlog_oldest_seconds", lane="text") == 1.5
        assert value("sheaf_workflows_in_flight", lane="text") == 2
        assert value("sheaf_processing_documents", lane="text") == 90
        assert value("sheaf_metadata_waiters") == 2
