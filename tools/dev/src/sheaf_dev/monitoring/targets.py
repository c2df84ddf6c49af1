"""Each target of the system as a recorded series, and the alert of its being missed.

The series has the unit of the target (`sheaf:accept_p99_ms` is in milliseconds), so thresholds
stand in rules and dashboards as they stand in the list. Over all replicas: quantiles of all
requests together, the worst of gauges.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.catalogue import MetricSpec
from sheaf_common.telemetry.kpis import TARGETS, KpiName, Target
from sheaf_orchestrator.settings import DispatchSettings

Severity = Literal["page", "warning"]

WINDOW: Final = "5m"
OPERATORS_ROUTES: Final = "/livez|/ht|/metrics|/v1/ops/kpis"
"""Requests of who watches, not of who uses: as the gateway's own KPIs leave them out."""


@dataclass(frozen=True, slots=True)
class Watched:
    """How a target's value is read from metrics, and what is done when it is missed."""

    expression: str
    alert: str
    severity: Severity
    summary: str
    advice: str
    held_for: str = "5m"


def series(name: KpiName) -> str:
    """The recorded series of a target."""
    return f"sheaf:{name}"


def p99_ms(metric: MetricSpec, labels: str) -> str:
    """The P99 of a histogram over all replicas, in milliseconds."""
    rate = f"rate({metric.name}_bucket{{{labels}}}[{WINDOW}])"
    return f"1000 * histogram_quantile(0.99, sum by (le) ({rate}))"


def _share_of_failures() -> str:
    """As the gateway's own: what was answered 5xx or 429; 0 while nothing was."""
    name = f"{catalogue.HTTP_REQUEST_SECONDS.name}_count"
    routes = f'route!~"{OPERATORS_ROUTES}"'
    failed = f'sum(rate({name}{{{routes}, status=~"5..|429"}}[{WINDOW}]))'
    return f"({failed} or vector(0)) / (sum(rate({name}{{{routes}}}[{WINDOW}])) > 0)"


def _pending() -> str:
    """What Temporal has, and what queued documents become; a group may have 64 by default."""
    tasks = f'{catalogue.TEMPORAL_BACKLOG_TASKS.name}{{queue=~"workflows|cpu"}}'
    queued = f'max({catalogue.BACKLOG_DOCUMENTS.name}{{lane="text"}})'
    limit = DispatchSettings.model_fields["group_max_documents"].default
    return f"sum(max by (queue) ({tasks})) + {queued} / {limit}"


def _pool(pool: str) -> str:
    used, size = catalogue.POOL_USED_MAX.name, catalogue.POOL_SIZE.name
    return f'max({used}{{pool="{pool}"}} / {size}{{pool="{pool}"}})'


def _pool_watched(pool: str, title: str) -> Watched:
    return Watched(
        _pool(pool),
        f"Sheaf{title}PoolNearlyUsed",
        "warning",
        f"The {title} pool is nearly used up",
        "Look at waiting callers and at the times of what the pool leads to: a slow server holds"
        " connections. More replicas, or a larger pool if the server has room.",
    )


WATCHED: Final[Mapping[KpiName, Watched]] = {
    "accept_p99_ms": Watched(
        p99_ms(
            catalogue.HTTP_REQUEST_SECONDS,
            'route="/v1/documents", method="POST", status="202"',
        ),
        "SheafAcceptSlow",
        "page",
        "Uploads are accepted slowly",
        "Look at S3 put times, the database's times, pools and the event loop's lag of gateway,"
        " storage and metadata; then at the rate of uploads.",
    ),
    "result_p99_ms": Watched(
        p99_ms(catalogue.DOCUMENT_RESULT_SECONDS, 'lane="text"'),
        "SheafResultsSlow",
        "page",
        "Results of text documents take long",
        "Look at the backlog and its age, at CPU workers and their activity times: either more"
        " comes in than they do, or each is slow.",
    ),
    "error_rate": Watched(
        _share_of_failures(),
        "SheafRequestsFail",
        "page",
        "Requests fail",
        "See which routes and statuses: 503 names a dependency in GET /ht/, 429 is admission,"
        " 500 is a bug with a trace in the gateway's log.",
        "2m",
    ),
    "pending_workflows": Watched(
        _pending(),
        "SheafWorkflowsPending",
        "warning",
        "Workflows wait for workers",
        "Look at the task queues' pollers and free slots, then at CPU workers: add some, and raise"
        " DISPATCH_MAX_WORKFLOWS with them.",
    ),
    "oldest_queued_s": Watched(
        f'max({catalogue.BACKLOG_OLDEST_SECONDS.name}{{lane="text"}})',
        "SheafBacklogOld",
        "warning",
        "Text documents wait long for their turn",
        "Look at claims and workflows in flight: none means that the dispatcher or Temporal is"
        " down, as many as allowed means that CPU workers are too few.",
    ),
    "activity_p99_ms": Watched(
        p99_ms(catalogue.ACTIVITY_SECONDS, 'activity="extract_group"'),
        "SheafActivitiesSlow",
        "warning",
        "Groups of text documents are slow to extract",
        "Look at the stages of a document: fetch and put point at storage, record at metadata,"
        " extract at the documents or at cores that others use.",
    ),
    "pool_s3_used": _pool_watched("s3", "S3"),
    "pool_db_used": _pool_watched("db", "Database"),
    "pool_redis_used": _pool_watched("redis", "Redis"),
}


def targets() -> list[tuple[Target, Watched]]:
    """Every target with how it is watched, in the order of the list.

    Raises:
        KeyError: a target is in the list that nothing watches.
    """
    return [(target, WATCHED[target.name]) for target in TARGETS]
