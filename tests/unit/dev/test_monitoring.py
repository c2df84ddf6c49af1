"""Claims about rules and dashboards that promtool cannot check: names, thresholds, places."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import TARGETS
from sheaf_dev import checkout
from sheaf_dev.errors import MissingProgramError
from sheaf_dev.monitoring import expressions, generated, promtool, targets
from sheaf_dev.monitoring.alerts import Rule, rules, unexplained, untested
from sheaf_dev.monitoring.targets import series
from sheaf_dev.services import SERVICES
from sheaf_gateway.service import kpi_values

DEPLOY = checkout.root() / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))


def panels(file: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard, rows left out."""
    page = json.loads(file.read_text())
    return [panel for panel in page["panels"] if panel["type"] != "row"]


def test_alerts_and_lines_have_the_thresholds_of_the_targets() -> None:
    """One alert and two panels for each target; a changed target is drift, and fails the check."""
    alerts = {rule.labels.get("target"): rule for rule in rules(DEPLOY / "prometheus" / "rules")}
    shown = {
        (target["expr"], step["value"])
        for panel in panels(DEPLOY / "grafana" / "dashboards" / "targets.json")
        for target in panel["targets"]
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    }
    for target in TARGETS:
        expected = f"{series(target.name)} >= {target.threshold:g}"
        assert alerts[target.name].expression == expected
        assert (series(target.name), target.threshold) in shown
    assert generated.drift() == []


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_has_no_id_twice_and_no_panel_over_another(file: Path) -> None:
    """Every panel has a title, a unit and an expression, of the data source that is provisioned."""
    sources = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text()
    )
    (source,) = sources["datasources"]
    page = json.loads(file.read_text())
    ids = [panel["id"] for panel in page["panels"]]
    assert len(ids) == len(set(ids))
    places: set[tuple[int, int]] = set()
    for panel in page["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places, panel["title"]
        assert max(x for x, _ in cells) < 24
        places |= cells
    for panel in panels(file):
        assert panel["title"]
        assert panel["targets"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs))
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}


def test_dashboards_have_addresses_of_their_own() -> None:
    """And are all that is there."""
    pages = [json.loads(file.read_text()) for file in DASHBOARDS]
    assert len({page["uid"] for page in pages}) == len({page["title"] for page in pages}) == 2


def test_every_metric_of_the_catalogue_is_shown_or_watched() -> None:
    """What nobody looks at need not be served."""
    named = {
        name
        for expression in (
            *(rule.expression for rule in rules(DEPLOY / "prometheus" / "rules")),
            *(each for make in generated.DASHBOARDS.values() for each in make().expressions),
        )
        for name in expressions.metrics(expression)
    }
    suffixes = re.compile(r"_(bucket|sum|count)$")
    assert {metric.name for metric in catalogue.METRICS} <= {
        suffixes.sub("", name) for name in named
    }


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(sheaf_no_such_total[5m])", "nobody serves sheaf_no_such_total"),
        ("rate(sheaf_activity_seconds[5m])", "nobody serves sheaf_activity_seconds"),
        ("sheaf_claims", "nobody serves sheaf_claims"),
        ('sheaf_pool_used{lane="text"}', "sheaf_pool_used has no label lane"),
        ("sum by (lane) (sheaf_pool_used)", "no metric in it has the label lane"),
        ("max without (kind) (sheaf_pool_used)", "no metric in it has the label kind"),
        ("sheaf:no_target > 1", "nobody serves sheaf:no_target"),
    ],
)
def test_an_expression_names_what_somebody_serves(expression: str, problem: str) -> None:
    """A metric, the three series of a histogram, and the labels that it has."""
    assert expressions.problems(expression) == [problem]


@pytest.mark.parametrize(
    "expression",
    [
        'sum by (le, pool) (rate(sheaf_pool_wait_seconds_bucket{pool=~"s3|db", job="x"}[5m]))',
        'sum(rate(sheaf_claims_total{result!="a{b}"}[5m])) or vector(0)',
        "sheaf_pool_used / on (instance, pool) group_left () sheaf_pool_size offset 10m",
        "sheaf:accept_p99_ms >= 3000 and on () up == 1",
    ],
)
def test_an_expression_that_names_nothing_else_is_sound(expression: str) -> None:
    """Functions, operators, strings and times are no metrics."""
    assert expressions.problems(expression) == []


