"""Every metric that a service serves, with its kind, unit, labels and who serves it.

This list is the contract with operators: dashboards, alerts, KPIs and the load test use these
names, and `docs/metrics.md` is generated from it. A metric is made from its entry
(`HTTP_SECONDS = catalogue.HTTP_REQUEST_SECONDS.histogram()`), so no name or help text stands
anywhere else. Every label has a bounded set of values; what bounds it is said beside it.

Units are Prometheus's base units: seconds, bytes, ratios from 0 to 1. The Temporal SDK's own
metrics (`temporal_*`, durations in milliseconds) are served beside these, on a port of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Kind = Literal["counter", "gauge", "histogram"]
Service = Literal["gateway", "storage", "metadata", "orchestrator"]

LATENCY_BUCKETS_S: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""From a cache hit to the longest long poll, in seconds."""

WAIT_BUCKETS_S: Final = (0.00001, 0.0001, *LATENCY_BUCKETS_S)
"""With room for a wait that was none."""

FINE_BUCKETS_S: Final = (
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0,
    4.0, 5.0, 7.5, 10.0, 30.0, 60.0, 300.0,
)  # fmt: skip
"""Where a target is a quantile: an interpolated P99 is only as good as the bucket is narrow."""

COUNT_BUCKETS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

EVERY_SERVICE: Final[tuple[Service, ...]] = ("gateway", "storage", "metadata", "orchestrator")
_GRPC_SERVICES: Final[tuple[Service, ...]] = ("storage", "metadata", "orchestrator")
_POOLED: Final[tuple[Service, ...]] = ("storage", "metadata", "gateway")
_NO_LABELS: Final[Mapping[str, str]] = MappingProxyType({})

_LANE: Final = "text or ocr"
_POOL: Final = "s3, db or redis"
_SANDBOX: Final = "text, ocr or ocr-base"
_ACTIVITY: Final = "the activities of services/orchestrator/README.md"
_QUEUE: Final = "workflows, cpu, ocr or io"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric. `labels` maps a label's name to what bounds its values."""

    name: str
    kind: Kind
    unit: str
    text: str
    served_by: tuple[Service, ...]
    labels: Mapping[str, str] = field(default_factory=lambda: _NO_LABELS)
    buckets: Sequence[float] = LATENCY_BUCKETS_S

    def counter(self) -> Counter:
        """The metric, registered. Raises ValueError if it is not a counter."""
        self._require("counter")
        return Counter(self.name, self.text, list(self.labels))

    def gauge(self) -> Gauge:
        """The metric, registered. Raises ValueError if it is not a gauge."""
        self._require("gauge")
        return Gauge(self.name, self.text, list(self.labels))

    def histogram(self) -> Histogram:
        """The metric, registered. Raises ValueError if it is not a histogram."""
        self._require("histogram")
        return Histogram(self.name, self.text, list(self.labels), buckets=self.buckets)

    def gauge_family(self) -> GaugeMetricFamily:
        """An empty snapshot, for a collector. Raises ValueError if it is not a gauge."""
        self._require("gauge")
        return GaugeMetricFamily(self.name, self.text, labels=list(self.labels))

    def counter_family(self) -> CounterMetricFamily:
        """An empty snapshot, for a collector. Raises ValueError if it is not a counter."""
        self._require("counter")
        return CounterMetricFamily(self.name, self.text, labels=list(self.labels))

    def _require(self, kind: Kind) -> None:
        if self.kind != kind:
            raise ValueError(f"{self.name} is a {self.kind}")


# Every process

EVENT_LOOP_LAG_SECONDS: Final = MetricSpec(
    "sheaf_event_loop_lag_seconds", "histogram", "seconds",
    "How late the event loop was, looked at twice a second.",
    EVERY_SERVICE, buckets=LATENCY_BUCKETS_S,
)  # fmt: skip
PROCESS_INFO: Final = MetricSpec(
    "sheaf_process_info", "gauge", "1",
    "Always 1; says which service this is, and its version.",
    EVERY_SERVICE, {"service": "the four services", "version": "one a process"},
)  # fmt: skip
TRACE_SPANS_DROPPED: Final = MetricSpec(
    "sheaf_trace_spans_dropped_total", "counter", "spans",
    "Spans of traces that no collector took.",
    EVERY_SERVICE,
)  # fmt: skip

