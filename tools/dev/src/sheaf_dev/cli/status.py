"""`./sheaf status`: what runs, and whether it serves."""

import asyncio
import dataclasses
import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from sheaf_dev import checkout, health, state
from sheaf_dev.health import ProcessHealth
from sheaf_dev.layout import Layout

_NOT_ALL_WELL = 1
_PIPED_WIDTH = 160


def status(*, json_: Annotated[bool, Parameter(name="--json", negative=())] = False) -> int:
    """Show each process with its pid, port and health, asked now.

    Exits with 0 if the stack is up and all of it serves, else with 1. A service that is run
    by hand does not count.

    Args:
        json_: Print one JSON object.
    """
    layout = Layout(checkout.state_dir())
    kept = state.read(layout.state)
    processes = asyncio.run(health.of_stack(layout, kept)) if kept else []
    supervisor = kept.supervisor.find() if kept else None
    running = supervisor is not None and kept is not None and kept.phase in {"starting", "up"}
    if json_:
        print(json.dumps(_document(kept, processes, running=running), indent=2))
    else:
        _show(kept, processes, running=running)
    well = all(process.health == "serving" or process.external for process in processes)
    return 0 if running and well and kept is not None and kept.phase == "up" else _NOT_ALL_WELL


def _document(
    kept: state.State | None, processes: list[ProcessHealth], *, running: bool
) -> dict[str, Any]:
    supervisor = None
    if kept is not None:
        supervisor = {
            "pid": kept.supervisor.pid,
            "alive": kept.supervisor.find() is not None,
            "phase": kept.phase,
            "error": kept.error,
        }
    return {
        "running": running,
        "supervisor": supervisor,
        "processes": [dataclasses.asdict(process) for process in processes],
        "addresses": dict(kept.addresses) if kept and running else {},
    }


def _show(kept: state.State | None, processes: list[ProcessHealth], *, running: bool) -> None:
    if kept is not None and kept.phase == "failed":
        print(f"the stack was stopped: {kept.error}", file=sys.stderr)
    elif kept is not None and processes and not running:
        print("the supervisor is gone; `./sheaf up` or `down` cleans up", file=sys.stderr)
    elif not running:
        print("the stack is not running", file=sys.stderr)
    if not processes:
        return
    table = Table(box=None, pad_edge=False)
    for column in ("process", "pid", "port", "health", "memory", "up", "log"):
        table.add_column(column, justify="right" if column in {"pid", "port"} else "left")
    for process in processes:
        table.add_row(
            process.name,
            "by hand" if process.external else str(process.pid),
            str(process.port),
            process.health,
            f"{process.rss_mib:.0f} MiB" if process.rss_mib else "",
            f"{process.uptime_s:.0f} s" if process.uptime_s else "",
            process.log or "",
        )
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
    for name in ("api", "docs", "temporal_ui"):
        if kept is not None and running and name in kept.addresses:
            print(f"{name:<12} {kept.addresses[name]}")
