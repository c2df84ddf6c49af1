"""How the value of each target is read from what the services measured."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import KpiName
from sheaf_common.telemetry.measured import Recent
from sheaf_gateway.ports.measurements import Backlog

Values: TypeAlias = Mapping[KpiName, float | None]

OPERATORS_ROUTES: Final = frozenset({"/livez", "/ht", "/metrics", "/v1/ops/kpis"})
"""Requests of who watches, not of who uses: they do not count, or watching would dilute errors."""

_P99: Final = 0.99
_REFUSED: Final = "429"
_SERVER_ERROR: Final = "5"


def of_gateway(recent: Recent) -> Values:
    """What requests met: the time of accepted uploads, and the share that was answered 5xx or 429.

    A refusal for want of capacity is a failure to its client, so 429 counts as 503 does; other
    4xx are the client's own.
    """
    requests = [
        each
        for each in recent.histograms
        if each.name == catalogue.HTTP_REQUEST_SECONDS.name
        and each.labels["route"] not in OPERATORS_ROUTES
    ]
    failed = sum(each.count for each in requests if _is_failure(each.labels["status"]))
    asked = sum(each.count for each in requests)
    upload = {"route": "/v1/documents", "method": "POST", "status": "202"}
    return {
        "accept_p99_ms": _p99_ms(recent, catalogue.HTTP_REQUEST_SECONDS.name, upload),
        "error_rate": failed / asked if asked else None,
    }


def of_storage(recent: Recent) -> Values:
    """The S3 pool."""
    return {"pool_s3_used": _pool_used(recent, "s3")}


def of_metadata(recent: Recent, gateway: Recent) -> Values:
    """Its pools, and what documents of the text lane waited, by the database's clock.

    Of its pool of Redis and the gateway's own the fuller one counts.
    """
    redis = [_pool_used(each, "redis") for each in (recent, gateway)]
    oldest = recent.gauge(catalogue.BACKLOG_OLDEST_SECONDS.name, lane="text")
    return {
        "result_p99_ms": _p99_ms(recent, catalogue.DOCUMENT_RESULT_SECONDS.name, {"lane": "text"}),
        "oldest_queued_s": None if oldest is None else oldest.highest,
        "pool_db_used": _pool_used(recent, "db"),
        "pool_redis_used": max((used for used in redis if used is not None), default=None),
    }


def of_orchestrator(recent: Recent) -> Values:
    """The activity of text groups, whatever its outcome."""
    labels = {"activity": "extract_group"}
    return {"activity_p99_ms": _p99_ms(recent, catalogue.ACTIVITY_SECONDS.name, labels)}


def of_backlog(backlog: Backlog) -> Values:
    """Workflows that wait: those that Temporal has, and those that queued documents become."""
    to_come = backlog.queued_documents / backlog.group_max_documents
    return {"pending_workflows": backlog.waiting_tasks + to_come}


def _is_failure(status: str) -> bool:
    return status == _REFUSED or status.startswith(_SERVER_ERROR)


def _p99_ms(recent: Recent, name: str, labels: Mapping[str, str]) -> float | None:
    histogram = recent.histogram(name, **labels)
    seconds = None if histogram is None else histogram.quantile(_P99)
    return None if seconds is None else seconds * 1000


def _pool_used(recent: Recent, pool: str) -> float | None:
    used = recent.gauge(catalogue.POOL_USED_MAX.name, pool=pool)
    size = recent.gauge(catalogue.POOL_SIZE.name, pool=pool)
    if used is None or size is None or not size.highest > 0:
        return None
    return used.highest / size.highest
