"""Dashboards as values, and the JSON that Grafana is provisioned with."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

DATASOURCE: Final = {"type": "prometheus", "uid": "sheaf-prometheus"}
_SCHEMA_VERSION: Final = 39
_WIDTH: Final = 24
_HEIGHT: Final = 8
_STAT_HEIGHT: Final = 4


@dataclass(frozen=True, slots=True)
class Series:
    """An expression, and the label template of what it gives."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph over time, or with `stat` the newest value alone.

    `unit` is one of Grafana's (`s`, `ms`, `bytes`, `percentunit`, `reqps`, `short`). A `threshold`
    is drawn as a line; values from there on are red.
    """

    title: str
    unit: str
    series: Sequence[Series]
    text: str = ""
    threshold: float | None = None
    stat: bool = False
    stacked: bool = False
    width: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a title, side by side, as many as fit in a line."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page. `uid` is its address and stays as it is."""

    uid: str
    title: str
    text: str
    rows: Sequence[Row]

    @property
    def expressions(self) -> Sequence[str]:
        """Every expression of every panel."""
        return [
            series.expression
            for row in self.rows
            for panel in row.panels
            for series in panel.series
        ]

    def as_json(self) -> str:
        """What Grafana reads."""
        page = {
            "uid": self.uid,
            "title": self.title,
            "description": self.text,
            "tags": ["sheaf"],
            "schemaVersion": _SCHEMA_VERSION,
            "version": 1,
            "editable": False,
            "graphTooltip": 1,
            "refresh": "15s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "utc",
            "templating": {"list": []},
            "annotations": {"list": []},
            "links": [_link_to_others()],
            "panels": list(_placed(self.rows)),
        }
        return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Every panel with an id and a place of its own."""
    number, top = 0, 0
    for row in rows:
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": _WIDTH, "h": 1},
            "panels": [],
        }
        top, left, tallest = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > _WIDTH:
                top, left, tallest = top + tallest, 0, 0
            number += 1
            height = _STAT_HEIGHT if panel.stat else _HEIGHT
            place = {"x": left, "y": top, "w": panel.width, "h": height}
            yield _panel(number, place, panel)
            left, tallest = left + panel.width, max(tallest, height)
        top += tallest


def _panel(number: int, place: dict[str, int], panel: Panel) -> dict[str, Any]:
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": DATASOURCE,
            "expr": series.expression,
            "legendFormat": series.legend or "__auto",
            "range": not panel.stat,
            "instant": panel.stat,
        }
        for index, series in enumerate(panel.series)
    ]
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.text,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": targets,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.threshold is not None:
        steps.append({"color": "red", "value": panel.threshold})
    shared = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.stat:
        return {**shared, "color": {"mode": "thresholds"}, "noValue": "no data"}
    return {
        **shared,
        "color": {"mode": "palette-classic"},
        "custom": {
            "lineWidth": 1,
            "fillOpacity": 20 if panel.stacked else 0,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "off" if panel.threshold is None else "line"},
        },
    }


def _options(panel: Panel) -> dict[str, Any]:
    if panel.stat:
        return {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
        }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def _link_to_others() -> dict[str, Any]:
    return {"type": "dashboards", "title": "Sheaf", "tags": ["sheaf"], "asDropdown": True}
