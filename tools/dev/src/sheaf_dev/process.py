"""A child process of the stack: in a session of its own, its output in its log file."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import psutil

from sheaf_dev import logfiles

_KILL_TIMEOUT_S = 10.0


class Child:
    """A running process that this one started.

    It leads a process group, so what it leaves behind when it ends can be killed with it.
    """

    def __init__(
        self, name: str, argv: tuple[str, ...], process: asyncio.subprocess.Process, log: Path
    ) -> None:
        self.name = name
        self.argv = argv
        self.log = log
        self.stopping = False
        """Its end is wanted: it is no crash."""
        self.ready = False
        self._process = process
        self.create_time = _create_time(process.pid)

    @classmethod
    async def spawn(
        cls, name: str, argv: tuple[str, ...], env: Mapping[str, str], cwd: Path, log: Path
    ) -> "Child":
        """Starts `argv` with exactly the environment `env` and a new log file."""
        logfiles.begin(log)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=dict(env),
                cwd=cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        return cls(name, argv, process, log)

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code, negative for a signal; none while it runs."""
        return self._process.returncode

    def tail(self) -> tuple[str, ...]:
        """The last lines of its log."""
        return logfiles.tail(self.log)

    def describe_exit(self) -> str:
        """How it ended, for a person."""
        code = self.returncode
        if code is None:
            return "is running"
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"exited with {code}"

    async def wait(self) -> int:
        """Waits for its end and reaps it; returns its exit code."""
        code = await self._process.wait()
        self._kill_group()  # whatever it left behind
        return code

    async def stop(self, grace_s: float) -> None:
        """Asks it to end with SIGTERM; kills its group if it has not after `grace_s`."""
        self.stopping = True
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await self.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """Kills its group with SIGKILL and reaps it."""
        self.stopping = True
        self._kill_group()
        async with asyncio.timeout(_KILL_TIMEOUT_S):
            await self.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _create_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0  # ended already