# The gateway

HTTP_REQUEST_SECONDS: Final = MetricSpec(
    "sheaf_http_request_seconds", "histogram", "seconds",
    "Time to answer an HTTP request, by route, method and status; long polls wait on purpose.",
    ("gateway",),
    {"route": "the API's routes, or unmatched", "method": "HTTP methods, or other",
     "status": "HTTP status codes, or 0 where the client left before an answer"},
    FINE_BUCKETS_S,
)  # fmt: skip
HTTP_REQUESTS_IN_FLIGHT: Final = MetricSpec(
    "sheaf_http_requests_in_flight", "gauge", "requests", "HTTP requests that are being answered.",
    ("gateway",),
)  # fmt: skip
RATE_LIMITED_REQUESTS: Final = MetricSpec(
    "sheaf_rate_limited_requests_total", "counter", "requests",
    "Requests with a good key that were counted against its rate, by who counted and the answer.",
    ("gateway",), {"by": "redis, or process where Redis does not answer",
                   "result": "allowed or refused"},
)  # fmt: skip
HTTP_PLACES_TAKEN: Final = MetricSpec(
    "sheaf_http_places_taken", "gauge", "requests",
    "HTTP requests that are worked on: without uploads, and without those that only wait.",
    ("gateway",),
)  # fmt: skip
HTTP_PLACES_LIMIT: Final = MetricSpec(
    "sheaf_http_places_limit", "gauge", "requests", "The most of them.", ("gateway",)
)
HTTP_CONNECTIONS: Final = MetricSpec(
    "sheaf_http_connections", "gauge", "connections", "Connections of clients.", ("gateway",)
)
HTTP_CONNECTIONS_LIMIT: Final = MetricSpec(
    "sheaf_http_connections_limit", "gauge", "connections",
    "The most of them; beyond, only health and metrics are answered.", ("gateway",),
)  # fmt: skip
HTTP_REFUSALS: Final = MetricSpec(
    "sheaf_http_refusals_total", "counter", "requests",
    "Requests refused because the gateway had no place for them, connections that were closed for"
    " that, and answers that were given up because nobody took them, by cause.",
    ("gateway",), {"cause": "requests, connections, stalled"},
)  # fmt: skip
LONG_POLLS_WAITING: Final = MetricSpec(
    "sheaf_long_polls_waiting", "gauge", "requests", "Requests that wait for a change.",
    ("gateway",),
)  # fmt: skip
LONG_POLLS_LIMIT: Final = MetricSpec(
    "sheaf_long_polls_limit", "gauge", "requests", "The most of them.", ("gateway",)
)
EVENT_STREAMS: Final = MetricSpec(
    "sheaf_event_streams", "gauge", "requests", "Streams of events that are open.", ("gateway",)
)
EVENT_STREAMS_LIMIT: Final = MetricSpec(
    "sheaf_event_streams_limit", "gauge", "requests", "The most of them.", ("gateway",)
)
EVENTS_SENT: Final = MetricSpec(
    "sheaf_events_sent_total", "counter", "events",
    "Events that were sent; one that ten streams show counts ten times.", ("gateway",),
)  # fmt: skip
EVENT_CATCH_UPS: Final = MetricSpec(
    "sheaf_event_catch_ups_total", "counter", "streams",
    "Streams that read from the record what they had not been sent.", ("gateway",),
    {"cause": "resume, or slow: its client took events more slowly than they came"},
)  # fmt: skip
UPLOADS_IN_FLIGHT: Final = MetricSpec(
    "sheaf_uploads_in_flight", "gauge", "requests", "Uploads that are being received.",
    ("gateway",),
)  # fmt: skip
UPLOADS_LIMIT: Final = MetricSpec(
    "sheaf_uploads_limit", "gauge", "requests", "The most uploads at once.", ("gateway",)
)
UPLOAD_BUFFER_BYTES: Final = MetricSpec(
    "sheaf_upload_buffer_bytes", "gauge", "bytes", "Body bytes held for all uploads.",
    ("gateway",),
)  # fmt: skip
UPLOAD_BUFFER_LIMIT_BYTES: Final = MetricSpec(
    "sheaf_upload_buffer_limit_bytes", "gauge", "bytes", "The most body bytes held.", ("gateway",)
)
UPLOAD_PUTS_IN_FLIGHT: Final = MetricSpec(
    "sheaf_upload_puts_in_flight", "gauge", "files", "Files that are being stored.", ("gateway",)
)
UPLOAD_PUT_CONCURRENCY: Final = MetricSpec(
    "sheaf_upload_put_concurrency", "histogram", "files",
    "Files of one upload that were stored at once, at its peak.",
    ("gateway",), buckets=(1, 2, 4, 8, 16, 32, 50, 100),
)  # fmt: skip
ADMISSION_REFUSALS: Final = MetricSpec(
    "sheaf_admission_refusals_total", "counter", "requests",
    "Uploads refused before they were read, by cause.",
    ("gateway",), {"cause": "the reasons of admission"},
)  # fmt: skip
ADMISSION_BACKLOG_AGE: Final = MetricSpec(
    "sheaf_admission_backlog_age_seconds", "gauge", "seconds",
    "Age of the oldest queued document, as admission has last seen it, by lane.",
    ("gateway",), {"lane": "text, ocr"},
)  # fmt: skip
FILES_ACCEPTED: Final = MetricSpec(
    "sheaf_files_accepted_total", "counter", "files", "Files that were accepted.", ("gateway",)
)
FILES_REJECTED: Final = MetricSpec(
    "sheaf_files_rejected_total", "counter", "files", "Files that were rejected, by reason.",
    ("gateway",), {"reason": "the reason codes of uploads"},
)  # fmt: skip
DUPLICATES: Final = MetricSpec(
    "sheaf_duplicates_total", "counter", "files",
    "Files whose content was known with a result, by what came of it: reused, or why not.",
    ("gateway",), {"outcome": "reused, and the causes of docs/duplicates.md"},
)  # fmt: skip
UPLOAD_CLEANUP_FAILURES: Final = MetricSpec(
    "sheaf_upload_cleanup_failures_total", "counter", "uploads",
    "Failed uploads whose objects were left to the sweep.", ("gateway",),
)  # fmt: skip

