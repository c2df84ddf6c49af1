"""The generator's process, as its bench sees it."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from sheaf_dev.bench.load.clients import PRIME_S, RESULT_S, WARM_UP_DRAIN_S
from sheaf_dev.bench.load.job import GO
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.errors import DevError

_START_S: Final = 60.0
_SLACK_S: Final = 30.0
_TELL_EACH: Final = 5
_END_S: Final = 10.0


class Generator:
    """A generator that has been started."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the generator has no pipes")
        self._process = process
        self._commands = process.stdin
        self._events = process.stdout

    async def ready(self, warm_up_s: float) -> str:
        """Waits until it has warmed up; the priority that it runs with.

        Raises:
            DevError: it cannot: the system takes no document, or it ended.
        """
        deadline_s = _START_S + PRIME_S + warm_up_s + WARM_UP_DRAIN_S + _SLACK_S
        event = await self._event(deadline_s, "to warm up")
        if event["event"] == "refused":
            raise DevError(event["reason"])
        return str(event["priority"])

    async def go(self) -> None:
        """Its first request is due now."""
        self._commands.write(GO)
        await self._commands.drain()

    async def done(self, duration_s: float, on_progress: Tell) -> None:
        """Waits until all that it sent has ended.

        Raises:
            DevError: it did not come to an end.
        """
        seconds = 0
        async with self._deadline(duration_s + RESULT_S + _SLACK_S, "to end"):
            while (event := await self._line())["event"] == "progress":
                seconds += 1
                if seconds % _TELL_EACH == 0:
                    offered, ended = event["offered"], event["ended"]
                    on_progress(f"{seconds} s: {offered} documents sent, {ended} ended")

    async def _event(self, within_s: float, what: str) -> dict[str, Any]:
        async with self._deadline(within_s, what):
            return await self._line()

    @contextlib.asynccontextmanager
    async def _deadline(self, within_s: float, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError as error:
            raise DevError(f"the load generator took over {within_s:.0f} s {what}") from error

    async def _line(self) -> dict[str, Any]:
        line = await self._events.readline()
        if not line:
            code = await self._process.wait()
            raise DevError(f"the load generator ended with {code}; what it said stands above")
        event: dict[str, Any] = json.loads(line)
        return event


@contextlib.asynccontextmanager
async def generator(folder: Path) -> AsyncIterator[Generator]:
    """Starts one for the job in `folder`; it is gone after the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sheaf_dev.bench.load.generator", str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is the bench's to handle
    )
    try:
        yield Generator(process)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """It ends by itself when its input does; if not, it is killed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
