"""The JSON of the targets."""

from datetime import datetime
from typing import Final

import msgspec

from sheaf_common.telemetry.kpis import KpiName, Unit
from sheaf_gateway.service.kpis import KpiReport


class KpiBody(msgspec.Struct):
    """A target and how it is met."""

    name: KpiName
    text: str
    """The same for people."""
    value: float | None
    """Now; null where nothing was there to be measured, or its part did not answer."""
    threshold: float
    """The value must stay below it."""
    unit: Unit
    ok: bool | None
    """Whether it is met; null without a value."""


class UnavailableBody(msgspec.Struct):
    """A part that did not answer; its targets have no value."""

    part: str
    """storage, metadata, orchestrator, or backlog: the work that waits."""
    reason: str
    """Why, for programs."""
    detail: str
    """The same for people."""


class KpisBody(msgspec.Struct):
    """Every target, live."""

    window_s: int
    """How many seconds back was looked; less far in a process that was started since."""
    at: datetime
    ok: bool | None
    """False if a target is missed; null if none is, but a part did not answer."""
    kpis: list[KpiBody]
    unavailable: list[UnavailableBody]


def kpis_body(report: KpiReport) -> KpisBody:
    """A report as JSON."""
    return KpisBody(
        report.window_s,
        report.at,
        report.ok,
        [msgspec.convert(kpi.as_json(), KpiBody) for kpi in report.kpis],
        [UnavailableBody(each.part, each.reason, each.detail) for each in report.unavailable],
    )


KPIS_EXAMPLE: Final = {
    "window_s": 60,
    "at": "2026-11-29T12:00:00Z",
    "ok": False,
    "kpis": [
        {
            "name": "accept_p99_ms",
            "text": "P99 of accepting an upload",
            "value": 96.4,
            "threshold": 3000.0,
            "unit": "ms",
            "ok": True,
        },
        {
            "name": "oldest_queued_s",
            "text": "age of the oldest queued text document",
            "value": 4.2,
            "threshold": 2.0,
            "unit": "s",
            "ok": False,
        },
        {
            "name": "activity_p99_ms",
            "text": "P99 of a group's activity, text documents",
            "value": None,
            "threshold": 500.0,
            "unit": "ms",
            "ok": None,
        },
    ],
    "unavailable": [
        {
            "part": "orchestrator",
            "reason": "PEER_UNAVAILABLE",
            "detail": "orchestrator cannot be reached",
        }
    ],
}
