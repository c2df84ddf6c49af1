"""The rules of the targets, as Prometheus reads them."""

from typing import Final

from sheaf_common.telemetry.kpis import Target
from sheaf_dev.monitoring.targets import Watched, series, targets

_HEAD: Final = """\
# Made by `./sheaf proto` from the targets of libs/common telemetry/kpis.py: do not edit.
groups:
  - name: sheaf-targets
    interval: 15s
    rules:
"""
_RECORD: Final = """\
      - record: {series}
        expr: {expression}
"""
_ALERT: Final = """\
      - alert: {alert}
        expr: {series} >= {threshold:g}
        for: {held_for}
        labels:
          severity: {severity}
          target: {target}
        annotations:
          summary: {summary}
          description: {description}
          runbook: docs/alerts.md#{anchor}
"""


def targets_yaml() -> str:
    """A recorded series and an alert for each target.

    A target is met while its value is below its threshold, so the alert is of one that is not.
    """
    pairs = targets()
    records = [
        _RECORD.format(series=series(target.name), expression=_scalar(watched.expression))
        for target, watched in pairs
    ]
    return "".join((_HEAD, *records, *(_alert(target, watched) for target, watched in pairs)))


def _alert(target: Target, watched: Watched) -> str:
    value = f"{{{{ $value | humanize }}}}{_unit(target)}"
    limit = f"{target.threshold:g}{_unit(target)}"
    measured = target.text[0].upper() + target.text[1:]
    description = f"{measured}: {value}; the target is below {limit}. {watched.advice}"
    return _ALERT.format(
        alert=watched.alert,
        series=series(target.name),
        threshold=target.threshold,
        held_for=watched.held_for,
        severity=watched.severity,
        target=target.name,
        summary=_scalar(watched.summary),
        description=_scalar(description),
        anchor=watched.alert.lower(),
    )


def _unit(target: Target) -> str:
    return {"ms": " ms", "s": " s", "ratio": "", "workflows": ""}[target.unit]


def _scalar(value: str) -> str:
    """A YAML scalar in single quotes, in which nothing is escaped but they themselves."""
    return "'" + value.replace("'", "''") + "'"