# gRPC servers

GRPC_SERVER_SECONDS: Final = MetricSpec(
    "sheaf_grpc_server_seconds", "histogram", "seconds",
    "Time to handle a gRPC call, by method and status code; claims and waits wait on purpose.",
    _GRPC_SERVICES, {"method": "the methods in proto/", "code": "gRPC status codes"},
)  # fmt: skip
GRPC_SERVER_IN_FLIGHT: Final = MetricSpec(
    "sheaf_grpc_server_in_flight", "gauge", "calls", "gRPC calls that are being handled.",
    _GRPC_SERVICES,
)  # fmt: skip

# Pools

POOL_SIZE: Final = MetricSpec(
    "sheaf_pool_size", "gauge", "connections",
    "The most connections of a pool that can be in use at once.", _POOLED, {"pool": _POOL},
)  # fmt: skip
POOL_OPEN: Final = MetricSpec(
    "sheaf_pool_open", "gauge", "connections",
    "Connections of a pool (s3: clients) that are open, in use or idle.",
    _POOLED, {"pool": _POOL},
)  # fmt: skip
POOL_USED: Final = MetricSpec(
    "sheaf_pool_used", "gauge", "connections", "Connections of a pool that are in use.",
    _POOLED, {"pool": _POOL},
)  # fmt: skip
POOL_USED_MAX: Final = MetricSpec(
    "sheaf_pool_used_max", "gauge", "connections",
    "The most connections of a pool that were in use at once during the last minute.",
    _POOLED, {"pool": _POOL},
)  # fmt: skip
POOL_WAITING: Final = MetricSpec(
    "sheaf_pool_waiting", "gauge", "callers", "Callers that wait for a connection of a pool.",
    _POOLED, {"pool": _POOL},
)  # fmt: skip
POOL_WAIT_SECONDS: Final = MetricSpec(
    "sheaf_pool_wait_seconds", "histogram", "seconds",
    "Time until a caller had a connection of a pool, or gave up.",
    _POOLED, {"pool": _POOL}, WAIT_BUCKETS_S,
)  # fmt: skip
POOL_TIMEOUTS: Final = MetricSpec(
    "sheaf_pool_timeouts_total", "counter", "callers",
    "Callers that got no connection in the pool's own time.", _POOLED, {"pool": _POOL},
)  # fmt: skip

