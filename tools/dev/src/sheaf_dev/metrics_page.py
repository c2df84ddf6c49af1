"""The page of all metrics: made from the catalogue in place, or compared."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sheaf_common.telemetry.catalogue import EVERY_SERVICE, METRICS, MetricSpec, Service
from sheaf_dev import checkout

_PAGE: Final = "docs/metrics.md"

TEMPORAL_METRICS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "temporal_worker_task_slots_used": "slots of a worker that are taken, by `worker_type`",
        "temporal_worker_task_slots_available": "those that are free: at 0 tasks wait in Temporal",
        "temporal_num_pollers": "pollers of a task queue, by `poller_type`: 0 means nobody asks",
        "temporal_workflow_task_schedule_to_start_latency": "how long workflow tasks waited",
        "temporal_activity_schedule_to_start_latency": "how long activity tasks waited",
        "temporal_workflow_task_execution_latency": "how long workflow code took a task",
        "temporal_activity_execution_latency": "how long activities took, by `activity_type`",
        "temporal_workflow_endtoend_latency": "how long workflows took, by `workflow_type`",
        "temporal_workflow_completed": "workflows that completed, by `workflow_type`",
        "temporal_sticky_cache_size": "workflows that are kept in memory between their tasks",
        "temporal_request_latency": "how long calls of Temporal took, by `operation`",
    }
)
"""Of the Temporal SDK's metrics those that an operator needs, and what each is."""

_HEAD: Final = """\
# Metrics

<!-- Made by `./sheaf proto` from `sheaf_common.telemetry.catalogue`: edit that. -->

For whoever operates Sheaf: every metric that its services serve to Prometheus.

| process | address | variable of the port |
|---|---|---|
| gateway | `http://localhost:8000/metrics` | `GATEWAY_PORT` |
| storage | `http://localhost:9461/metrics` | `STORAGE_METRICS_PORT` |
| metadata | `http://localhost:9462/metrics` | `METADATA_METRICS_PORT` |
| orchestrator, each role | `http://localhost:9463/metrics` | `ORCHESTRATOR_METRICS_PORT` |
| the Temporal SDK in it | `http://localhost:9464/metrics` | `TEMPORAL_METRICS_PORT` |

Each further process on a host needs ports of its own. `.sheaf/env` names those of an embedded
stack. Scrape every 5 to 15 s; no metric is reset by being read.

- Units are seconds, bytes, and plain numbers. Every label has a bounded set of values: what bounds
  it is said beside it.
- Counters begin at 0 with their process: use `rate` or `increase`. They are of one process: sum
  over all of a service.
- What comes from elsewhere (the backlogs) is asked in the background, the record's every second by
  each metadata process, Temporal's every five by orchestrators with role `all` or `dispatcher`, and
  is `NaN` while it cannot be had, never an old number. All of them tell the same: take `max` over
  processes, not `sum`.
- Beside these, each process serves `process_*` and `python_*` of the Prometheus client: CPU
  seconds, resident memory, open files, garbage collection.
"""

_TEMPORAL_HEAD: Final = """\
## The Temporal SDK

All begin with `temporal_`; durations are in milliseconds; labels are `namespace`, `task_queue` and
more. Their buckets begin at 50 ms, so for activities `sheaf_activity_seconds` says more.
`temporal_request_failure`, `temporal_activity_execution_failed` and `temporal_workflow_failed`
appear with the first failure. Those that an operator needs:

| metric | is |
|---|---|
"""


def write() -> list[Path]:
    """Makes the page; returns its path."""
    path = checkout.root() / _PAGE
    path.write_text(page(), encoding="utf-8")
    return [path]


def drift() -> list[str]:
    """The page's name, if it differs from what the catalogue says now."""
    path = checkout.root() / _PAGE
    current = path.read_text(encoding="utf-8") if path.is_file() else None
    return [] if current == page() else [f"{_PAGE} differs"]


def page() -> str:
    """The page, in Markdown."""
    groups: dict[tuple[Service, ...], list[MetricSpec]] = {}
    for metric in METRICS:
        groups.setdefault(metric.served_by, []).append(metric)
    parts = [_HEAD, *(_section(services, group) for services, group in groups.items())]
    parts.append(_TEMPORAL_HEAD + "".join(_row(f"`{n}`", t) for n, t in TEMPORAL_METRICS.items()))
    return "\n".join(parts)


def _section(services: Sequence[Service], metrics: Sequence[MetricSpec]) -> str:
    every = set(services) == set(EVERY_SERVICE)
    title = "Every service" if every else ", ".join(services).capitalize()
    lines = [
        f"## {title}\n",
        "\n",
        _row("metric", "kind, unit", "is", "labels"),
        "|---|---|---|---|\n",
    ]
    lines += [
        _row(f"`{each.name}`", f"{each.kind}, {each.unit}", each.text, "<br>".join(_labels(each)))
        for each in metrics
    ]
    return "".join(lines)


def _labels(metric: MetricSpec) -> Iterator[str]:
    for name, bound in metric.labels.items():
        yield f"`{name}`: {bound}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"
