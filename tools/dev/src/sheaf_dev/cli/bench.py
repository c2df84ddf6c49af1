"""`./sheaf bench`: measurements, on fresh servers of their own."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import uvloop
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_common import logs
from sheaf_dev.bench import machine
from sheaf_dev.bench.pools import (
    CALLERS,
    ONE_WIDE_CLIENT,
    ROLLBACKS,
    Figures,
    Result,
    compare_pools,
)
from sheaf_dev.cli.load import LoadOptions, run_load
from sheaf_dev.cli.scenarios import (
    SHARED,
    Scenario,
    ScenarioOptions,
    refuse_strangers,
    run_scenario,
    tell,
)
from sheaf_dev.connection import ended_by_sigterm
from sheaf_dev.files import write_atomic
from sheaf_dev.outcomes import show_table

_NO_OPTIONS: Final = LoadOptions()
_NO_SCENARIO_OPTIONS: Final = ScenarioOptions()
_COLUMNS: Final = ("pool", "callers", "mode", "p50 ms", "p99 ms", "acquire ms", "CPU ms",
    "client", "server", "CPU ratio",
)  # fmt: skip

bench = App(name="bench", result_action="return_value", version_flags=[])


@bench.default
def measure(
    *,
    scenario: Scenario | None = None,
    files: Annotated[int | None, Parameter(validator=Number(gte=1, lte=10_000))] = None,
    rounds: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100))] = None,
    load: LoadOptions = _NO_OPTIONS,
    options: ScenarioOptions = _NO_SCENARIO_OPTIONS,
    json_: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Offer load to a fresh stack and judge the targets, or run one scenario.

    Exits with 1 if a promise is not kept, a scenario misses its limit, or the load test's
    generator did not keep its schedule. docs/load-test.md says what each figure means.

    Args:
        scenario: large-object: one file through the API and back; the gateway and storage
            must grow by less than 64 MiB. scan-flood: time to result of text while another
            user's scans wait; P99 must stay within 1.5 times what it is without them.
            rows: latency, CPU and what queries read, over few rows and over many, must be the
            same. soak: many documents; every process must stay flat, each by its own limit.
            fairness: another user's single file during one user's flood. cancel: running work
            must end within 2 s of its document's cancellation. step: CPU worker processes must
            follow a step of load up and down, and its backlog must be worked off.
            workers: what 1, 2 and 4 CPU worker processes cost and give; no limit.
        files: Load test: files of each upload (1). fairness: files of the flood (300).
            workers: files of the pile (300).
        rounds: Load test: rounds of --compare (2). scan-flood, rows: rounds of each kind (4).
        load: The load test's own options.
        options: The scenarios' own options.
        json_: Write the figures to this file too.
    """
    shared = {"files": files, "rounds": rounds}
    given = {name: value for name, value in shared.items() if value is not None}
    given |= options.given()
    if scenario is None:
        refuse_strangers("the load test", given, SHARED)
        return run_load(load, files=files, rounds=rounds, json_=json_)
    if strangers := load.given():
        raise CycloptsError(
            f"--scenario {scenario} has no {strangers[0]}: that is of the load test"
        )
    return run_scenario(scenario, given, json_=json_, say=tell)


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
        on_progress=tell,
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
            "machine": machine.facts(),
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
