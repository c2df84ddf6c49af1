"""The load test of `./sheaf bench`: its options, and what they may be together."""

import asyncio
import json
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import uvloop
from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_common import logs
from sheaf_dev.bench import machine
from sheaf_dev.bench.load.measured import Circumstances, Run, document
from sheaf_dev.bench.load.measuring import measure_comparison, measure_ramp, measure_rates
from sheaf_dev.bench.load.mixing import parse_mix
from sheaf_dev.bench.load.owners import owners_of
from sheaf_dev.bench.load.page import render
from sheaf_dev.bench.load.plan import DEFAULT_RATES, Arrivals, Duplicates, LoadPlan, Mix
from sheaf_dev.bench.load.ramp import HIGHEST_RPS, LOWEST_RPS, START_RPS
from sheaf_dev.bench.load.running import own_stack, remote
from sheaf_dev.bench.load.showing import show
from sheaf_dev.bench.load.variants import Variant, parse_variants
from sheaf_dev.bench.versions import versions
from sheaf_dev.files import write_atomic

DEFAULT_ROUNDS: Final = 2
_MOST_FILES: Final = 1000
_BROKEN_PROMISE: Final = 1
_TERMINATED: Final = 128 + signal.SIGTERM
_Rate = Annotated[float, Parameter(validator=Number(gt=0, lte=HIGHEST_RPS))]


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What only a load test has."""

    rps: Annotated[
        tuple[_Rate, ...], Parameter(consume_multiple=True, negative=(), show_default=False)
    ] = ()
    """Load test: upload requests a second, one rate after the other (10 25 30 50); with --ramp
    the rate that it begins with (20)."""
    duration: Annotated[float, Parameter(validator=Number(gt=0, lte=86_400))] = 30.0
    """Load test: seconds of each rate."""
    warm_up: Annotated[float, Parameter(validator=Number(gte=0, lte=600))] = 3.0
    """Load test: seconds before each rate that do not count."""
    status_reads: Annotated[int, Parameter(validator=Number(gte=0, lte=100))] = 1
    """Load test: reads of a status for each upload."""
    mix: str | None = None
    """Load test: shares of documents that are no text PDF, as office=0.1,images=0.05,scans=0.02."""
    corpus: Path | None = None
    """Load test: send the files of this folder instead."""
    arrivals: Arrivals = "poisson"
    """Load test: as from many who know nothing of each other, or at even times."""
    duplicates: Duplicates = "process"
    """Load test: whether documents whose content was sent before are processed, or reuse its
    result, which then is what is measured."""
    seed: Annotated[int, Parameter(validator=Number(gte=0, lte=2**32))] = 1
    """Load test: the same seed sends the same documents at the same times."""
    ramp: Annotated[bool, Parameter(negative=(), show_default=False)] = False
    """Load test: find the highest rate held: accept P99 below 3 s, errors below 1 %."""
    compare: str | None = None
    """Load test: variants, comma between, each on fresh stacks in turn: default, baseline,
    temporal, s3, db, redis, upload, or [LABEL:]NAME=VALUE[+NAME=VALUE...]."""
    target: str | None = None
    """Load test: the address of a system that runs, instead of a stack of its own."""
    api_key: str | None = None
    """Load test: the key for --target; else SHEAF_API_KEY."""
    html: Path | None = None
    """Load test: write a report with plots to this file."""

    def given(self) -> Sequence[str]:
        """The options that are not what they are by themselves."""
        return [
            f"--{field.name.replace('_', '-')}"
            for field in fields(self)
            if field.default is not MISSING and getattr(self, field.name) != field.default
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A load test that makes sense."""

    plan: LoadPlan
    rates: Sequence[float]
    rounds: int
    variants: Sequence[Variant] = ()
    target: tuple[str, str] | None = None
    """Address and key."""
    ramp_from_rps: float | None = None


def run_load(
    options: LoadOptions, *, files: int | None, rounds: int | None, json_: Path | None
) -> int:
    """Runs what is asked for, shows and writes it; 1 if a promise is not kept or it is void."""
    asked = _checked(options, files, rounds)
    for path in (json_, options.html):
        if path is not None and not path.absolute().parent.is_dir():
            raise CycloptsError(f"{path.absolute().parent} is no folder to write {path.name} to")
    circumstances = Circumstances(
        command=_command(sys.argv[1:]),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        plan=asked.plan,
        target=options.target,
        machine=machine.facts(),
        versions=versions(),
    )
    logs.configure("bench", level="warning", log_format="console")
    try:
        run = uvloop.run(_cancelled_by_sigterm(asked))
    except asyncio.CancelledError:
        return _TERMINATED
    written = document(run, circumstances)
    if json_ is not None:
        write_atomic(json_, json.dumps(written, indent=2) + "\n")
    if options.html is not None:
        write_atomic(options.html, render(written))
    show(run)
    return 0 if run.verdict.ok else _BROKEN_PROMISE


