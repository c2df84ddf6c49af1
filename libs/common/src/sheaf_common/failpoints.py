"""Failpoints: named places where a test can make the process die or wait.

Crash safety is only known by crashing. A failpoint costs a check of an empty mapping
unless `SHEAF_FAILPOINTS` armed it when the process started:

    SHEAF_FAILPOINTS="gateway.put_done=kill"             SIGKILL at every passage
    SHEAF_FAILPOINTS="dispatcher.claimed=kill@PATH"      SIGKILL once: PATH is created first
    SHEAF_FAILPOINTS="cpu.result_put=pause@PATH"         create PATH.reached, wait for PATH

Several are separated by commas. A process with an armed failpoint says so at start.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

VARIABLE: Final = "SHEAF_FAILPOINTS"
_POLL_S: Final = 0.01
_PAUSE_LIMIT_S: Final = 60.0


class FailpointAction(Enum):
    """What happens at an armed failpoint."""

    KILL = "kill"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Failpoint:
    """An armed failpoint; `path` is None for a kill at every passage."""

    name: str
    action: FailpointAction
    path: Path | None


_armed: dict[str, Failpoint] = {}


def parse(text: str) -> dict[str, Failpoint]:
    """The failpoints that `text` arms, by name.

    Raises:
        ValueError: an entry is not NAME=ACTION[@PATH], or a pause has no path.
    """
    armed: dict[str, Failpoint] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, action_and_path = entry.partition("=")
        action, _, path = action_and_path.partition("@")
        if not name or action not in {"kill", "pause"} or (action == "pause" and not path):
            raise ValueError(f"{VARIABLE}: {entry!r} is not NAME=kill[@PATH] or NAME=pause@PATH")
        armed[name] = Failpoint(name, FailpointAction(action), Path(path) if path else None)
    return armed


def arm(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Arms what the environment asks for, in place of what was armed; returns the names.

    Raises:
        ValueError: as `parse`.
    """
    armed = parse(environ.get(VARIABLE, ""))
    _armed.clear()
    _armed.update(armed)
    return tuple(armed)


async def failpoint(name: str) -> None:
    """Passes the place called `name`: does nothing unless it is armed.

    Raises:
        TimeoutError: a pause was not ended within 60 s.
    """
    if _armed and (point := _armed.get(name)) is not None:
        await _hit(point)


async def _hit(point: Failpoint) -> None:
    if point.action is FailpointAction.KILL:
        if point.path is not None:
            try:
                point.path.touch(exist_ok=False)
            except FileExistsError:
                return
        os.kill(os.getpid(), signal.SIGKILL)
    elif point.path is not None:
        point.path.with_name(point.path.name + ".reached").touch()
        async with asyncio.timeout(_PAUSE_LIMIT_S):
            while not point.path.exists():  # noqa: ASYNC110 - another process makes the file
                await asyncio.sleep(_POLL_S)
