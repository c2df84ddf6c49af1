"""Frames over a pair of pipes, for an event loop: nothing blocks, nothing is copied twice."""

import asyncio
import fcntl
import os
from collections.abc import Callable

from sheaf_orchestrator.extraction.sandbox.protocol import MAX_HEADER_BYTES, PREFIX

Content = bytes | bytearray | memoryview

_PIPE_BYTES = 1024 * 1024
_CHUNK_BYTES = 1024 * 1024


class ChannelClosed(Exception):
    """The other side is gone, or does not speak the protocol."""


class Channel:
    """Writes requests to and reads replies from one subprocess; owns both descriptors."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._wakeup: asyncio.Future[None] | None = None
        self._closed = False
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        widen(read_fd)
        widen(write_fd)

    async def send(self, head: bytes, body: Content) -> None:
        """Write a frame; ``body`` must not change meanwhile. Raises ChannelClosed."""
        left, rest = memoryview(head), memoryview(body).cast("B")
        while left or rest:
            self._check()
            try:
                if left:
                    count = os.writev(self._write_fd, [left, rest[:_CHUNK_BYTES]])
                else:
                    count = os.write(self._write_fd, rest[:_CHUNK_BYTES])
            except BlockingIOError:
                await self._writable()
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            else:
                of_head = min(count, len(left))
                left, rest = left[of_head:], rest[count - of_head :]

    async def receive(self, max_body_bytes: int) -> tuple[bytes, bytes]:
        """Header and body of the next frame. Raises ChannelClosed."""
        start = await self._read_exactly(PREFIX.size)
        header_bytes, body_bytes = PREFIX.unpack(start)
        if header_bytes > MAX_HEADER_BYTES or body_bytes > max_body_bytes:
            raise ChannelClosed(f"frame of {header_bytes} + {body_bytes} bytes refused")
        return await self._read_exactly(header_bytes), await self._read_exactly(body_bytes)

    def close(self) -> None:
        """Close both ends and wake who waits with ChannelClosed; harmless when done twice."""
        if self._closed:
            return
        self._closed = True
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._read_fd)
        loop.remove_writer(self._write_fd)
        os.close(self._read_fd)
        os.close(self._write_fd)

    def _check(self) -> None:
        if self._closed:
            raise ChannelClosed("closed")

    async def _read_exactly(self, size: int) -> bytes:
        if not size:
            return b""
        buffer = bytearray(size)
        left = memoryview(buffer)
        while left:
            self._check()
            try:
                count = os.readv(self._read_fd, [left])
            except BlockingIOError:
                await self._readable()
                continue
            except OSError as error:
                raise ChannelClosed(str(error)) from error
            if not count:
                raise ChannelClosed("end of file")
            left = left[count:]
        return bytes(buffer)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        await self._wait(loop.add_reader, loop.remove_reader, self._read_fd)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        await self._wait(loop.add_writer, loop.remove_writer, self._write_fd)

    async def _wait(
        self, add: Callable[..., object], remove: Callable[[int], object], fd: int
    ) -> None:
        self._wakeup = wakeup = asyncio.get_running_loop().create_future()
        add(fd, _wake, wakeup)
        try:
            await wakeup
        finally:
            if not self._closed:
                remove(fd)


def _wake(wakeup: asyncio.Future[None]) -> None:
    if not wakeup.done():
        wakeup.set_result(None)


def widen(fd: int) -> None:
    """Give a pipe 1 MiB where the system allows it: fewer wake-ups for a large document."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            return  # over the user's quota of pipe memory; the default size works too
