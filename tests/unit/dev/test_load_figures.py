"""What is made of what clients saw and of what was watched."""

import subprocess
import sys

import psutil
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st

from sheaf.orchestrator.v1 import orchestrator_pb2
from sheaf_dev.bench import machine
from sheaf_dev.bench.load.backlog import sample_of
from sheaf_dev.bench.load.histograms import Histogram, samples_of
from sheaf_dev.bench.load.job import Findings
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.report import LoadReport, Quantiles, Sample
from sheaf_dev.bench.load.running import report_of
from sheaf_dev.bench.load.stack_watch import PoolPeaks
from sheaf_dev.bench.load.watching import Observed
from sheaf_dev.bench.processes import Processes
from sheaf_dev.bench.statistics import percentile

SERVED = """\
# HELP sheaf_group_seconds Time to process a group.
# TYPE sheaf_group_seconds histogram
sheaf_group_seconds_bucket{lane="text",le="0.1"} 4.0
sheaf_group_seconds_bucket{lane="text",le="0.5"} 9.0
sheaf_group_seconds_bucket{lane="text",le="+Inf"} 10.0
sheaf_group_seconds_count{lane="text"} 10.0
sheaf_group_seconds_sum{lane="text"} 4.5
sheaf_group_seconds_bucket{lane="ocr",le="+Inf"} 99.0
sheaf_other_total 1.0
"""
BURNS = "import time\nwhile time.process_time() < 0.3: pass"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURNS!r}], check=True)
print("over", flush=True)
sys.stdin.read()
"""


def histogram(bounds: list[float], values: list[float]) -> Histogram:
    """Of observed values."""
    edges = [*bounds, float("inf")]
    return Histogram(edges, [sum(v <= edge for v in values) for edge in edges], sum(values))


def test_a_histogram_is_read_by_its_labels() -> None:
    """Its count and mean; other series and metrics are not its own."""
    found = Histogram.of(
        samples_of(SERVED, ["sheaf_group"]), "sheaf_group_seconds", {"lane": "text"}
    )

    assert (found.count, found.mean, found.bounds[-1]) == (10, 0.45, float("inf"))


def test_what_was_observed_between_two_looks_is_a_difference() -> None:
    """Of a series that appeared meanwhile it is all."""
    before = histogram([1.0, 2.0], [0.5] * 100)
    after = histogram([1.0, 2.0], [0.5] * 100 + [1.5] * 10)

    assert after.since(before).count == 10
    assert after.since(before).quantile(0.5) == pytest.approx(1.5)
    assert after.since(Histogram()) == after
    assert Histogram().since(Histogram()).quantile(0.99) is None


def test_a_process_that_was_restarted_is_no_difference() -> None:
    """It counts fewer than before, which no run explains."""
    with pytest.raises(ValueError, match="restarted"):
        histogram([1.0], [0.5]).since(histogram([1.0], [0.5, 0.5]))


@given(
    st.lists(st.floats(0.001, 9.99), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99])
)
def test_a_quantile_is_within_the_bucket_of_the_exact_one(
    values: list[float], share: float
) -> None:
    """So its error is below the bucket's width."""
    bounds = [0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0]
    exact = percentile(values, share * 100)
    high = next(bound for bound in bounds if bound >= exact)
    low = max((bound for bound in bounds if bound < exact), default=0.0)

    found = histogram(bounds, values).quantile(share)
    assert found is not None
    assert low <= found <= high


def test_beyond_the_last_bound_a_quantile_is_that_bound() -> None:
    """Nothing more is known."""
    assert histogram([1.0, 2.0], [50.0]).quantile(0.99) == 2.0


