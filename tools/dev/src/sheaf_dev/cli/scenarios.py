"""The scenarios of `./sheaf bench`: what each may be told, and what it is without being told."""

import json
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import uvloop
from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_common import logs
from sheaf_dev.bench import machine
from sheaf_dev.bench.cancel import cancel_running_work
from sheaf_dev.bench.fairness import flood_by_one_user
from sheaf_dev.bench.large_object import pass_large_object
from sheaf_dev.bench.listeners import a_thousand_listeners
from sheaf_dev.bench.rows import many_rows
from sheaf_dev.bench.scan_flood import flood_with_scans
from sheaf_dev.bench.scenario import Outcome, Tell
from sheaf_dev.bench.soak import soak
from sheaf_dev.bench.step import follow_a_step
from sheaf_dev.bench.workers import cost_of_workers
from sheaf_dev.connection import ended_by_sigterm
from sheaf_dev.files import write_atomic
from sheaf_dev.outcomes import show_table

Scenario = Literal[
    "cancel",
    "fairness",
    "large-object",
    "listeners",
    "rows",
    "scan-flood",
    "soak",
    "step",
    "workers",
]

SHARED: Final = ("files", "rounds")
"""Options of scenarios that the load test has too."""
_MISSED: Final = 1


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class ScenarioOptions:
    """What only scenarios have; None is what the scenario has by itself."""

    size_mib: Annotated[int | None, Parameter(validator=Number(gte=1, lte=4096))] = None
    """large-object: the file's size in MiB (2048)."""
    documents: Annotated[int | None, Parameter(validator=Number(gte=20, lte=1_000_000))] = None
    """soak: how many (10000)."""
    rows: Annotated[int | None, Parameter(validator=Number(gte=10, lte=100_000_000, modulo=10))] = (
        None
    )
    """rows: how many documents there were, a multiple of ten (1000000)."""
    rate: Annotated[float | None, Parameter(validator=Number(gt=0, lte=1000))] = None
    """scan-flood, rows: text documents a second (4)."""
    seconds: Annotated[float | None, Parameter(validator=Number(gt=0, lte=3600))] = None
    """scan-flood, rows: of a round (25). step: of the step (25). workers: of each rate (25)."""
    tries: Annotated[int | None, Parameter(validator=Number(gte=1, lte=100))] = None
    """cancel: documents of each lane (5)."""
    workers: Annotated[int | None, Parameter(validator=Number(gte=2, lte=64))] = None
    """step: the most CPU worker processes (3)."""
    listeners: Annotated[int | None, Parameter(validator=Number(gte=4, lte=2000))] = None
    """listeners: streams that are open at once (1000)."""
    ends: Annotated[int | None, Parameter(validator=Number(gte=1, lte=1000))] = None
    """listeners: documents that end meanwhile (50)."""
    loads: Annotated[
        tuple[Annotated[float, Parameter(validator=Number(gt=0, lte=1000))], ...] | None,
        Parameter(consume_multiple=True, negative=()),
    ] = None
    """workers: documents a second, one rate after the other (5 15 30)."""

    def given(self) -> dict[str, Any]:
        """What was said, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Known:
    """A scenario: its options with what they are by themselves, and how it is run."""

    options: Mapping[str, Any]
    run: Callable[..., Awaitable[Outcome]]


def _known() -> Mapping[Scenario, _Known]:
    return {
        "cancel": _Known({"tries": 5}, cancel_running_work),
        "fairness": _Known({"files": 300}, flood_by_one_user),
        "large-object": _Known({"size_mib": 2048}, pass_large_object),
        "listeners": _Known({"listeners": 1000, "ends": 50}, a_thousand_listeners),
        "rows": _Known({"rows": 1_000_000, "rate": 4.0, "seconds": 25.0, "rounds": 4}, many_rows),
        "scan-flood": _Known({"rate": 4.0, "seconds": 25.0, "rounds": 4}, flood_with_scans),
        "soak": _Known({"documents": 10_000}, soak),
        "step": _Known({"seconds": 25.0, "workers": 3}, follow_a_step),
        "workers": _Known(
            {"files": 300, "loads": (5.0, 15.0, 30.0), "seconds": 25.0},
            lambda files, loads, seconds, on_progress: cost_of_workers(
                pile=files, rates=loads, seconds=seconds, on_progress=on_progress
            ),
        ),
    }


def run_scenario(
    scenario: Scenario, given: Mapping[str, Any], *, json_: Path | None, say: Tell
) -> int:
    """Runs one on a stack of its own, shows and writes what came out; 1 if it misses its limit."""
    known = _known()[scenario]
    refuse_strangers(f"--scenario {scenario}", given, known.options)
    logs.configure("bench", level="warning", log_format="console")
    facts = machine.facts()
    with ended_by_sigterm():
        outcome = uvloop.run(_running(known, given, say))
    show_table(outcome.columns, outcome.rows)
    print(outcome.verdict)
    if json_ is not None:
        report = {**outcome.as_json(), "machine": facts}
        write_atomic(json_, json.dumps(report, indent=2) + "\n")
    return 0 if outcome.ok else _MISSED


def refuse_strangers(
    what: str, given: Mapping[str, Any], options: Mapping[str, Any] | Sequence[str]
) -> None:
    """Raises CycloptsError for an option that what is run does not have."""
    for name in given:
        if name not in options:
            owners = ["the load test"] if name in SHARED else []
            owners += [each for each, known in _known().items() if name in known.options]
            those = " and ".join(owners)
            option = f"--{name.replace('_', '-')}"
            raise CycloptsError(f"{what} has no {option}: that is of {those}")


async def _running(known: _Known, given: Mapping[str, Any], say: Tell) -> Outcome:
    return await known.run(**{**known.options, **given}, on_progress=say)


def tell(text: str) -> None:
    """Says what is about to happen, on standard error."""
    print(f"bench: {text}", file=sys.stderr)
