"""A TCP proxy that a test can cut, stall, slow down, limit, or let refuse: a network's bad days."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_BUSY_BODY: Final = b"<Error><Code>SlowDown</Code><Message>Please slow down.</Message></Error>"
_BUSY: Final = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Type: application/xml\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_BUSY_BODY), _BUSY_BODY)
)


class TcpProxy:
    """Passes bytes between its own port and an upstream."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = host, port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._taking = asyncio.Event()
        self._taking.set()
        self._held_back = 0
        self.port = 0
        self.accepted = 0
        """Connections taken so far."""
        self.delay_s = 0.0
        """How long each piece of an answer is held back."""
        self.cut_after_bytes: list[int] = []
        """Each is for one connection, the next that answers so much: it is then cut."""
        self.resets_after_bytes: int | None = None
        """Every connection is cut that sends or answers so much in all."""
        self.is_busy = False
        """Whether new connections are answered 503, and reach nothing."""

    @property
    def connections(self) -> int:
        """Connections that callers hold open now."""
        return len(self._writers)

    async def listen(self) -> None:
        """Takes connections, on the same port as before if there was one."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def go_down(self) -> None:
        """Cuts what is open and refuses what comes."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def cut(self) -> None:
        """Cuts what is open; new connections are taken."""
        for writer in list(self._writers):
            writer.transport.abort()

    @property
    def stalled(self) -> bool:
        """Whether an answer is being held back."""
        return self._held_back > 0

    def stall(self) -> None:
        """Answers nothing more, on any connection."""
        self._flowing.clear()

    def hang(self) -> None:
        """As `stall`, and passes nothing on either."""
        self._flowing.clear()
        self._taking.clear()

    def flow(self) -> None:
        """Ends a stall; what was cut meanwhile is dropped."""
        self._flowing.set()
        self._taking.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.accepted += 1
        upstream: asyncio.StreamWriter | None = None
        try:
            if self.is_busy:
                return await _refuse(reader, writer)
            answers, upstream = await asyncio.open_connection(*self._upstream)
            back = asyncio.create_task(self._pass_back(answers, writer))
            await self._pass(reader, writer, upstream)
            back.cancel()
            await asyncio.wait([back])
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            for end in filter(None, (writer, upstream)):
                end.close()

    async def _pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answered = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self._held_back += 1
                await self._flowing.wait()
                await asyncio.sleep(self.delay_s)
                self._held_back -= 1
                answered += len(data)
                writer.write(data)
                await writer.drain()
                if self.cut_after_bytes and answered >= self.cut_after_bytes[0]:
                    self.cut_after_bytes.pop(0)
                    writer.transport.abort()
                    return
                if self._is_reset_after(answered):
                    writer.transport.abort()
                    return
            writer.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        caller: asyncio.StreamWriter,
        upstream: asyncio.StreamWriter,
    ) -> None:
        sent = 0
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._taking.wait()
                sent += len(data)
                if caller.transport.is_closing():
                    return
                if self._is_reset_after(sent):
                    caller.transport.abort()
                    return
                upstream.write(data)
                await upstream.drain()

    def _is_reset_after(self, size_bytes: int) -> bool:
        return self.resets_after_bytes is not None and size_bytes >= self.resets_after_bytes


async def _refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_BUSY)
        writer.write_eof()
        while await reader.read(65536):
            pass


@asynccontextmanager
async def tcp_proxy(host: str, port: int) -> AsyncIterator[TcpProxy]:
    """A proxy to host and port for the block."""
    proxy = TcpProxy(host, port)
    await proxy.listen()
    try:
        yield proxy
    finally:
        proxy.flow()
        await proxy.go_down()
