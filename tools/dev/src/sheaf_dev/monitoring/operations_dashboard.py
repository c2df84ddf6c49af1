"""The page "Sheaf: operations": a document's way through the system, and what carries it."""

from typing import Final

from sheaf_common.telemetry import catalogue as c
from sheaf_common.telemetry.catalogue import MetricSpec
from sheaf_dev.monitoring.panels import Dashboard, Panel, Row, Series

_SERVICES: Final = 'job=~"gateway|storage|metadata|orchestrator"'
_WINDOW: Final = "$__rate_interval"


def _braced(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _quantiles(title: str, metric: MetricSpec, by: str = "", labels: str = "") -> Panel:
    """P50 and P99, by a label if there is one to tell apart."""
    grouped = f"le, {by}" if by else "le"
    legend = f" {{{{{by}}}}}" if by else ""
    rate = f"rate({metric.name}_bucket{_braced(labels)}[{_WINDOW}])"
    quantile = "histogram_quantile({q}, sum by ({grouped}) ({rate}))"
    series = [
        Series(quantile.format(q=q, grouped=grouped, rate=rate), f"{name}{legend}")
        for q, name in ((0.5, "P50"), (0.99, "P99"))
    ]
    return Panel(
        title, metric.unit[0] if metric.unit == "seconds" else "short", series, metric.text
    )


def _p99(title: str, metric: MetricSpec, by: str, labels: str = "") -> Panel:
    rate = f"rate({metric.name}_bucket{_braced(labels)}[{_WINDOW}])"
    expression = f"histogram_quantile(0.99, sum by (le, {by}) ({rate}))"
    return Panel(title, "s", [Series(expression, f"{{{{{by}}}}}")], metric.text)


def _rate(title: str, metric: MetricSpec, by: str, unit: str = "cps", labels: str = "") -> Panel:
    """How many a second; of a histogram, how many observations."""
    name = f"{metric.name}_count" if metric.kind == "histogram" else metric.name
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    expression = f"sum by ({by}) (rate({name}{_braced(labels)}[{_WINDOW}]))"
    return Panel(title, unit, [Series(expression, legend)], metric.text, stacked=True)


def _gauge(
    title: str, metric: MetricSpec, by: str, over: str = "sum", unit: str = "short"
) -> Panel:
    """`over` is how replicas are put together: `sum` of what each has, `max` of what all see."""
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(","))
    return Panel(title, unit, [Series(f"{over} by ({by}) ({metric.name})", legend)], metric.text)


def _mean(title: str, metric: MetricSpec, by: str) -> Panel:
    parts = (f"sum by ({by}) (rate({metric.name}_{part}[{_WINDOW}]))" for part in ("sum", "count"))
    return Panel(title, "short", [Series(" / ".join(parts), f"{{{{{by}}}}}")], metric.text)


def _of_limit(title: str, *pairs: tuple[MetricSpec, MetricSpec, str]) -> Panel:
    """What is used of what there may be, at the worst replica."""
    series = [Series(f"max({used.name} / {limit.name})", name) for used, limit, name in pairs]
    text = "Share of the limit that is in use, at the worst replica."
    return Panel(title, "percentunit", series, text, threshold=0.9)


def _hits() -> Panel:
    name = c.CACHE_READS.name
    hits = f'sum by (kind) (rate({name}{{result="hit"}}[{_WINDOW}]))'
    expression = f"{hits} / sum by (kind) (rate({name}[{_WINDOW}]))"
    return Panel("Cache hits", "percentunit", [Series(expression, "{{kind}}")], c.CACHE_READS.text)


def _pool_share() -> Panel:
    expression = f"max by (pool) ({c.POOL_USED_MAX.name} / {c.POOL_SIZE.name})"
    return Panel(
        "Pools, most in use in a minute", "percentunit", [Series(expression, "{{pool}}")],
        c.POOL_USED_MAX.text, threshold=0.8,
    )  # fmt: skip


