"""What a supervisor writes down: enough to find its processes again if it is killed."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import psutil

from sheaf_dev.files import write_atomic

Ports = Mapping[str, int]
Phase = Literal["starting", "up", "stopping", "stopped", "failed"]
_CLOCK_TOLERANCE_S = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessRef:
    """A process, by its id and the time it was created: an id alone may be somebody else's."""

    pid: int
    create_time: float

    def find(self) -> psutil.Process | None:
        """The process if it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.create_time) < _CLOCK_TOLERANCE_S
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            pass
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process of the stack. `kind` names its server or service, `name` this instance."""

    name: str
    kind: str
    ref: ProcessRef
    ports: Mapping[str, int]
    command: tuple[str, ...]
    log: str
    ready: bool
    grace_s: float
    """What it may take to end."""


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """The stack as its supervisor last saw it."""

    phase: Phase
    supervisor: ProcessRef
    error: str | None = None
    processes: tuple[ProcessRecord, ...] = ()
    external: Mapping[str, int] = dataclasses.field(default_factory=dict)
    """Port of each service that is run by hand."""
    addresses: Mapping[str, str] = dataclasses.field(default_factory=dict)


def write(path: Path, state: State) -> None:
    """Replaces the state file in one step."""
    write_atomic(path, json.dumps(dataclasses.asdict(state), indent=2) + "\n")


def read(path: Path) -> State | None:
    """The state kept in `path`; none if there is none or it cannot be understood."""
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _parse(kept: Any) -> State:
    return State(
        phase=kept["phase"],
        supervisor=ProcessRef(**kept["supervisor"]),
        error=kept["error"],
        processes=tuple(
            ProcessRecord(
                **{
                    **record,
                    "ref": ProcessRef(**record["ref"]),
                    "command": tuple(record["command"]),
                }
            )
            for record in kept["processes"]
        ),
        external=kept["external"],
        addresses=kept["addresses"],
    )
