"""`python -m sheaf_dev.checks.monitoring`: rules and dashboards parse, mean something, and work.

promtool checks the configuration and the rules, and runs the tests of the rules; all expressions
of the dashboards go through it too, as rules of a file that is made for it. What it cannot know is
checked here: that somebody serves what they name, that each alert is explained, and tested.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sheaf_dev import checkout
from sheaf_dev.errors import DevError
from sheaf_dev.monitoring import promtool
from sheaf_dev.monitoring.alerts import rules, unexplained, untested
from sheaf_dev.monitoring.expressions import problems
from sheaf_dev.monitoring.generated import DASHBOARDS

_INTERVAL: Final = "$__rate_interval"


def found(root: Path) -> Iterator[str]:
    """What is wrong, a line or more for each.

    Raises:
        DevError: there is no promtool, and none can be fetched.
        subprocess.TimeoutExpired: promtool took over two minutes.
    """
    folder = root / "deploy" / "prometheus"
    every = rules(folder / "rules")
    alerts = [rule for rule in every if rule.alert]
    yield from unexplained(alerts, (root / "docs" / "alerts.md").read_text(encoding="utf-8"))
    yield from untested(alerts, folder / "tests")
    shown = [expression for make in DASHBOARDS.values() for expression in make().expressions]
    for expression in (*(rule.expression for rule in every), *shown):
        yield from (f"{problem}: {expression}" for problem in problems(expression))
    yield from _said("check", "config", "prometheus.yml", cwd=folder)
    tests = sorted(str(file.relative_to(folder)) for file in folder.glob("tests/*.yml"))
    yield from _said("test", "rules", *tests, cwd=folder)
    with tempfile.TemporaryDirectory(prefix="sheaf-dashboards-") as name:
        file = Path(name) / "dashboards.yml"
        file.write_text(_as_rules(shown), encoding="utf-8")
        yield from _said("check", "rules", str(file), cwd=folder)


def _said(*arguments: str, cwd: Path) -> Iterator[str]:
    passed, output = promtool.run(*arguments, cwd=cwd)
    if not passed:
        yield f"promtool {' '.join(arguments)}:\n{output}"


def _as_rules(expressions: list[str]) -> str:
    """A file of recording rules, as JSON, which YAML includes; promtool names what it rejects."""
    recorded = [
        {"record": f"dashboard:{number}", "expr": expression.replace(_INTERVAL, "5m")}
        for number, expression in enumerate(expressions)
    ]
    return json.dumps({"groups": [{"name": "dashboards", "rules": recorded}]})


def main() -> int:
    """Prints each finding; 0 if there is none."""
    try:
        findings = list(found(checkout.root()))
    except (DevError, subprocess.TimeoutExpired) as error:
        findings = [str(error)]
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
