"""A client that follows events for next to no CPU: a thousand share this process with the load."""

import asyncio
import time
from datetime import datetime
from typing import Final

import msgspec

_CONNECT_S: Final = 60.0


class _Data(msgspec.Struct):
    """What an event says, as far as it is looked at."""

    position: int
    created_at: datetime


class EventListener(asyncio.Protocol):
    """One stream. What comes is noted with its time, and read when the stream is over."""

    def __init__(self, path: str, key: str) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        )
        self._pieces: list[tuple[float, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self.began = asyncio.Event()
        self.told = 0
        """How many events have come so far."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Asks."""
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Notes."""
        self._pieces.append((time.time(), data))
        self.told += data.count(b"\ndata: ")
        if b"\r\nretry: " in data:
            self.began.set()

    def close(self) -> None:
        """Leaves."""
        if self._transport is not None:
            self._transport.close()

    def positions(self) -> list[int]:
        """Which events came, in order."""
        return [event.position for _, event in self._events()]

    def latencies_s(self, since: float) -> list[float]:
        """How long each event from then on took from its recording until it was here.

        Raises:
            msgspec.DecodeError: an event was not whole in one piece of what came.
        """
        return [
            at - event.created_at.timestamp()
            for at, event in self._events()
            if event.created_at.timestamp() >= since
        ]

    def _events(self) -> list[tuple[float, _Data]]:
        return [
            (at, msgspec.json.decode(line.split(b"\n", 1)[0], type=_Data))
            for at, piece in self._pieces
            for line in piece.split(b"\ndata: ")[1:]
        ]


async def listen(host: str, port: int, path: str, key: str) -> EventListener:
    """A listener whose stream has begun.

    Raises:
        TimeoutError: it did not begin.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(_CONNECT_S):
        _, listener = await loop.create_connection(lambda: EventListener(path, key), host, port)
        await listener.began.wait()
    return listener
