"""Claims about `bench`: run as a person runs it, at a fraction of its usual length."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(260)  # a stack of its own, and what it is measured with

_FIGURES = ("p50_ms", "p99_ms", "cpu_ms")
_WITHIN_S = 200.0
_STOPS_WITHIN_S = 45.0


def bench(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `./sheaf bench`."""
    command = [sys.executable, "-m", "sheaf_dev", "bench", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            output, errors = running.communicate(timeout=_WITHIN_S)
        except subprocess.TimeoutExpired:
            running.terminate()  # not killed: it stops the servers that it started
            running.communicate(timeout=_STOPS_WITHIN_S)
            raise
    return running.returncode, output, errors


def test_pools_are_compared_with_their_roll_back(tmp_path: Path) -> None:
    """Every pool at every number of callers, as a table and as JSON; making a client costs."""
    report = tmp_path / "pools.json"
    code, output, errors = bench(
        *("pools", "--rounds", "1", "--scale", "0.05", "--callers", "1", "4"),
        *("--json", str(report)),
    )
    assert code == 0, errors
    written: dict[str, Any] = json.loads(report.read_text())

    assert [(result["pool"], result["callers"]) for result in written["results"]] == [
        (pool, callers) for pool in ("s3", "db", "redis") for callers in (1, 4)
    ]
    for result in written["results"]:
        for mode in ("default", "rollback"):
            assert all(result[mode][figure] >= 0 for figure in _FIGURES)
            assert 0 < result[mode]["p50_ms"] <= result[mode]["p99_ms"]
        assert result["cpu_ratio"] > 0
    dearer = {each["pool"] for each in written["results"] if each["cpu_ratio"] > 1.5}
    assert {"s3", "redis"} <= dearer
    assert [each["callers"] for each in written["s3_clients"]] == [1, 4]
    assert all(word in output for word in ("p99 ms", "CPU ratio", "roll-back", "1 wide client"))


def test_a_large_object_is_carried_in_bounded_memory(tmp_path: Path) -> None:
    """100 MiB through gateway and storage and back: each grows by less than 64 MiB."""
    report = tmp_path / "large.json"
    code, output, errors = bench(
        "--scenario", "large-object", "--size-mib", "100", "--json", str(report)
    )
    written: dict[str, Any] = json.loads(report.read_text())

    assert code == 0, output + errors
    assert set(written["growth_mib"]) == {"gateway", "storage"}
    assert all(0 <= growth < 64 for growth in written["growth_mib"].values())
    assert written["ok"]


def test_everything_stays_flat_over_many_documents(tmp_path: Path) -> None:
    """500 of many formats: every process of the stack, in the end as in the beginning."""
    report = tmp_path / "soak.json"
    code, output, errors = bench("--scenario", "soak", "--documents", "500", "--json", str(report))
    assert report.exists(), output + errors
    written: dict[str, Any] = json.loads(report.read_text())

    assert code == 0, output + errors
    assert sum(written["ends"].values()) == 500 + written["inside"]
    assert written["inside"] > 0
    assert set(written["ends"]) == {"completed", "failed"}
    services = {"gateway", "metadata", "orchestrator", "storage"}
    servers = {"mariadb", "seaweedfs", "temporal", "valkey"}
    assert services | servers | {"orchestrator: largest subprocess"} <= set(written["memory"])
    assert set(written["descriptors"]) == set(written["threads"]) == services
    kinds = ("memory", "descriptors", "threads")
    assert all(each["flat"] for kind in kinds for each in written[kind].values())


def test_a_large_table_is_read_no_further_than_a_small_one(tmp_path: Path) -> None:
    """50,000 rows: every hot query along its index; figures are judged as they were measured."""
    report = tmp_path / "rows.json"
    code, output, errors = bench(
        *("--scenario", "rows", "--rows", "50000", "--rate", "8", "--seconds", "2"),
        *("--rounds", "1", "--json", str(report)),
    )
    assert report.exists(), output + errors
    written: dict[str, Any] = json.loads(report.read_text())

    assert written["rows"] == 50_000
    assert {name for name, each in written["queries"].items() if not each["ok"]} == set()
    assert len(written["queries"]) >= 18
    figures = written["figures"]
    assert {f"{name} p50" for name in ("accept", "status", "list", "claim to result")} < set(
        figures
    )
    # Quantiles of so few documents say little; what the database spends on them says more.
    assert figures["CPU of mariadb a document"]["ok"], output
    assert code == (0 if written["ok"] else 1)


def test_what_cannot_be_measured_is_refused() -> None:
    """At once, naming the option, with exit code 2."""
    code, _, errors = bench("pools", "--callers", "0")

    assert code == 2
    assert "callers" in errors