# Storage

S3_OPERATION_SECONDS: Final = MetricSpec(
    "sheaf_s3_operation_seconds", "histogram", "seconds",
    "Time of an S3 operation, retries included, by operation and outcome.",
    ("storage",), {"operation": "the operations of the S3 adapter", "outcome": "its outcomes"},
)  # fmt: skip
STORAGE_BYTES: Final = MetricSpec(
    "sheaf_storage_bytes_total", "counter", "bytes",
    "Bytes of objects put into the store, or read from it.",
    ("storage",), {"direction": "put or get"},
)  # fmt: skip
STORAGE_BUFFER_BYTES: Final = MetricSpec(
    "sheaf_storage_buffer_bytes", "gauge", "bytes", "Bytes held for puts, by kind.",
    ("storage",), {"kind": "the kinds of buffers"},
)  # fmt: skip
STORAGE_BUFFER_LIMIT_BYTES: Final = MetricSpec(
    "sheaf_storage_buffer_limit_bytes", "gauge", "bytes", "The most of them, by kind.",
    ("storage",), {"kind": "the kinds of buffers"},
)  # fmt: skip

# Metadata

DATABASE_SECONDS: Final = MetricSpec(
    "sheaf_database_seconds", "histogram", "seconds",
    "Time of a use case in the database, the wait for a connection included.",
    ("metadata",), {"use_case": "the use cases of the MySQL adapter"},
)  # fmt: skip
DATABASE_RETRIES: Final = MetricSpec(
    "sheaf_database_retries_total", "counter", "transactions", "Transactions repeated, by cause.",
    ("metadata",), {"cause": "deadlock or lock wait"},
)  # fmt: skip
CACHE_READS: Final = MetricSpec(
    "sheaf_cache_reads_total", "counter", "reads",
    "Documents and batches looked for in the cache, by result.",
    ("metadata",), {"kind": "document or batch", "result": "hit or miss"},
)  # fmt: skip
COALESCED_READS: Final = MetricSpec(
    "sheaf_coalesced_reads_total", "counter", "reads",
    "Reads that shared another read's query, by kind.",
    ("metadata",), {"kind": "the kinds of reads"},
)  # fmt: skip
REDIS_SECONDS: Final = MetricSpec(
    "sheaf_redis_seconds", "histogram", "seconds", "Time of a Redis call, by operation.",
    ("metadata", "gateway"), {"operation": "the operations of the Redis adapters"},
)  # fmt: skip
REDIS_FAILURES: Final = MetricSpec(
    "sheaf_redis_failures_total", "counter", "calls", "Redis calls given up, by operation.",
    ("metadata", "gateway"), {"operation": "the operations of the Redis adapters"},
)  # fmt: skip
CLAIMS: Final = MetricSpec(
    "sheaf_claims_total", "counter", "claims",
    "Answered claims, by lane and whether they got a group.",
    ("metadata",), {"lane": _LANE, "result": "group or empty"},
)  # fmt: skip
CLAIMED_GROUP_DOCUMENTS: Final = MetricSpec(
    "sheaf_claimed_group_documents", "histogram", "documents",
    "Documents of a claimed group, by lane.", ("metadata",), {"lane": _LANE}, COUNT_BUCKETS,
)  # fmt: skip
OUTCOMES: Final = MetricSpec(
    "sheaf_outcomes_total", "counter", "documents",
    "Reported outcomes, by what became of them.", ("metadata",), {"disposition": "dispositions"},
)  # fmt: skip
EVENT_LAG_SECONDS: Final = MetricSpec(
    "sheaf_event_lag_seconds", "histogram", "seconds",
    "From an event's recording until it can be followed; about a second while nobody follows.",
    ("metadata",), buckets=LATENCY_BUCKETS_S,
)  # fmt: skip
METADATA_WAITERS: Final = MetricSpec(
    "sheaf_metadata_waiters", "gauge", "calls", "Calls that wait for a change.", ("metadata",)
)
BACKLOG_DOCUMENTS: Final = MetricSpec(
    "sheaf_backlog_documents", "gauge", "documents",
    "Documents that are queued: the intake's backlog, by lane; counting stops at 100,000.",
    ("metadata",), {"lane": _LANE},
)  # fmt: skip
BACKLOG_OLDEST_SECONDS: Final = MetricSpec(
    "sheaf_backlog_oldest_seconds", "gauge", "seconds",
    "How long the oldest queued document has waited, of the thousand next in line, by lane; 0 if"
    " none waits.",
    ("metadata",), {"lane": _LANE},
)  # fmt: skip
WORKFLOWS_IN_FLIGHT: Final = MetricSpec(
    "sheaf_workflows_in_flight", "gauge", "workflows",
    "Workflows that hold documents in processing, by lane.", ("metadata",), {"lane": _LANE},
)  # fmt: skip
PROCESSING_DOCUMENTS: Final = MetricSpec(
    "sheaf_processing_documents", "gauge", "documents",
    "Documents that a workflow works on, by lane.", ("metadata",), {"lane": _LANE},
)  # fmt: skip
DOCUMENTS_REGISTERED: Final = MetricSpec(
    "sheaf_documents_registered_total", "counter", "documents",
    "Documents that became queued for the first time, attachments included.", ("metadata",),
)  # fmt: skip
DOCUMENTS_FINISHED: Final = MetricSpec(
    "sheaf_documents_finished_total", "counter", "documents",
    "Documents that reached a terminal state, by state and class.",
    ("metadata",),
    {"status": "completed, failed, quarantined or cancelled",
     "document_class": "none, the first 64 classes that this process met, or other"},
)  # fmt: skip
DOCUMENT_QUEUE_SECONDS: Final = MetricSpec(
    "sheaf_document_queue_seconds", "histogram", "seconds",
    "Time of a document from its registration to its claim, first attempts only, by lane; by the"
    " database's clock.",
    ("metadata",), {"lane": _LANE}, FINE_BUCKETS_S,
)  # fmt: skip
DOCUMENT_RESULT_SECONDS: Final = MetricSpec(
    "sheaf_document_result_seconds", "histogram", "seconds",
    "Time of a document from its registration to its outcome (a cancel is none), first attempts"
    " only, by the lane that ended it; by the database's clock.",
    ("metadata",), {"lane": _LANE}, FINE_BUCKETS_S,
)  # fmt: skip