def test_pending_workflows_are_tasks_and_groups_to_be() -> None:
    """Of text documents; what waits for recognition or sweeps is not."""
    answer = orchestrator_pb2.GetBacklogResponse(
        lanes=[
            orchestrator_pb2.LaneBacklog(
                lane="text",
                queued_documents=32,
                oldest_age=Duration(seconds=1, nanos=500_000_000),
                workflows_in_flight=3,
            ),
            orchestrator_pb2.LaneBacklog(lane="ocr", queued_documents=500),
        ],
        task_queues=[
            orchestrator_pb2.TaskQueueBacklog(task_queue=name, approximate_count=count)
            for name, count in (
                ("sheaf-workflows", 2),
                ("sheaf-cpu", 1),
                ("sheaf-ocr", 70),
                ("sheaf-io", 5),
            )
        ],
    )

    assert sample_of(answer, 2.5, group_max_documents=64) == Sample(2.5, 32, 1.5, 3.5, 3)


def test_a_pools_peak_is_the_largest_share_that_was_seen() -> None:
    """Now, or in the last minute where the pool tells that."""
    peaks = PoolPeaks()
    now = 'sheaf_pool_size{pool="s3"} 20\nsheaf_pool_used{pool="s3"} 5\n'

    assert peaks.see(samples_of(now, ["sheaf_pool"])) is False
    assert peaks.used_max == {"s3": 0.25}
    assert peaks.see(samples_of(now + 'sheaf_pool_used_max{pool="s3"} 18\n', ["sheaf_pool"]))
    assert peaks.used_max == {"s3": 0.9}


def test_a_rate_is_judged_by_what_clients_saw_and_what_was_watched() -> None:
    """CPU is of a completed document; a target without a value is not met."""
    findings = Findings(
        offered=110,
        completed=100,
        requests=400,
        accept_ms=[20.0] * 100,
        result_ms=[300.0] * 99 + [4000.0] * 2,
        status_ms=[5.0],
        lag_ms=[1.0, 25.0],
        errors={"http_429": 10},
        cpu_s=0.2,
    )
    observed = Observed(
        cpu_s={"gateway": 0.5, "orchestrator/sub": 1.0},
        kpis={"pending_workflows": 4.0, "oldest_queued_s": 0.5, "activity_p99_ms": 200.0},
    )
    report = report_of(LoadPlan(), 30.0, findings, observed, "nice -10")

    assert {kpi.target.name: kpi.ok for kpi in report.kpis} == {
        "accept_p99_ms": True,
        "result_p99_ms": False,
        "error_rate": False,
        "pending_workflows": True,
        "oldest_queued_s": True,
        "activity_p99_ms": True,
        "pool_s3_used": None,
        "pool_db_used": None,
        "pool_redis_used": None,
    }
    assert report.cpu_ms_per_document == {"gateway": 5.0, "orchestrator/sub": 10.0}
    assert report.generator_cpu_ms_per_document == 2.0
    assert (report.error_rate, report.schedule_lag_p99_ms) == (0.025, 25.0)
    assert report.void
    assert not report.ok
    machine_facts = LoadReport([report]).as_json(machine.facts())["machine"]
    assert machine_facts["generator_priority"] == "nice -10"
    assert machine_facts["cores"] >= 1


def test_where_nothing_completed_no_cost_is_invented() -> None:
    """Every figure is left out, and no target is met but those that are known."""
    findings = Findings(offered=5, requests=5, lag_ms=[0.1], errors={"connection": 5})
    report = report_of(LoadPlan(), 5.0, findings, Observed(cpu_s={"gateway": 1.0}), "normal")

    assert (report.cpu_ms_per_document, report.accept) == ({}, Quantiles())
    assert report.error_rate == 1.0
    assert not report.ok
    assert report.as_json()["accept_ms"]["p99"] is None


def test_cpu_time_of_a_subprocess_is_counted_when_it_is_over() -> None:
    """It is told apart from the process's own, whose name it stands under."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        processes = Processes({"parent": parent.pid})
        before = processes.cpu_s()
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"over\n"
        after = processes.cpu_s()
        parent.kill()

    assert after["parent/sub"] - before.get("parent/sub", 0.0) >= 0.25
    assert after["parent"] - before["parent"] < 0.25


def test_a_named_process_that_ended_is_an_error() -> None:
    """Its figures would be missing without a word."""
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    ) as process:
        processes = Processes({"it": process.pid})
        assert processes.rss_mib()["it"] > 1
        process.kill()

    with pytest.raises(psutil.NoSuchProcess):
        processes.cpu_s()
