"""The page "Sheaf: targets": what is promised, and whether it is kept."""

from typing import Final

from sheaf_common.telemetry.kpis import Target, Unit
from sheaf_dev.monitoring.panels import Dashboard, Panel, Row, Series
from sheaf_dev.monitoring.targets import series, targets

_UNITS: Final[dict[Unit, str]] = {
    "ms": "ms", "s": "s", "ratio": "percentunit", "workflows": "short",
}  # fmt: skip


def _now(target: Target) -> Panel:
    return Panel(
        target.name,
        _UNITS[target.unit],
        [Series(series(target.name))],
        _text(target),
        target.threshold,
        stat=True,
        width=4,
    )


def _over_time(target: Target) -> Panel:
    title = target.text[0].upper() + target.text[1:]
    return Panel(
        title,
        _UNITS[target.unit],
        [Series(series(target.name), target.name)],
        _text(target),
        target.threshold,
    )


def _text(target: Target) -> str:
    unit = f" {target.unit}" if target.unit in {"ms", "s"} else ""
    return f"{target.text}: below {target.threshold:g}{unit}. Made from the list of targets."


def targets_dashboard() -> Dashboard:
    """Each target now and over time, with its threshold, and what fires."""
    wanted = [target for target, _ in targets()]
    firing = Panel(
        "Alerts that fire",
        "short",
        [
            Series(
                'sum by (alertname, severity) (ALERTS{alertstate="firing", alertname=~"Sheaf.*"})',
                "{{alertname}} ({{severity}})",
            )
        ],
        "docs/alerts.md says what to do about each.",
        stacked=True,
        width=24,
    )
    return Dashboard(
        "sheaf-targets",
        "Sheaf: targets",
        "What is promised, with the thresholds of the alert rules.",
        [
            Row("Now", [_now(target) for target in wanted]),
            Row("Over time", [_over_time(target) for target in wanted]),
            Row("Alerts", [firing]),
        ],
    )
