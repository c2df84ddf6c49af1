"""`./sheaf kpis`: the targets of a running stack, live."""

import asyncio
import json
import sys
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from sheaf_client import AsyncClient, AuthenticationError, Kpi, Kpis, SheafClientError
from sheaf_dev.connection import Connection, running
from sheaf_dev.errors import DevError
from sheaf_dev.outcomes import show_table

_MISSED: Final = 1
_REFRESH_S: Final = 2.0
_CLEAR: Final = "\x1b[H\x1b[2J"
_COLUMNS: Final = ("target", "value", "must be below", "verdict")
_VERDICTS: Final = {True: "met", False: "missed", None: "no data"}


def kpis(
    *,
    window: Annotated[int, Parameter(validator=Number(gte=10, lte=300))] = 60,
    watch: Annotated[bool, Parameter(negative=())] = False,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Show the targets of the running stack with live values and verdicts.

    Exits with 0 if every one that has a value is met, 1 if one is missed or a part of the stack
    did not answer.

    Args:
        window: How many seconds to look back, from 10 to 300.
        watch: Show them anew every 2 s, until interrupted.
        json_: Print one JSON object; with --watch, one a line.
    """
    return asyncio.run(_tell(running(), window, watch=watch, as_json=json_))


async def _tell(connection: Connection, window_s: int, *, watch: bool, as_json: bool) -> int:
    async with AsyncClient(connection.url, connection.api_key) as sheaf:
        while True:
            report = await _ask(sheaf, window_s)
            if as_json:
                print(json.dumps(msgspec.to_builtins(report)), flush=True)
            else:
                _show(report, clear=watch and sys.stdout.isatty())
            if not watch:
                return 0 if report.ok else _MISSED
            await asyncio.sleep(_REFRESH_S)


async def _ask(sheaf: AsyncClient, window_s: int) -> Kpis:
    try:
        return await sheaf.kpis(window_s=window_s)
    except AuthenticationError as error:
        raise DevError(f"the API key must have the scope `ops`: {error}") from error
    except SheafClientError as error:
        raise DevError(f"the gateway does not tell the targets: {error}") from error


def _show(report: Kpis, *, clear: bool) -> None:
    if clear:
        print(_CLEAR, end="")
    show_table(
        _COLUMNS,
        (
            (kpi.text, _amount(kpi.value, kpi), _amount(kpi.threshold, kpi), _VERDICTS[kpi.ok])
            for kpi in report.kpis
        ),
    )
    for part in report.unavailable:
        print(f"{part.part} did not answer: {part.reason} ({part.detail})")
    at = report.at.astimezone().strftime("%H:%M:%S")
    print(f"over the last {report.window_s} s, at {at}", flush=True)


def _amount(value: float | None, kpi: Kpi) -> str | None:
    """With its unit, as a person reads it."""
    if value is None:
        return None
    if kpi.unit == "ratio":
        return f"{value * 100:.1f} %"
    if kpi.unit == "ms":
        return f"{value:.0f} ms"
    return f"{value:.1f} {kpi.unit}"
