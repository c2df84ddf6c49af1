"""`./sheaf bench`: measurements, on fresh servers of their own."""

import json
import os
import platform
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import uvloop
from cyclopts import App, Parameter
from cyclopts.validators import Number

from sheaf_common import logs
from sheaf_dev.bench.cancel import cancel_running_work
from sheaf_dev.bench.fairness import flood_by_one_user
from sheaf_dev.bench.large_object import pass_large_object
from sheaf_dev.bench.pools import (
    CALLERS,
    ONE_WIDE_CLIENT,
    ROLLBACKS,
    Figures,
    Result,
    compare_pools,
)
from sheaf_dev.bench.rows import many_rows
from sheaf_dev.bench.scan_flood import flood_with_scans
from sheaf_dev.bench.scenario import Outcome
from sheaf_dev.bench.soak import soak
from sheaf_dev.connection import ended_by_sigterm
from sheaf_dev.files import write_atomic
from sheaf_dev.outcomes import show_table

Scenario = Literal["cancel", "fairness", "large-object", "rows", "scan-flood", "soak"]

_MISSED: Final = 1
_COLUMNS: Final = ("pool", "callers", "mode", "p50 ms", "p99 ms", "acquire ms", "CPU ms",
    "client", "server", "CPU ratio",
)  # fmt: skip

bench = App(name="bench", result_action="return_value", version_flags=[])


@bench.default
def run_scenario(
    *,
    scenario: Scenario,
    size_mib: Annotated[int, Parameter(validator=Number(gte=1, lte=4096))] = 2048,
    documents: Annotated[int, Parameter(validator=Number(gte=20, lte=1_000_000))] = 10_000,
    rows: Annotated[
        int, Parameter(validator=Number(gte=10, lte=100_000_000, modulo=10))
    ] = 1_000_000,
    files: Annotated[int, Parameter(validator=Number(gte=1, lte=10_000))] = 300,
    rate: Annotated[float, Parameter(validator=Number(gt=0, lte=1000))] = 4.0,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=3600))] = 25.0,
    rounds: Annotated[int, Parameter(validator=Number(gte=1, lte=100))] = 4,
    tries: Annotated[int, Parameter(validator=Number(gte=1, lte=100))] = 5,
    json_: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Run one scenario on a stack of its own; exit with 1 if it misses its limit.

    Args:
        scenario: large-object: one file through the API and back; the gateway and storage
            must grow by less than 64 MiB. scan-flood: time to result of text while another
            user's scans wait; P99 must stay within 1.5 times what it is without them.
            rows: latency, CPU and what queries read, over few rows and over many, must be the
            same. soak: many documents; every process must stay flat, each by its own limit.
            fairness: another user's single file during one user's flood. cancel: running work
            must end within 2 s of its document's cancellation.
        size_mib: large-object: the file's size in MiB.
        documents: soak: how many.
        rows: rows: how many documents there were, a multiple of ten.
        files: fairness: files of the flood.
        rate: scan-flood, rows: text documents a second.
        seconds: scan-flood, rows: length of a round.
        rounds: scan-flood, rows: rounds of each kind.
        tries: cancel: documents of each lane.
        json_: Write the figures to this file too.
    """
    logs.configure("bench", level="warning", log_format="console")
    scenarios: dict[Scenario, Callable[[], Coroutine[Any, Any, Outcome]]] = {
        "cancel": lambda: cancel_running_work(tries, _say),
        "fairness": lambda: flood_by_one_user(files, _say),
        "large-object": lambda: pass_large_object(size_mib, _say),
        "rows": lambda: many_rows(
            rows=rows, rate=rate, seconds=seconds, rounds=rounds, on_progress=_say
        ),
        "scan-flood": lambda: flood_with_scans(
            rate=rate, seconds=seconds, rounds=rounds, on_progress=_say
        ),
        "soak": lambda: soak(documents, _say),
    }
    with ended_by_sigterm():
        outcome = uvloop.run(scenarios[scenario]())
    show_table(outcome.columns, outcome.rows)
    print(outcome.verdict)
    if json_ is not None:
        report = {**outcome.as_json(), "machine": _machine()}
        write_atomic(json_, json.dumps(report, indent=2) + "\n")
    return 0 if outcome.ok else _MISSED


@bench.command
def pools(
    *,
    callers: Annotated[
        tuple[Annotated[int, Parameter(validator=Number(gte=1, lte=1000))], ...],
        Parameter(consume_multiple=True),
    ] = CALLERS,
    rounds: Annotated[int, Parameter(validator=Number(gte=1, lte=100))] = 5,
    scale: Annotated[float, Parameter(validator=Number(gt=0, lte=100))] = 1.0,
    json_: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Measure each pool against its roll-back switch, alternating in one run.

    S3: puts and gets of 64 KiB; database: a row by its key; Redis: a value of 512 bytes.
    CPU is of callers and server together; the ratio is roll-back over default, the median
    over the rounds. Besides, the S3 pool against one client with as many connections.

    Args:
        callers: How many callers at once.
        rounds: Rounds of each way, besides one that does not count.
        scale: Operations of a round, as a multiple of the usual number.
        json_: Write the figures to this file too.
    """
    logs.configure("bench", level="warning", log_format="console")
    comparing = compare_pools(
        [*ROLLBACKS, ONE_WIDE_CLIENT],
        callers=callers,
        rounds=rounds,
        scale=scale,
        on_progress=_say,
    )
    with ended_by_sigterm():
        results = uvloop.run(comparing)
    rollbacks, widths = results[: -len(callers)], results[-len(callers) :]
    _show(rollbacks, "default", "roll-back")
    print()
    _show(widths, "20 clients", "1 wide client")
    if json_ is not None:
        report = {
            "results": [each.as_json("default", "rollback") for each in rollbacks],
            "s3_clients": [each.as_json("pool_of_20", "one_wide_client") for each in widths],
            "machine": _machine(),
        }
        write_atomic(json_, json.dumps(report, indent=2) + "\n")
    return 0


def _show(results: Sequence[Result], first: str, second: str) -> None:
    rows = []
    for result in results:
        rows.append((result.pool, result.callers, first, *_cells(result.first), None))
        rows.append((None, None, second, *_cells(result.second), f"{result.cpu_ratio:.2f}"))
    show_table(_COLUMNS, rows)


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.p50_ms:.2f}",
        f"{figures.p99_ms:.2f}",
        f"{figures.acquire_ms:.3f}",
        f"{figures.cpu_ms:.2f}",
        f"{figures.client_cpu_ms:.2f}",
        f"{figures.server_cpu_ms:.2f}",
    )


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)