_ACCEPT: Final = Row(
    "Accept",
    [
        _rate("Requests by status", c.HTTP_REQUEST_SECONDS, "status", "reqps"),
        _quantiles(
            "Time to accept an upload",
            c.HTTP_REQUEST_SECONDS,
            labels='route="/v1/documents", method="POST", status="202"',
        ),
        _p99("P99 by route", c.HTTP_REQUEST_SECONDS, "route"),
        _rate("Files accepted", c.FILES_ACCEPTED, "job"),
        _rate("Files rejected", c.FILES_REJECTED, "reason"),
        _rate("Files of known content", c.DUPLICATES, "outcome"),
        _rate("Uploads refused", c.ADMISSION_REFUSALS, "cause"),
        _rate("Requests against rates of keys", c.RATE_LIMITED_REQUESTS, "by, result", "reqps"),
        _gauge(
            "Age of the oldest, as admission sees it", c.ADMISSION_BACKLOG_AGE, "lane", "max", "s"
        ),
        _rate("Requests refused, answers given up", c.HTTP_REFUSALS, "cause"),
        _of_limit(
            "Room in the gateway",
            (c.UPLOADS_IN_FLIGHT, c.UPLOADS_LIMIT, "uploads"),
            (c.UPLOAD_BUFFER_BYTES, c.UPLOAD_BUFFER_LIMIT_BYTES, "body bytes"),
            (c.LONG_POLLS_WAITING, c.LONG_POLLS_LIMIT, "long polls"),
            (c.EVENT_STREAMS, c.EVENT_STREAMS_LIMIT, "event streams"),
            (c.HTTP_PLACES_TAKEN, c.HTTP_PLACES_LIMIT, "requests"),
            (c.HTTP_CONNECTIONS, c.HTTP_CONNECTIONS_LIMIT, "connections"),
        ),
        _quantiles("Files of an upload stored at once", c.UPLOAD_PUT_CONCURRENCY),
        _gauge("Requests in flight", c.HTTP_REQUESTS_IN_FLIGHT, "instance"),
        _gauge("Files that are being stored", c.UPLOAD_PUTS_IN_FLIGHT, "instance"),
        _rate("Uploads whose objects were left to the sweep", c.UPLOAD_CLEANUP_FAILURES, "job"),
    ],
)
_QUEUE: Final = Row(
    "Queue",
    [
        _gauge("Documents queued", c.BACKLOG_DOCUMENTS, "lane", "max"),
        _gauge("Age of the oldest", c.BACKLOG_OLDEST_SECONDS, "lane", "max", "s"),
        _quantiles("Time from registration to claim", c.DOCUMENT_QUEUE_SECONDS, "lane"),
        _gauge("Workflows in flight", c.WORKFLOWS_IN_FLIGHT, "lane", "max"),
        _gauge("Most workflows at once", c.DISPATCH_WORKFLOWS_LIMIT, "lane", "max"),
        _gauge("Documents in processing", c.PROCESSING_DOCUMENTS, "lane", "max"),
        _rate("Claims", c.CLAIMS, "lane, result"),
        _mean("Documents of a claimed group", c.CLAIMED_GROUP_DOCUMENTS, "lane"),
        _mean("Documents of a dispatched group", c.DISPATCHED_GROUP_DOCUMENTS, "lane"),
        _rate("Expired leases", c.EXPIRED_LEASES, "workflow"),
    ],
)
_DOCUMENTS: Final = Row(
    "Documents",
    [
        _rate("Registered", c.DOCUMENTS_REGISTERED, "job"),
        _rate("Finished by state", c.DOCUMENTS_FINISHED, "status"),
        _rate("Finished by class", c.DOCUMENTS_FINISHED, "document_class"),
        _quantiles("Time to result", c.DOCUMENT_RESULT_SECONDS, "lane"),
        _rate("Outcomes", c.OUTCOMES, "disposition"),
        _rate("Events sent", c.EVENTS_SENT, "job"),
        _rate("Streams that caught up", c.EVENT_CATCH_UPS, "cause"),
        _quantiles("Time until an event can be followed", c.EVENT_LAG_SECONDS),
        _rate("Left processing", c.DOCUMENTS_PROCESSED, "lane, outcome"),
    ],
)
_ACTIVITIES: Final = Row(
    "Activities",
    [
        _p99("P99 by activity", c.ACTIVITY_SECONDS, "activity"),
        _rate("Activities by outcome", c.ACTIVITY_SECONDS, "activity, outcome"),
        _p99("P99 from schedule to start", c.ACTIVITY_SCHEDULE_TO_START_SECONDS, "activity"),
        _gauge("In flight", c.ACTIVITIES_IN_FLIGHT, "activity"),
        _quantiles("Time of a group", c.GROUP_SECONDS, "lane"),
        _p99("P99 by stage of a document", c.DOCUMENT_STAGE_SECONDS, "stage"),
    ],
)
_STORAGE: Final = Row(
    "S3",
    [
        _p99("P99 by operation", c.S3_OPERATION_SECONDS, "operation"),
        _rate("Operations", c.S3_OPERATION_SECONDS, "operation", "ops"),
        _rate("Outcomes but ok", c.S3_OPERATION_SECONDS, "operation, outcome", "ops",
            'outcome!="ok"'),
        _rate("Bytes", c.STORAGE_BYTES, "direction", "Bps"),
        Panel("Room for puts", "percentunit", [Series(
            f"max by (kind) ({c.STORAGE_BUFFER_BYTES.name} / {c.STORAGE_BUFFER_LIMIT_BYTES.name})",
            "{{kind}}")], c.STORAGE_BUFFER_BYTES.text, threshold=0.9),
    ],
)  # fmt: skip
_POOLS: Final = Row(
    "Pools, database, Redis",
    [
        _pool_share(),
        _gauge("Connections open", c.POOL_OPEN, "pool"),
        _gauge("Connections in use", c.POOL_USED, "pool"),
        _gauge("Callers that wait", c.POOL_WAITING, "pool"),
        _p99("P99 of the wait", c.POOL_WAIT_SECONDS, "pool"),
        _rate("Callers without a connection", c.POOL_TIMEOUTS, "pool"),
        _p99("P99 by use case of the database", c.DATABASE_SECONDS, "use_case"),
        _rate("Transactions repeated", c.DATABASE_RETRIES, "cause"),
        _p99("P99 of Redis", c.REDIS_SECONDS, "operation"),
        _rate("Redis calls given up", c.REDIS_FAILURES, "operation"),
        _hits(),
        _rate("Reads that shared a query", c.COALESCED_READS, "kind"),
        _gauge("Calls that wait for a change", c.METADATA_WAITERS, "instance"),
    ],
)
_SANDBOX: Final = Row(
    "Sandbox and recognition",
    [
        _gauge("Subprocesses", c.EXTRACT_PROCESSES, "pool, state"),
        _gauge("Requests that wait for one", c.EXTRACT_WAITING, "pool"),
        _rate("Subprocesses replaced", c.EXTRACT_RESTARTS, "pool, cause"),
        _rate("Pages recognised", c.OCR_PAGES, "outcome"),
        _gauge("CPU worker processes", c.CPU_WORKER_PROCESSES, "state"),
        _rate("CPU worker processes changed", c.CPU_WORKER_CHANGES, "change"),
    ],
)
_TEMPORAL: Final = Row(
    "Temporal",
    [
        _gauge("Tasks that wait", c.TEMPORAL_BACKLOG_TASKS, "queue", "max"),
        _gauge("Age of the oldest task", c.TEMPORAL_BACKLOG_AGE_SECONDS, "queue", "max", "s"),
        Panel("Pollers", "short", [Series(
            "sum by (task_queue, poller_type) (temporal_num_pollers)",
            "{{task_queue}} {{poller_type}}")], "Of the SDK: who asks for work."),
        Panel("Slots in use", "short", [Series(
            "sum by (task_queue, worker_type) (temporal_worker_task_slots_used)",
            "{{task_queue}} {{worker_type}}")], "Of the SDK: tasks that run."),
        Panel("P99 of workflow tasks from schedule to start", "ms", [Series(
            "histogram_quantile(0.99, sum by (le, task_queue) (rate("
            f"temporal_workflow_task_schedule_to_start_latency_bucket[{_WINDOW}])))",
            "{{task_queue}}")], "Of the SDK, in milliseconds."),
        Panel("Requests to Temporal", "reqps", [Series(
            f"sum by (operation) (rate(temporal_request[{_WINDOW}]))",
            "{{operation}}")], "Of the SDK.", stacked=True),
    ],
)  # fmt: skip
_PROCESSES: Final = Row(
    "Processes",
    [
        Panel("Up", "short", [Series(f"sum by (job) (up{{{_SERVICES}}})", "{{job}}")],
            "Processes that Prometheus reaches."),
        Panel("CPU", "percentunit", [Series(
            f"sum by (job) (rate(process_cpu_seconds_total{{{_SERVICES}}}[{_WINDOW}]))",
            "{{job}}")],
            "Cores in use, subprocesses not counted.", stacked=True),
        Panel("Memory", "bytes", [Series(
            f"process_resident_memory_bytes{{{_SERVICES}}}", "{{job}} {{instance}}")],
            "Resident, subprocesses not counted."),
        Panel("Open files", "short", [Series(
            f"process_open_fds{{{_SERVICES}}}", "{{job}} {{instance}}")], "Descriptors."),
        _p99("P99 of the event loop's lag", c.EVENT_LOOP_LAG_SECONDS, "job"),
        _rate("Spans of traces dropped", c.TRACE_SPANS_DROPPED, "job"),
        _p99("P99 of gRPC by method", c.GRPC_SERVER_SECONDS, "method"),
        _rate("gRPC calls by code", c.GRPC_SERVER_SECONDS, "job, code", "ops"),
        _gauge("gRPC calls in flight", c.GRPC_SERVER_IN_FLIGHT, "job"),
        Panel("Versions", "short", [Series(
            f"count by (service, version) ({c.PROCESS_INFO.name})", "{{service}} {{version}}")],
            c.PROCESS_INFO.text, stacked=True),
    ],
)  # fmt: skip


def operations_dashboard() -> Dashboard:
    """From the upload to the result, then what carries both."""
    return Dashboard(
        "sheaf-operations",
        "Sheaf: operations",
        "A document's way through the system, and what carries it.",
        [_ACCEPT, _QUEUE, _DOCUMENTS, _ACTIVITIES, _STORAGE, _POOLS, _SANDBOX, _TEMPORAL,
            _PROCESSES],
    )  # fmt: skip
