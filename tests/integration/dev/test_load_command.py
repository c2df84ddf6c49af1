"""`./sheaf bench` as a person runs it: a load test of a few seconds on a fresh stack."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROCESSES = {
    *("gateway", "metadata", "orchestrator", "orchestrator/sub", "storage"),
    *("mariadb", "seaweedfs", "temporal", "valkey"),
}


def bench(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "sheaf_dev", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.timeout(180)  # other tests have the cores meanwhile
def test_a_load_test_is_told_to_people_programs_and_by_its_exit_code(tmp_path: Path) -> None:
    """Tables, progress, the JSON of the contract and a page; 1 exactly if a promise is broken."""
    report, page = tmp_path / "load.json", tmp_path / "load.html"
    code, output, progress = bench(
        *("--rps", "4", "--duration", "4", "--warm-up", "1", "--mix", "office=0.3"),
        *("--json", str(report), "--html", str(page)),
    )
    assert report.exists(), output + progress
    written: dict[str, Any] = json.loads(report.read_text())
    (rate,) = written["rates"]

    assert code == (0 if written["verdict"]["ok"] else 1)
    assert written["verdict"]["ok"] == (not rate["void"] and all(k["ok"] for k in rate["kpis"]))
    assert (rate["rps"], rate["errors"]) == (4.0, {})
    assert rate["completed"] == rate["offered"] > 8
    for latency in ("accept_ms", "status_ms", "result_ms"):
        assert 0 < rate[latency]["p50"] <= rate[latency]["p99"] <= rate[latency]["p999"]
    assert set(rate["cpu_ms_per_document"]["by_process"]) == set(rate["rss_mib"]) == PROCESSES
    assert rate["cpu_ms_per_document"]["total"] > 0
    assert all(kpi["value"] is not None and kpi["promised"] for kpi in rate["kpis"])
    assert written["plan"]["mix"]["office"] == 0.3
    assert written["machine"]["cores"] > 0
    assert f"{rate['offered']} documents offered" in output
    assert "accept_p99_ms" in output
    assert "4 requests/s" in progress
    assert str(rate["accept_ms"]["p99"]) in page.read_text()


def test_a_load_test_that_is_terminated_ends_at_once() -> None:
    """With the exit code of the signal and without a traceback, whatever it waits for."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        command = [sys.executable, "-m", "sheaf_dev", "bench", "--target", url, "--api-key", "k"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
            assert running.stderr is not None
            told = iter(running.stderr.readline, "")
            assert any("warming up" in line for line in told)
            silent.settimeout(60)
            with silent.accept()[0]:  # closed before, it would be an answer
                running.terminate()
                rest = running.communicate(timeout=60)[1]

    assert running.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in rest
