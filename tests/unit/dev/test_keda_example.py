"""The example for Kubernetes: it parses, and what it names is there."""

import re
from pathlib import Path
from typing import Any

import yaml

from sheaf_common.telemetry import catalogue

MANIFEST = Path(__file__).parents[3] / "deploy" / "keda-cpu-worker.yaml"


def test_the_example_scales_its_own_workers_by_a_metric_that_is_served() -> None:
    """The scaled deployment is the one beside it; the query's metric is in the catalogue."""
    documents: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text()))
    deployment, scaled = documents
    (worker,) = deployment["spec"]["template"]["spec"]["containers"]
    (query,) = (
        trigger["metadata"]["query"]
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    )

    assert scaled["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert worker["args"] == ["--role", "cpu"]
    assert re.findall(r"sheaf_\w+", query) == [catalogue.BACKLOG_OLDEST_SECONDS.name]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