async def _cancelled_by_sigterm(asked: _Asked) -> Run:
    """SIGTERM cancels the run as Ctrl-C does, so that what it started is stopped in its order."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await _run(asked)
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


async def _run(asked: _Asked) -> Run:
    if asked.variants:
        try:
            owners = await owners_of(asked.variants)
        except ValueError as error:
            raise CycloptsError(f"--compare: {error}") from error
        return await measure_comparison(
            asked.variants, owners, asked.plan, asked.rates, asked.rounds, _say
        )
    opened = partial(remote, *asked.target) if asked.target else own_stack
    if asked.ramp_from_rps is not None:
        return await measure_ramp(opened, asked.plan, asked.ramp_from_rps, _say)
    return await measure_rates(opened, asked.plan, asked.rates, _say)


def _checked(options: LoadOptions, files: int | None, rounds: int | None) -> _Asked:
    """Raises CycloptsError where options make no sense, alone or together."""
    _refuse_together(options, rounds)
    if files is not None and files > _MOST_FILES:
        raise CycloptsError(f"--files: an upload has at most {_MOST_FILES} files, not {files}")
    if options.corpus is not None and not options.corpus.is_dir():
        raise CycloptsError(f"--corpus: {options.corpus} is no folder")
    try:
        mix = Mix() if options.mix is None else parse_mix(options.mix)
    except ValueError as error:
        raise CycloptsError(f"--mix: {error}") from error
    try:
        variants = parse_variants(options.compare) if options.compare is not None else ()
    except ValueError as error:
        raise CycloptsError(f"--compare: {error}") from error
    plan = LoadPlan(
        duration_s=options.duration,
        warm_up_s=options.warm_up,
        files=files or 1,
        status_reads=options.status_reads,
        mix=mix,
        corpus=options.corpus,
        seed=options.seed,
        arrivals=options.arrivals,
        duplicates=options.duplicates,
    )
    return _Asked(
        plan,
        rates=options.rps or DEFAULT_RATES,
        rounds=rounds or DEFAULT_ROUNDS,
        variants=variants,
        target=_target(options),
        ramp_from_rps=_start(options) if options.ramp else None,
    )


def _refuse_together(options: LoadOptions, rounds: int | None) -> None:
    if len(set(options.rps)) < len(options.rps):
        raise CycloptsError("--rps: a rate stands there twice")
    if options.ramp and options.compare is not None:
        raise CycloptsError("--ramp and --compare cannot be had in one run")
    if options.target is not None and options.compare is not None:
        raise CycloptsError("--compare starts stacks of its own: it cannot have a --target")
    if options.corpus is not None and options.mix is not None:
        raise CycloptsError("--corpus replaces the documents that --mix would be of")
    if rounds is not None and options.compare is None:
        raise CycloptsError("--rounds is of --compare and of the scenario scan-flood")
    if options.ramp and len(options.rps) > 1:
        raise CycloptsError("--ramp begins with one rate: give --rps one, or none")


def _start(options: LoadOptions) -> float:
    start = options.rps[0] if options.rps else START_RPS
    if start < LOWEST_RPS:
        raise CycloptsError(f"--ramp begins at {LOWEST_RPS:g} or above, not at {start:g}")
    return start


def _target(options: LoadOptions) -> tuple[str, str] | None:
    if options.target is None:
        if options.api_key is not None:
            raise CycloptsError("--api-key is for a --target; a stack of one's own has its key")
        return None
    if not options.target.startswith(("http://", "https://")):
        raise CycloptsError(f"--target: {options.target} is no http:// or https:// address")
    key = options.api_key or os.environ.get("SHEAF_API_KEY")
    if not key:
        raise CycloptsError("--target needs a key: give --api-key, or set SHEAF_API_KEY")
    return options.target.rstrip("/"), key


def _command(arguments: Sequence[str]) -> str:
    """The command line again, without the key."""
    shown: list[str] = []
    for argument in arguments:
        if shown and shown[-1] == "--api-key":
            shown.append("KEY")
        elif argument.startswith("--api-key="):
            shown.append("--api-key=KEY")
        else:
            shown.append(argument)
    return shlex.join(("./sheaf", *shown))


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr)
