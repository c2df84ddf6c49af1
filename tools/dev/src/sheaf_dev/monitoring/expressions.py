"""What PromQL expressions name: only metrics and labels that somebody serves.

promtool parses an expression, and takes a metric that nobody serves for one without data: a
dashboard that shows nothing, an alert that never fires.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import TARGETS
from sheaf_dev.monitoring.targets import series

_SCRAPED: Final = frozenset({"job", "instance", "role"})
"""Labels that Prometheus puts on what it scrapes."""
_TEMPORAL_LABELS: Final = frozenset({
    "namespace", "service_name", "task_queue", "poller_type", "worker_type", "activity_type",
    "workflow_type", "operation", "le",
})  # fmt: skip
_OTHERS: Final[Mapping[str, Collection[str]]] = {
    "up": (),
    "ALERTS": ("alertname", "alertstate", "severity"),
    "process_cpu_seconds_total": (),
    "process_open_fds": (),
    "process_resident_memory_bytes": (),
    "process_start_time_seconds": (),
    # Of the Temporal SDK, as temporalio 1.35 serves them.
    "temporal_num_pollers": _TEMPORAL_LABELS,
    "temporal_request": _TEMPORAL_LABELS,
    "temporal_worker_task_slots_used": _TEMPORAL_LABELS,
    "temporal_workflow_task_schedule_to_start_latency_bucket": _TEMPORAL_LABELS,
    **dict.fromkeys((series(target.name) for target in TARGETS), ()),
}

_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGES: Final = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")
_GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR: Final = re.compile(r"([A-Za-z_:][\w:]*)\s*\{([^}]*)\}")
_MATCHER: Final = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_NAME: Final = re.compile(r"(?<![\w:.$])[A-Za-z_:][\w:]*(?!\s*\()(?![\w:])")
_WORDS: Final = frozenset({
    "and", "or", "unless", "bool", "on", "by", "without", "ignoring", "group_left", "group_right",
    "sum", "max", "min", "count", "avg",
})  # fmt: skip


def problems(expression: str) -> list[str]:
    """Metrics that nobody serves, and labels that those named do not have."""
    return list(dict.fromkeys(_problems(expression)))


def metrics(expression: str) -> set[str]:
    """The metrics that it names."""
    bare = _GROUPING.sub(" ", _RANGES.sub(" ", _STRINGS.sub('""', expression)))
    names = {found.group() for found in _NAME.finditer(re.sub(r"\{[^}]*\}", " ", bare))}
    return names - _WORDS


def _problems(expression: str) -> Iterator[str]:
    served = _served()
    known: set[str] = {"le"} | _SCRAPED
    for name in sorted(metrics(expression)):
        if name not in served:
            yield f"nobody serves {name}"
        known |= set(served.get(name, ()))
    bare = _RANGES.sub(" ", _STRINGS.sub('""', expression))
    for name, matchers in _SELECTOR.findall(bare):
        for label in _MATCHER.findall(matchers):
            if label not in {*served.get(name, ()), *_SCRAPED}:
                yield f"{name} has no label {label}"
    for group in _GROUPING.findall(bare):
        for label in filter(None, (each.strip() for each in group.split(","))):
            if label not in known:
                yield f"no metric in it has the label {label}"


def _served() -> Mapping[str, Collection[str]]:
    """Labels by every name that is served: of a histogram, those of its three series."""
    served: dict[str, Collection[str]] = dict(_OTHERS)
    for metric in catalogue.METRICS:
        if metric.kind == "histogram":
            served[f"{metric.name}_bucket"] = {*metric.labels, "le"}
            served[f"{metric.name}_sum"] = served[f"{metric.name}_count"] = set(metric.labels)
        else:
            served[metric.name] = set(metric.labels)
    return served
