"""Alerts as they are in the rule files, and whether each is explained, and fired by a test."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

_HEADING: Final = re.compile(r"^### (Sheaf\w+)$", re.MULTILINE)
_ALERTNAME: Final = re.compile(r'alertname="(\w+)"')
_SEVERITIES: Final = frozenset({"page", "warning"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A recorded series or an alert; `alert` is empty for the first."""

    alert: str
    expression: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def rules(folder: Path) -> list[Rule]:
    """Every rule of every file in a folder."""
    return [
        Rule(
            rule.get("alert", ""),
            rule["expr"],
            rule.get("labels", {}),
            rule.get("annotations", {}),
        )
        for file in sorted(folder.glob("*.yml"))
        for group in _read(file)["groups"]
        for rule in group["rules"]
    ]


def unexplained(alerts: Sequence[Rule], page: str) -> Iterator[str]:
    """Alerts that do not say what to do, or are not on the page of alerts; and the reverse."""
    headings = _HEADING.findall(page)
    names = [rule.alert for rule in alerts]
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield f"{name} is there twice"
    for rule in alerts:
        if rule.labels.get("severity") not in _SEVERITIES:
            yield f"{rule.alert} has no severity of {', '.join(sorted(_SEVERITIES))}"
        for annotation in ("summary", "description"):
            if not rule.annotations.get(annotation):
                yield f"{rule.alert} has no {annotation}"
        if rule.annotations.get("runbook") != f"docs/alerts.md#{rule.alert.lower()}":
            yield f"{rule.alert} does not lead to its entry in docs/alerts.md"
        if rule.alert not in headings:
            yield f"{rule.alert} has no entry in docs/alerts.md"
    for heading in headings:
        if heading not in names:
            yield f"docs/alerts.md explains {heading}, which is no alert"


def untested(alerts: Sequence[Rule], folder: Path) -> Iterator[str]:
    """Alerts that no rule test sees firing at one time, and silent at another of the same story."""
    tested: set[str] = set()
    for file in sorted(folder.glob("*.yml")):
        for story in _read(file)["tests"]:
            tested |= _told_apart(story)
    for rule in alerts:
        if rule.alert not in tested:
            yield f"no rule test has {rule.alert} silent and firing"


def _told_apart(story: Mapping[str, Any]) -> set[str]:
    """Alerts that fire at some times of a story, and not at others, when all are asked for."""
    times: list[set[str]] = [
        {name for sample in test.get("exp_samples", ()) for name in _names(sample)}
        for test in story.get("promql_expr_test", ())
        if test["expr"].endswith('(ALERTS{alertstate="firing"})')
    ]
    if not times:
        return set()
    return set[str]().union(*times) - times[0].intersection(*times)


def _names(sample: Mapping[str, Any]) -> list[str]:
    return _ALERTNAME.findall(sample["labels"])


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
