"""The files in `deploy/` that are made from our lists: written, or compared with what is there."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from sheaf_dev import checkout
from sheaf_dev.monitoring import rules
from sheaf_dev.monitoring.operations_dashboard import operations_dashboard
from sheaf_dev.monitoring.panels import Dashboard
from sheaf_dev.monitoring.targets_dashboard import targets_dashboard

DASHBOARDS: Final[Mapping[str, Callable[[], Dashboard]]] = {
    "deploy/grafana/dashboards/targets.json": targets_dashboard,
    "deploy/grafana/dashboards/operations.json": operations_dashboard,
}


def write() -> list[Path]:
    """Makes every file; returns their paths."""
    paths = []
    for name, text in _made().items():
        path = checkout.root() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def drift() -> list[str]:
    """Which files differ from what the lists say now."""
    return [f"{name} differs" for name, text in _made().items() if _read(name) != text]


def _read(name: str) -> str | None:
    path = checkout.root() / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _made() -> dict[str, str]:
    """The texts by file."""
    dashboards = {name: make().as_json() for name, make in DASHBOARDS.items()}
    return {"deploy/prometheus/rules/targets.yml": rules.targets_yaml(), **dashboards}