# The orchestrator

DISPATCHED_GROUP_DOCUMENTS: Final = MetricSpec(
    "sheaf_dispatched_group_documents", "histogram", "documents",
    "Documents of a dispatched group, by lane.", ("orchestrator",), {"lane": _LANE}, COUNT_BUCKETS,
)  # fmt: skip
DISPATCH_WORKFLOWS_LIMIT: Final = MetricSpec(
    "sheaf_dispatch_workflows_limit", "gauge", "workflows",
    "The most workflows that may hold documents at once, as the last claim had it, by lane.",
    ("orchestrator",), {"lane": _LANE},
)  # fmt: skip
EXPIRED_LEASES: Final = MetricSpec(
    "sheaf_expired_leases_total", "counter", "workflows",
    "Expired leases, by the state of their workflow.",
    ("orchestrator",), {"workflow": "running, unknown or closed"},
)  # fmt: skip
ACTIVITY_SECONDS: Final = MetricSpec(
    "sheaf_activity_seconds", "histogram", "seconds",
    "Time of an activity, by type and outcome.",
    ("orchestrator",),
    {"activity": _ACTIVITY, "outcome": "completed, failed or cancelled"}, FINE_BUCKETS_S,
)  # fmt: skip
ACTIVITY_SCHEDULE_TO_START_SECONDS: Final = MetricSpec(
    "sheaf_activity_schedule_to_start_seconds", "histogram", "seconds",
    "Time of an activity task between its scheduling and its start in a worker, by type.",
    ("orchestrator",), {"activity": _ACTIVITY},
)  # fmt: skip
ACTIVITIES_IN_FLIGHT: Final = MetricSpec(
    "sheaf_activities_in_flight", "gauge", "activities", "Activities that run, by type.",
    ("orchestrator",), {"activity": _ACTIVITY},
)  # fmt: skip
TEMPORAL_BACKLOG_TASKS: Final = MetricSpec(
    "sheaf_temporal_backlog_tasks", "gauge", "tasks",
    "Tasks that wait in Temporal, as its server estimates, by task queue; sticky ones are not"
    " counted.",
    ("orchestrator",), {"queue": _QUEUE},
)  # fmt: skip
TEMPORAL_BACKLOG_AGE_SECONDS: Final = MetricSpec(
    "sheaf_temporal_backlog_age_seconds", "gauge", "seconds",
    "How long the oldest of them has waited, by task queue.", ("orchestrator",), {"queue": _QUEUE},
)  # fmt: skip
GROUP_SECONDS: Final = MetricSpec(
    "sheaf_group_seconds", "histogram", "seconds",
    "Time to process a group, or of the last step of a recognised document, by lane.",
    ("orchestrator",), {"lane": _LANE}, FINE_BUCKETS_S,
)  # fmt: skip
DOCUMENT_STAGE_SECONDS: Final = MetricSpec(
    "sheaf_document_stage_seconds", "histogram", "seconds",
    "Time of one document in a stage (recognise: a page; record: a batch).",
    ("orchestrator",), {"stage": "fetch, extract, put, record, recognise, …"},
)  # fmt: skip
DOCUMENTS_PROCESSED: Final = MetricSpec(
    "sheaf_documents_processed_total", "counter", "documents",
    "Documents that left processing, by lane and outcome.",
    ("orchestrator",), {"lane": _LANE, "outcome": "the outcomes of a group"},
)  # fmt: skip
OCR_PAGES: Final = MetricSpec(
    "sheaf_ocr_pages_total", "counter", "pages", "Pages that went through character recognition.",
    ("orchestrator",), {"outcome": "read or failed"},
)  # fmt: skip
EXTRACT_PROCESSES: Final = MetricSpec(
    "sheaf_extract_processes", "gauge", "processes",
    "Extraction subprocesses, by pool and state.",
    ("orchestrator",), {"pool": _SANDBOX, "state": "size, in_use, ready or starting"},
)  # fmt: skip
EXTRACT_WAITING: Final = MetricSpec(
    "sheaf_extract_waiting", "gauge", "requests", "Requests that wait for a subprocess, by pool.",
    ("orchestrator",), {"pool": _SANDBOX},
)  # fmt: skip
EXTRACT_RESTARTS: Final = MetricSpec(
    "sheaf_extract_restarts_total", "counter", "processes",
    "Subprocesses replaced, by pool and cause.",
    ("orchestrator",), {"pool": _SANDBOX, "cause": "why a subprocess ends"},
)  # fmt: skip
CPU_WORKER_PROCESSES: Final = MetricSpec(
    "sheaf_cpu_worker_processes", "gauge", "processes",
    "CPU worker processes that the scaler runs, by state; 0 without a scaler.",
    ("orchestrator",), {"state": "running or draining"},
)  # fmt: skip
CPU_WORKER_CHANGES: Final = MetricSpec(
    "sheaf_cpu_worker_changes_total", "counter", "processes",
    "CPU worker processes that the scaler added, removed, or replaced after their death.",
    ("orchestrator",), {"change": "added, removed or replaced"},
)  # fmt: skip

METRICS: Final[tuple[MetricSpec, ...]] = tuple(
    each for each in list(globals().values()) if isinstance(each, MetricSpec)
)
"""All of them, in the order of this file."""
