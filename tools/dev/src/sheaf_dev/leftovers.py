"""Processes of a stack whose supervisor is gone: found by what it wrote down, and stopped.

A process is found by its recorded id and creation time. The record may be missing what was
started in the supervisor's last moment, and does not know the children of children, so each
process of a stack also carries the stack's folder in its environment, and is found by that.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from sheaf_dev.ports import is_free
from sheaf_dev.state import State

MARKER = "SHEAF_STACK"
_GRACE_S = 5.0
_KILL_TIMEOUT_S = 10.0
_PORT_TIMEOUT_S = 3.0
_POLL_S = 0.02
_BEGINNING_S = 1.0
"""Of that age a process may still show no environment: the kernel fills it in as it begins."""


def find(state_dir: Path, state: State | None) -> list[psutil.Process]:
    """Every live process of the stack in `state_dir`, the caller excluded."""
    found = {process.pid: process for process in _marked(str(state_dir))}
    for record in state.processes if state else ():
        process = record.ref.find()
        if process is not None:
            found[process.pid] = process
    found.pop(os.getpid(), None)
    return list(found.values())


async def stop(state_dir: Path, state: State | None) -> list[psutil.Process]:
    """Asks what `find` finds to end, kills what does not; returns what was found.

    A process has the time that its record says. Returns when recorded ports are free too:
    the kernel closes them a moment after a killed process counts as ended.
    """
    found = find(state_dir, state)
    records = state.processes if state else ()
    graces = {record.ref.pid: record.grace_s for record in records}
    _signal_all(found, signal.SIGTERM)
    await asyncio.gather(*(_end(each, graces.get(each.pid, _GRACE_S)) for each in found))
    ports = [port for record in records for port in record.ports.values()] if found else []
    await _until(lambda: all(map(is_free, ports)), _PORT_TIMEOUT_S)
    return found


def is_alive(process: psutil.Process) -> bool:
    """Whether it still runs: one that has ended and waits for its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def _end(process: psutil.Process, grace_s: float) -> None:
    """Waits for a process that was asked to end, and kills it if it does not."""
    if not await _until(lambda: not is_alive(process), grace_s):
        _signal_all([process], signal.SIGKILL)
        await _until(lambda: not is_alive(process), _KILL_TIMEOUT_S)


async def _until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Waits for `condition`; whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True


def _marked(mark: str) -> list[psutil.Process]:
    marked = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if _environ(process).get(MARKER) == mark:
                marked.append(process)
    return marked


def _environ(process: psutil.Process) -> dict[str, str]:
    """Its environment; blocks for a moment while it only begins."""
    while not (environ := process.environ()) and _only_begins(process):
        time.sleep(0.001)
    return environ


def _only_begins(process: psutil.Process) -> bool:
    """Whether it is a program (not of the kernel, and not ended) that is not a second old."""
    age_s = time.time() - process.create_time()
    return 0 <= age_s < _BEGINNING_S and is_alive(process) and bool(process.exe())


def _signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)  # psutil refuses if the id is another's by now
