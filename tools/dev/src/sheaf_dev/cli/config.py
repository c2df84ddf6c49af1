"""`./sheaf config`: the configuration in force, service by service."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import psutil
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from sheaf_dev import checkout, envfile, state
from sheaf_dev.embedded import SERVERS
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Options, Plan
from sheaf_dev.services import SERVICES
from sheaf_dev.settings_in_force import settings_of

_PIPED_WIDTH = 160


def config(
    service: Literal["storage", "metadata", "orchestrator", "gateway"] | None = None,
    /,
    *,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Show every variable of a service, or of all, with its value; secrets are masked.

    A service that runs says what it was started with; of any other it is what it would have
    if it were started now. Exits with 1 if a configuration cannot be used.

    Args:
        service: Only this one.
        json_: Print one JSON object by service.
    """
    names: list[str] = [service] if service else list(SERVICES)
    layout = Layout(checkout.state_dir())
    later = {**os.environ, **_stack_env(layout)}
    environments = {name: _environment_of(name, layout) or later for name in names}
    answers = asyncio.run(_ask_all(environments))
    if json_:
        print(json.dumps(answers, indent=2))
    else:
        for name, answer in answers.items():
            _show(name, answer)
    return 1 if any("problems" in answer for answer in answers.values()) else 0


def _environment_of(name: str, layout: Layout) -> dict[str, str] | None:
    """What a service's process was started with; None if it does not run."""
    kept = state.read(layout.state)
    records = kept.processes if kept else ()
    process = next((each.ref.find() for each in records if each.name == name), None)
    if process is None:
        return None
    try:
        return process.environ()
    except psutil.Error:  # it has just ended, or it is somebody else's
        return None


def _stack_env(layout: Layout) -> dict[str, str]:
    """The variables of the stack as it runs, else as it would be started now."""
    running = envfile.read(layout.env)
    if running:
        return running
    options = Options(
        services=tuple(SERVICES),
        servers=tuple(SERVERS),
        external=(),
        env_overrides={},
        environ=dict(os.environ),
    )
    plan = Plan(layout, options)
    try:
        return plan.env
    finally:
        plan.close()


async def _ask_all(environments: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    answers = await asyncio.gather(*(settings_of(name, env) for name, env in environments.items()))
    return dict(zip(environments, answers, strict=True))


def _show(name: str, answer: dict[str, Any]) -> None:
    for variable, problem in answer.get("problems", {}).items():
        print(f"{name}: {variable} {problem}", file=sys.stderr)
    table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("variable", "value", "", "meaning"):
        table.add_column(column)
    for setting in answer.get("settings", ()):
        origin = "" if setting["origin"] == "default" else setting["origin"]
        value = "" if setting["value"] is None else str(setting["value"])
        table.add_row(setting["name"], value, origin, setting["description"])
    if table.row_count:
        Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)
        print()
