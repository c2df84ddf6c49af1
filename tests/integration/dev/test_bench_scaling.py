"""Claims about scaling, as `bench --scenario step` shows them, at a fraction of its length."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(240)  # it waits for its own backlog, on a machine that does other things
def test_cpu_workers_follow_a_step_of_load(tmp_path: Path) -> None:
    """Up with the backlog and the places with them, down again afterwards; nothing is lost."""
    report = tmp_path / "step.json"
    command = ("--scenario", "step", "--seconds", "5", "--workers", "2", "--json", str(report))
    done = subprocess.run(
        [sys.executable, "-m", "sheaf_dev", "bench", *command],
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    written = json.loads(report.read_text())
    workers = [moment["workers"] for moment in written["timeline"]]
    places = [moment["places"] for moment in written["timeline"]]

    assert done.returncode == 0, done.stdout + done.stderr
    assert (workers[0], max(workers), workers[-1]) == (1, 2, 1)
    assert max(places) == 3
    assert written["oldest_s_max"] > written["age_limit_s"] >= written["timeline"][-1]["oldest_s"]
    assert written["lost"] == 0