_SOUND = Rule(
    "SheafX",
    "up == 0",
    {"severity": "page"},
    {"summary": "s", "description": "d", "runbook": "docs/alerts.md#sheafx"},
)


def test_an_alert_says_what_to_do() -> None:
    """By severity, annotations and an entry; an entry without an alert is told too."""
    assert list(unexplained([_SOUND], "### SheafX\n")) == []
    assert list(unexplained([_SOUND], "")) == ["SheafX has no entry in docs/alerts.md"]
    assert list(unexplained([], "### SheafX\n")) == [
        "docs/alerts.md explains SheafX, which is no alert"
    ]
    bare = Rule("SheafX", "up == 0", {}, {})
    assert len(list(unexplained([bare], "### SheafX\n"))) == 4
    assert list(unexplained([_SOUND, _SOUND], "### SheafX\n")) == ["SheafX is there twice"]


def test_an_alert_is_seen_silent_and_firing(tmp_path: Path) -> None:
    """In one story; one that only ever fires, or whose silence is not asked for, is untested."""
    firing = {
        "expr": 'sum by (alertname) (ALERTS{alertstate="firing"})',
        "eval_time": "40m",
        "exp_samples": [{"labels": '{alertname="SheafX"}', "value": 1}],
    }
    silent = {"expr": firing["expr"], "eval_time": "20m"}

    def findings(*tests: object) -> list[str]:
        story = {"tests": [{"promql_expr_test": list(tests)}]}
        (tmp_path / "story.yml").write_text(yaml.safe_dump(story))
        return list(untested([_SOUND], tmp_path))

    assert findings(silent, firing) == []
    assert findings(firing) == ["no rule test has SheafX silent and firing"]
    assert findings(silent) == ["no rule test has SheafX silent and firing"]
    assert findings({**silent, "expr": "up"}, firing) != []


def test_where_promtool_cannot_be_fetched_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never skipped; nothing half fetched stays."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(MissingProgramError, match="install Prometheus"):
        promtool.ensure(tmp_path)

    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("apt-get", "dpkg-deb"):
        (tools / name).write_text(f"#!/bin/sh\necho {name} has no network; exit 100\n")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(shutil, "which", lambda name: None if "tool" in name else name)
    with pytest.raises(MissingProgramError, match="apt-get has no network"):
        promtool.ensure(tmp_path)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "promtool.lock"]


def test_prometheus_scrapes_every_service_of_the_compose_file() -> None:
    """At its own metrics port, and what it mounts is there; both come with a profile only."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    scraped: dict[str, set[int]] = {}
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        (found,) = job["dns_sd_configs"]
        for name in found["names"]:
            scraped.setdefault(name, set()).add(found["port"])
    roles = {"dispatcher", "workflow-worker", "io-worker", "cpu-worker", "ocr-worker"}
    ports = {name: service.ports for name, service in SERVICES.items()}
    orchestrator = {
        ports["orchestrator"]["ORCHESTRATOR_METRICS_PORT"],
        ports["orchestrator"]["TEMPORAL_METRICS_PORT"],
    }
    assert scraped == {
        "gateway": {ports["gateway"]["GATEWAY_PORT"]},
        "storage": {ports["storage"]["STORAGE_METRICS_PORT"]},
        "metadata": {ports["metadata"]["METADATA_METRICS_PORT"]},
        **dict.fromkeys(roles, orchestrator),
    }
    assert set(scraped) <= set(compose)
    monitoring = {name for name, each in compose.items() if each.get("profiles")}
    assert monitoring == {"prometheus", "grafana"}
    for name in monitoring:
        assert compose[name]["profiles"] == ["monitoring"]
        assert re.search(r":v?\d+\.\d+\.\d+$", compose[name]["image"])
        assert all(port.startswith("127.0.0.1:") for port in compose[name]["ports"])
        mounts = [each.split(":")[0] for each in compose[name]["volumes"]]
        assert all((DEPLOY / each).exists() for each in mounts if each.startswith("./"))


def test_the_rules_leave_out_the_routes_that_the_gateway_leaves_out() -> None:
    """Both judge the same requests."""
    assert set(targets.OPERATORS_ROUTES.split("|")) == kpi_values.OPERATORS_ROUTES
