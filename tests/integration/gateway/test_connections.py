"""Connections are bounded, and what is sent must be taken; over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar.types import Receive, Scope, Send
from prometheus_client import REGISTRY

from sheaf_common.lifecycle import Lifecycle
from sheaf_gateway.admission_settings import AdmissionSettings
from sheaf_gateway.api.server import http_server
from sheaf_gateway.settings import HttpSettings
from support.waiting import until

LARGE_BYTES = 50_000_000
"""More than the kernel takes of an answer that nobody reads."""

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def serving(**bounds: Any) -> AsyncIterator[int]:
    """A server whose every answer has the size that its path names; clients leave before it."""

    async def app(scope: Scope, _receive: Receive, send: Send) -> None:
        name = scope["path"].strip("/")
        body = b"x" * (int(name) if name.isdigit() else 2)
        length = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": body, "more_body": False})

    http = HttpSettings().model_copy(update={"host": "127.0.0.1", "port": 0})
    settings = AdmissionSettings().model_copy(update=bounds)
    async with http_server(app, http, settings, Lifecycle()) as port:
        yield port
        await until(lambda: open_connections() == 0)


async def connect(port: int) -> Connection:
    """A connection that the server has seen."""
    before = open_connections()
    connection = await asyncio.open_connection("127.0.0.1", port)
    await until(lambda: open_connections() > before)
    return connection


def open_connections() -> float:
    """As it is measured."""
    return REGISTRY.get_sample_value("sheaf_http_connections") or 0.0


def refusals(cause: str) -> float:
    """As it is measured."""
    return REGISTRY.get_sample_value("sheaf_http_refusals_total", {"cause": cause}) or 0.0


async def asked(connection: Connection, path: str, body: bytes = b"") -> bytes:
    """The head of the answer; empty if the connection was closed instead."""
    reader, writer = connection
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    try:
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    if answer.startswith(b"HTTP/1.1 200"):
        await reader.readexactly(2)
    return answer


async def test_connections_beyond_the_bound_are_for_operators() -> None:
    """Others are told 503 and when to come back; those that came before are served on."""
    async with serving(max_connections=2) as port:
        served = [await connect(port) for _ in range(2)]
        late, operators = await connect(port), await connect(port)
        for path in ("/ht/", "/livez", "/metrics?x=1"):
            assert (await asked(operators, path)).startswith(b"HTTP/1.1 200")
        refused = await asked(late, "/v1/documents", b"a body that nobody reads" * 5000)
        assert refused.startswith(b"HTTP/1.1 503")
        assert b"application/problem+json" in refused
        assert b"\r\nretry-after: " in refused
        for connection in served:
            assert (await asked(connection, "/v1/documents")).startswith(b"HTTP/1.1 200")
        for _, writer in (*served, late):
            writer.close()
        await until(lambda: open_connections() == 1)
        assert (await asked(operators, "/v1/documents")).startswith(b"HTTP/1.1 200")
        operators[1].close()


async def test_connections_that_nobody_has_room_for_are_closed() -> None:
    """Beyond what is kept for operators; nothing is read of them."""
    async with serving(max_connections=1) as port:
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(65)]
        await until(lambda: open_connections() == 65)
        before = refusals("connections")
        one_more = await asyncio.open_connection("127.0.0.1", port)
        assert await asked(one_more, "/ht/") == b""
        assert (await asked(opened[64], "/ht/")).startswith(b"HTTP/1.1 200")
        assert refusals("connections") == before + 1
        for _, writer in (*opened, one_more):
            writer.close()


async def test_a_client_that_takes_nothing_is_cut_off() -> None:
    """Though its answer is complete, and only lies there."""
    before = refusals("stalled")
    async with serving(write_timeout_s=0.2) as port:
        _, writer = await connect(port)
        writer.write(f"GET /{LARGE_BYTES} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await until(lambda: refusals("stalled") == before + 1)
        writer.close()
