"""The service's metrics in Prometheus form."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.registry import REGISTRY, Collector

from sheaf_common.telemetry import catalogue
from sheaf_metadata.domain.documents import TERMINAL, Document, Lane, LaneBacklog, Status
from sheaf_metadata.domain.outcomes import Disposition
from sheaf_metadata.service.observer import CachedKind, CoalescedKind

DATABASE_SECONDS: Final = catalogue.DATABASE_SECONDS.histogram()
DATABASE_RETRIES: Final = catalogue.DATABASE_RETRIES.counter()
CACHE_READS: Final = catalogue.CACHE_READS.counter()
COALESCED_READS: Final = catalogue.COALESCED_READS.counter()
CLAIMS: Final = catalogue.CLAIMS.counter()
CLAIMED_GROUP_DOCUMENTS: Final = catalogue.CLAIMED_GROUP_DOCUMENTS.histogram()
EVENT_LAG_SECONDS: Final = catalogue.EVENT_LAG_SECONDS.histogram()
OUTCOMES: Final = catalogue.OUTCOMES.counter()
_REGISTERED: Final = catalogue.DOCUMENTS_REGISTERED.counter()
_FINISHED: Final = catalogue.DOCUMENTS_FINISHED.counter()
_QUEUE: Final = catalogue.DOCUMENT_QUEUE_SECONDS.histogram()
_RESULT: Final = catalogue.DOCUMENT_RESULT_SECONDS.histogram()
_QUEUE_SECONDS: Final = {lane: _QUEUE.labels(lane.value) for lane in Lane}
_RESULT_SECONDS: Final = {lane: _RESULT.labels(lane.value) for lane in Lane}


class FirstTexts:
    """Label values of texts that others choose: the first `limit` as they are, then "other"."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._known: set[str] = set()

    def label(self, text: str) -> str:
        """The label's value; "none" for no text."""
        if not text:
            return "none"
        if text not in self._known:
            if len(self._known) >= self._limit:
                return "other"
            self._known.add(text)
        return text


_CLASSES: Final = FirstTexts()
"""Of the process, as the metrics are."""

# There from the start, so that the first of each is an increase.
for _lane in Lane:
    CLAIMS.labels(_lane.value, "group")
    CLAIMS.labels(_lane.value, "empty")
for _status in TERMINAL:
    _FINISHED.labels(_status.value, _CLASSES.label(""))
for _disposition in Disposition:
    OUTCOMES.labels(_disposition.value)


class PrometheusObserver:
    """The use cases' `Observer`."""

    def registered(self, documents: int) -> None:
        """See `Observer`."""
        _REGISTERED.inc(documents)

    def claimed(self, lane: Lane, documents: int, waited_s: Sequence[float] = ()) -> None:
        """See `Observer`."""
        CLAIMS.labels(lane.value, "group" if documents else "empty").inc()
        if documents:
            CLAIMED_GROUP_DOCUMENTS.labels(lane.value).observe(documents)
        for seconds in waited_s:
            _QUEUE_SECONDS[lane].observe(seconds)

    def ended(self, document: Document) -> None:
        """See `Observer`.

        Nobody waited for the result of what is cancelled, nor for one that is a copy: its time
        would say nothing of how long results take.
        """
        status, lane = document.status, document.lane
        if status is None or lane is None:
            return
        _FINISHED.labels(status.value, _CLASSES.label(document.document_class)).inc()
        began, ended = document.uploaded_at, document.finished_at
        first = document.attempt == 1 and status is not Status.CANCELLED
        first = first and document.duplicate_of is None
        if first and began is not None and ended is not None:
            _RESULT_SECONDS[lane].observe((ended - began).total_seconds())

    def recorded(self, disposition: Disposition) -> None:
        """See `Observer`."""
        OUTCOMES.labels(disposition.value).inc()

    def coalesced(self, kind: CoalescedKind) -> None:
        """See `Observer`."""
        COALESCED_READS.labels(kind).inc()

    def placed(self, ages_s: Sequence[float]) -> None:
        """See `Observer`."""
        for seconds in ages_s:
            EVENT_LAG_SECONDS.observe(seconds)

    def cache_read(self, kind: CachedKind, *, hit: bool) -> None:
        """See `Observer`."""
        CACHE_READS.labels(kind, "hit" if hit else "miss").inc()


class MetadataCollector(Collector):
    """What is read when it is asked for: calls that wait, and the backlog as it was last seen.

    A backlog that is not known is NaN in every lane.
    """

    def __init__(
        self, waiters: Callable[[], float], backlog: Callable[[], Sequence[LaneBacklog] | None]
    ) -> None:
        self._waiters = waiters
        self._backlog = backlog

    def __enter__(self) -> None:
        REGISTRY.register(self)

    def __exit__(self, *_error: object) -> None:
        REGISTRY.unregister(self)

    def describe(self) -> list[Metric]:
        """Nothing: so that a test may run two services in one process."""
        return []

    def collect(self) -> list[Metric]:
        """One snapshot."""
        waiters = catalogue.METADATA_WAITERS.gauge_family()
        waiters.add_metric([], self._waiters())
        queued = catalogue.BACKLOG_DOCUMENTS.gauge_family()
        oldest = catalogue.BACKLOG_OLDEST_SECONDS.gauge_family()
        workflows = catalogue.WORKFLOWS_IN_FLIGHT.gauge_family()
        processing = catalogue.PROCESSING_DOCUMENTS.gauge_family()
        lanes = {each.lane: each for each in self._backlog() or ()}
        for lane in Lane:
            seen, label = lanes.get(lane), [lane.value]
            queued.add_metric(label, seen.queued_documents if seen else math.nan)
            oldest.add_metric(label, seen.oldest_age_s if seen else math.nan)
            workflows.add_metric(label, seen.workflows_in_flight if seen else math.nan)
            processing.add_metric(label, seen.processing_documents if seen else math.nan)
        return [waiters, queued, oldest, workflows, processing]
