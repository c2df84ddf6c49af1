"""Ended spans on their way to the collector: bounded, beside the work, and given up in time.

The SDK's own batches wait half a minute at the end, and do not tell how many spans they dropped.
"""

import threading
import time
from collections import deque
from typing import Final

import structlog
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from sheaf_common.telemetry.exporting import TRACE_SPANS_DROPPED

log = structlog.get_logger()

_QUEUE_SPANS: Final = 8192
"""About 8 MiB of them; half a minute's of a service at a hundred documents a second."""
_BATCH_SPANS: Final = 512
_INTERVAL_S: Final = 1.0


class SpanBatches(SpanProcessor):
    """Exports ended spans each second, or when a batch is full, in a thread of its own.

    Nobody waits for it. While the collector does not answer, spans beyond the bound and those of
    batches that were not taken are dropped and counted; that is logged when it begins and ends.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        *,
        queue_spans: int = _QUEUE_SPANS,
        batch_spans: int = _BATCH_SPANS,
        interval_s: float = _INTERVAL_S,
    ) -> None:
        self._exporter = exporter
        self._queue_spans = queue_spans
        self._batch_spans = batch_spans
        self._interval_s = interval_s
        self._queue: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._dropped = 0
        self._losing = False
        self._exporting = 0
        self._given_up = False
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="trace-export", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        """Takes an ended span; returns at once."""
        if self._closing or len(self._queue) >= self._queue_spans:
            self._drop(1)
            return
        self._queue.append(span)
        if len(self._queue) >= self._batch_spans:
            self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Exports what is left, for at most `timeout_s`; what is left then is dropped. Blocks."""
        ends_at = time.monotonic() + timeout_s
        self._closing = True
        self._wake.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            self._drop(len(self._queue))
            self._queue.clear()
        self._exporter.shutdown()
        self._thread.join(max(0.0, ends_at - time.monotonic()))
        if self._thread.is_alive():
            with self._counting:
                self._given_up = True
                self._drop(self._exporting)
        if self._dropped:
            log.warning("spans were not exported", dropped=self._dropped)

    def shutdown(self) -> None:
        """Of the SDK's interface; `close` has a deadline."""
        self.close(_INTERVAL_S)

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._interval_s)
            self._wake.clear()
            self._export_all()
        self._export_all()

    def _export_all(self) -> None:
        while self._queue:
            batch = self._next_batch()
            self._exporting = len(batch)
            try:
                taken = self._exporter.export(batch) is SpanExportResult.SUCCESS
            except Exception:
                log.exception("spans cannot be exported")
                taken = False
            with self._counting:
                if self._given_up:  # and counted
                    return
                self._exporting = 0
            if not taken:
                self._drop(len(batch))
            elif self._losing and not self._queue:
                log.info("the trace collector takes spans again", dropped=self._dropped)
                self._losing = False

    def _next_batch(self) -> list[ReadableSpan]:
        batch: list[ReadableSpan] = []
        while self._queue and len(batch) < self._batch_spans:
            batch.append(self._queue.popleft())
        return batch

    def _drop(self, count: int) -> None:
        self._dropped += count
        TRACE_SPANS_DROPPED.inc(count)
        if count and not self._losing:
            self._losing = True
            log.warning("the trace collector does not take all spans, going on without")
