"""`./sheaf bench`: measurements, on fresh servers of their own."""

import json
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import uvloop
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_common import logs
from sheaf_dev.bench import machine
from sheaf_dev.bench.cancel import cancel_running_work
from sheaf_dev.bench.documents import pass_documents
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
from sheaf_dev.bench.scan_flood import flood_with_scans
from sheaf_dev.bench.scenario import Outcome
from sheaf_dev.cli.load import LoadOptions, run_load
from sheaf_dev.connection import ended_by_sigterm
from sheaf_dev.files import write_atomic
from sheaf_dev.outcomes import show_table

Scenario = Literal["cancel", "documents", "fairness", "large-object", "scan-flood"]

_MISSED: Final = 1
_NO_OPTIONS: Final = LoadOptions()
_OPTIONS_OF: Final = {
    "size_mib": ("large-object",),
    "documents": ("documents",),
    "files": ("load", "fairness"),
    "rate": ("scan-flood",),
    "seconds": ("scan-flood",),
    "rounds": ("load", "scan-flood"),
    "tries": ("cancel",),
}
"""Whose each option is, but those that only the load test has."""
_COLUMNS: Final = ("pool", "callers", "mode", "p50 ms", "p99 ms", "acquire ms", "CPU ms",
    "client", "server", "CPU ratio",
)  # fmt: skip

bench = App(name="bench", result_action="return_value", version_flags=[])


@bench.default
def measure(
    *,
    scenario: Scenario | None = None,
    size_mib: Annotated[int | None, Parameter(validator=Number(gte=1, lte=4096))] = None,
    documents: Annotated[int | None, Parameter(validator=Number(gte=20, lte=1_000_000))] = None,
    files: Annotated[int | None, Parameter(validator=Number(gte=1, lte=10_000))] = None,
    rate: Annotated[float | None, Parameter(validator=Number(gt=0, lte=1000))] = None,
    seconds: Annotated[float | None, Parameter(validator=Number(gt=0, lte=3600))] = None,
    rounds: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100))] = None,
    tries: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100))] = None,
    load: LoadOptions = _NO_OPTIONS,
    json_: Annotated[Path | None, Parameter(name="--json")] = None,
) -> int:
    """Offer load to a fresh stack and judge the targets, or run one scenario.

    Exits with 1 if a promise is not kept, a scenario misses its limit, or the load test's
    generator did not keep its schedule. docs/load-test.md says what each figure means.

    Args:
        scenario: large-object: one file through the API and back; the gateway and storage
            must grow by less than 64 MiB. scan-flood: time to result of text while another
            user's scans wait; P99 must stay within 1.5 times what it is without them.
            documents: many documents; the memory of services and subprocesses must stay flat.
            fairness: another user's single file during one user's flood. cancel: running work
            must end within 2 s of its document's cancellation.
        size_mib: large-object: the file's size in MiB (2048).
        documents: documents: how many (5000).
        files: Load test: files of each upload (1). fairness: files of the flood (300).
        rate: scan-flood: text documents a second (4).
        seconds: scan-flood: length of a round (25).
        rounds: Load test: rounds of --compare (2). scan-flood: rounds of each kind (4).
        tries: cancel: documents of each lane (5).
        load: The load test's own options.
        json_: Write the figures to this file too.
    """
    given = {
        "size_mib": size_mib,
        "documents": documents,
        "files": files,
        "rate": rate,
        "seconds": seconds,
        "rounds": rounds,
        "tries": tries,
    }
    _refuse_strangers(scenario, [name for name, value in given.items() if value is not None], load)
    if scenario is None:
        return run_load(load, files=files, rounds=rounds, json_=json_)
    logs.configure("bench", level="warning", log_format="console")
    scenarios: dict[Scenario, Callable[[], Coroutine[Any, Any, Outcome]]] = {
        "cancel": lambda: cancel_running_work(tries or 5, _say),
        "documents": lambda: pass_documents(documents or 5000, _say),
        "fairness": lambda: flood_by_one_user(files or 300, _say),
        "large-object": lambda: pass_large_object(size_mib or 2048, _say),
        "scan-flood": lambda: flood_with_scans(
            rate=rate or 4.0, seconds=seconds or 25.0, rounds=rounds or 4, on_progress=_say
        ),
    }
    facts = machine.facts()
    with ended_by_sigterm():
        outcome = uvloop.run(scenarios[scenario]())
    show_table(outcome.columns, outcome.rows)
    print(outcome.verdict)
    if json_ is not None:
        report = {**outcome.as_json(), "machine": facts}
        write_atomic(json_, json.dumps(report, indent=2) + "\n")
    return 0 if outcome.ok else _MISSED


def _refuse_strangers(scenario: Scenario | None, given: Sequence[str], load: LoadOptions) -> None:
    """Raises CycloptsError for an option that what is run does not have."""
    what = f"--scenario {scenario}" if scenario else "the load test"
    for name in given:
        if (scenario or "load") not in _OPTIONS_OF[name]:
            option = f"--{name.replace('_', '-')}"
            raise CycloptsError(f"{what} has no {option}: that is of {_named(_OPTIONS_OF[name])}")
    if scenario and (strangers := load.given()):
        raise CycloptsError(f"{what} has no {strangers[0]}: that is of the load test")


def _named(those: Sequence[str]) -> str:
    return " and ".join("the load test" if each == "load" else each for each in those)


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
    facts = machine.facts()
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
            "machine": facts,
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


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)
