"""The supervisor of `up --detach`, seen from the outside: started, waited for, stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import psutil

from sheaf_dev import leftovers, logfiles, state
from sheaf_dev.errors import DevError
from sheaf_dev.files import FileLock
from sheaf_dev.layout import Layout

_START_DEADLINE_S = 900.0  # the first start may install packages
_STOP_DEADLINE_S = 150.0
_POLL_S = 0.05


def start(layout: Layout, arguments: Sequence[str], show: Callable[[str], None]) -> state.State:
    """Starts a supervisor in a session of its own and waits until the stack is up.

    What it says meanwhile is passed to `show`.

    Raises:
        DevError: if it ended instead; `show` has been told why.
    """
    if is_held(layout):
        return wait_for_other(layout)
    log = layout.log("supervisor")
    logfiles.begin(log)
    with log.open("wb") as output:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "sheaf_dev", "supervise", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    deadline = time.monotonic() + _START_DEADLINE_S
    try:
        with log.open("r", encoding="utf-8", errors="replace") as said:
            while supervisor.poll() is None:
                now = state.read(layout.state)
                _pass_on(said.read(), show)
                if now and now.phase == "up" and now.supervisor.pid == supervisor.pid:
                    return now
                if time.monotonic() > deadline:
                    supervisor.terminate()
                time.sleep(_POLL_S)
            _pass_on(said.read(), show)
    except BaseException:
        supervisor.terminate()
        raise
    if is_held(layout):  # by another `up`, started at the same moment
        return wait_for_other(layout)
    raise DevError(f"the stack could not be started; all that was said is in {log}")


def wait_for_other(layout: Layout) -> state.State:
    """Waits until the supervisor that holds the stack has it up.

    Raises:
        DevError: if it gave up, or is still not there after long.
    """
    deadline = time.monotonic() + _START_DEADLINE_S
    while time.monotonic() < deadline:
        now = state.read(layout.state)
        if now is not None and now.phase == "up" and now.supervisor.find():
            return now
        if not is_held(layout):
            raise DevError("the other `up` has stopped: start it again")
        time.sleep(_POLL_S)
    raise DevError(f"another `up` is still starting after {_START_DEADLINE_S:.0f} s")


def is_held(layout: Layout) -> bool:
    """Whether a supervisor holds the stack now."""
    if not layout.lock.exists():
        return False
    lock = FileLock(layout.lock)
    if lock.try_acquire():
        lock.release()
        return False
    return True


def stop(layout: Layout, *, purge: bool) -> bool:
    """Stops the stack, whoever runs it, and whatever a killed supervisor left behind.

    With `purge` its data goes too. Returns whether anything was running.

    Raises:
        DevError: if something would not stop.
    """
    lock = FileLock(layout.lock)
    was_running = False
    if layout.state_dir.exists() and not lock.try_acquire():
        was_running = True
        _stop_supervisor(layout, lock)
    try:
        left = asyncio.run(leftovers.stop(layout.state_dir, state.read(layout.state)))
        still = [process.pid for process in left if leftovers.is_alive(process)]
        if still:
            raise DevError(f"these processes would not end: {still}")
        if left:
            layout.env.unlink(missing_ok=True)
            layout.state.unlink(missing_ok=True)
        if purge and lock.held:
            layout.purge()
    finally:
        lock.release()
    return was_running or bool(left)


def _stop_supervisor(layout: Layout, lock: FileLock) -> None:
    """Asks the supervisor to stop the stack; kills it if it does not. Then holds the lock.

    It gives the lock up a moment before it ends; that end is waited for too.
    """
    deadline = time.monotonic() + _STOP_DEADLINE_S
    asked: state.ProcessRef | None = None
    while not lock.try_acquire():
        now = state.read(layout.state)
        supervisor = now.supervisor.find() if now else None
        if now is not None and supervisor is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                if time.monotonic() > deadline:
                    supervisor.kill()
                elif now.supervisor != asked:
                    supervisor.send_signal(signal.SIGTERM)
                    asked = now.supervisor
        elif time.monotonic() > deadline:
            raise DevError(f"{layout.lock} is held by a process that is not on record")
        time.sleep(_POLL_S)
    while asked is not None and (supervisor := asked.find()) is not None:
        if time.monotonic() > deadline:
            supervisor.kill()
        time.sleep(_POLL_S)


def _pass_on(text: str, show: Callable[[str], None]) -> None:
    for line in text.splitlines():
        show(line)
