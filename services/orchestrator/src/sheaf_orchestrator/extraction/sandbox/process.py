"""One subprocess, from its start to its burial."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec
import psutil

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.sandbox import launch
from sheaf_orchestrator.extraction.sandbox.channel import Channel, ChannelClosed, Content
from sheaf_orchestrator.extraction.sandbox.death import Exit, describe
from sheaf_orchestrator.extraction.sandbox.protocol import (
    Answer,
    AnyRequest,
    Hello,
    Reply,
    decode_reply,
    frame,
)
from sheaf_orchestrator.extraction.sandbox.tail import Tail
from sheaf_orchestrator.extraction.sandbox.watch import ExitWatch

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class StartFailed(Exception):
    """The subprocess did not come to hello; the text is the evidence."""


class WorkerProcess:
    """A subprocess in its own process group, with its own folder, for one document at a time.

    ``start`` and ``bury`` enclose its life; whoever starts it must bury it.
    """

    def __init__(
        self, popen: "subprocess.Popen[bytes]", channel: Channel, tail: Tail, folder: Path
    ) -> None:
        self.pid = popen.pid
        self.documents = 0
        self.killed_for: Reason | None = None
        """The limit for which the parent killed it, if it did."""
        self._hello: Hello | None = None
        self._popen, self._channel, self._tail = popen, channel, tail
        self._folder = folder
        self._burial: asyncio.Task[Exit] | None = None
        self._seen_bytes = self._seen_address_space_bytes = 0
        self._watch = ExitWatch(popen.pid, channel.close)

    @classmethod
    async def start(cls, registry: str, limits: Limits, folder: Path) -> Self:
        """Start one and wait for its hello; takes the folder over.

        Blocks the loop for the fork and exec, 1-2 ms. Raises StartFailed.
        """
        process = cls._spawn(registry, limits, folder)
        try:
            async with asyncio.timeout(limits.start_s):
                await process.greeting()
        except (ChannelClosed, TimeoutError) as error:
            exit_ = await _to_the_end(process.bury())
            raise StartFailed(f"{str(error) or 'no hello in time'}; {describe(exit_)}") from error
        except BaseException:
            await _to_the_end(process.bury())
            raise
        return process

    @classmethod
    def _spawn(cls, registry: str, limits: Limits, folder: Path) -> Self:
        pipes: list[int] = []
        try:
            for _ in range(3):
                pipes += os.pipe()
            theirs_in, ours_out, ours_in, theirs_out, tail_in, theirs_err = pipes
            popen = subprocess.Popen(  # noqa: S603 # our own interpreter and module
                launch.command(registry, limits),
                stdin=theirs_in,
                stdout=theirs_out,
                stderr=theirs_err,
                cwd=folder,
                env=launch.environment(folder),
                start_new_session=True,
            )
        except OSError as error:
            for fd in pipes:
                os.close(fd)
            shutil.rmtree(folder, ignore_errors=True)
            raise StartFailed(str(error)) from error
        for fd in (theirs_in, theirs_out, theirs_err):
            os.close(fd)
        tail = Tail(tail_in, limits.stderr_tail_bytes)
        return cls(popen, Channel(ours_in, ours_out), tail, folder)

    async def greeting(self) -> None:
        """Takes the first frame of its life as `hello`. Raises ChannelClosed."""
        reply, _ = await self._receive(0)
        if not isinstance(reply, Hello):
            raise ChannelClosed("no hello")
        self._hello = reply

    async def exchange(
        self, request: AnyRequest, content: Content, max_reply_bytes: int
    ) -> tuple[Answer, bytes]:
        """Have a request answered. Raises ChannelClosed when the subprocess is gone."""
        await self._channel.send(frame(request, len(content)), content)
        # It holds the whole document now, which is the least that it uses.
        self._seen_bytes = max(self._seen_bytes, self.hello.rss_bytes + len(content))
        reply, body = await self._receive(max_reply_bytes)
        if isinstance(reply, Hello):
            raise ChannelClosed("a second hello")
        self.documents += 1
        return reply, body

    async def _receive(self, max_body_bytes: int) -> tuple[Reply, bytes]:
        header, body = await self._channel.receive(max_body_bytes)
        try:
            return decode_reply(header), body
        except msgspec.MsgspecError as error:
            raise ChannelClosed(f"reply not understood: {error}") from error

    @property
    def hello(self) -> Hello:
        """What it said of itself at its start."""
        if self._hello is None:
            raise RuntimeError("the subprocess has not said hello")
        return self._hello

    @property
    def ended(self) -> bool:
        """Whether it is known to have ended, by whatever cause."""
        return self._watch.ended

    @property
    def rss_bytes(self) -> int:
        """Its resident memory now; 0 when it is gone."""
        address_space, rss = _memory_bytes(self.pid)
        self._seen_bytes = max(self._seen_bytes, rss)
        self._seen_address_space_bytes = max(self._seen_address_space_bytes, address_space)
        return rss

    def on_exit(self, callback: Callable[[], None]) -> None:
        """Call back, once, when it has ended by whatever cause."""
        self._watch.add_callback(callback)

    def kill(self, reason: Reason | None = None) -> None:
        """SIGKILL to its whole process group; returns at once. ``bury`` must follow."""
        if self.killed_for is None:
            self.killed_for = reason
        if self._popen.returncode is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                self._popen.kill()

    def hold(self) -> None:
        """Stop its whole process group where it is (SIGSTOP), until `resume`."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let its process group go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._popen.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def bury(self) -> "asyncio.Task[Exit]":
        """Kill it, collect its status, and free all that it held; the same task each time."""
        if self._burial is None:
            self.kill()
            self._burial = asyncio.create_task(self._bury())
        return self._burial

    async def _bury(self) -> Exit:
        await self._watch.wait()
        self.kill()  # what it started meanwhile: the group's id is ours until the next line
        _, status, usage = os.wait4(self.pid, 0)  # noqa: ASYNC222 # it has ended: no wait
        self._popen.returncode = os.waitstatus_to_exitcode(status)
        self._watch.close()
        self._channel.close()
        exit_ = Exit(
            self._popen.returncode,
            self._peak_bytes(usage.ru_maxrss * 1024),
            self._tail.close(),
            self._seen_address_space_bytes,
        )
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)
        return exit_

    def _peak_bytes(self, counted_bytes: int) -> int:
        """Its peak memory.

        The kernel counts the parent's at the fork in: only more than that is its own. Below it,
        the most that was seen counts.
        """
        if self._hello is None:
            return 0
        own = counted_bytes > self._hello.counted_peak_bytes
        return counted_bytes if own else max(self._hello.rss_bytes, self._seen_bytes)


def _memory_bytes(pid: int) -> tuple[int, int]:
    """Address space and resident memory; 0 when the process is gone. 10 µs where there is /proc."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as statm:  # noqa: PTH123 # twice as fast
            size, resident = statm.read().split()[:2]
            return int(size) * _PAGE_BYTES, int(resident) * _PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        if sys.platform == "linux":
            return 0, 0
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0, 0
    return int(memory.vms), int(memory.rss)


async def _to_the_end(burial: "asyncio.Task[Exit]") -> Exit:
    """Wait for it even when cancelled: a killed process takes milliseconds to go."""
    while not burial.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([burial])
    return burial.result()
