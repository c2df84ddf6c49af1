"""The HTTP server, run inside the service's own loop and stopped by its lifecycle."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
from litestar.types import ASGIApp

from sheaf_common.lifecycle import Lifecycle
from sheaf_gateway import metrics
from sheaf_gateway.admission_settings import AdmissionSettings
from sheaf_gateway.api.descriptors import affordable_connections
from sheaf_gateway.api.protocol import BoundedHttpProtocol
from sheaf_gateway.settings import HttpSettings

log = structlog.get_logger()

_BACKLOG = 2048


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own; says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()
        self.ended = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().shutdown(sockets)
        finally:
            self.ended.set()


@asynccontextmanager
async def http_server(
    app: ASGIApp, settings: HttpSettings, bounds: AdmissionSettings, lifecycle: Lifecycle
) -> AsyncIterator[int]:
    """Serves `app` for as long as the block runs; yields the port.

    On leaving: no new connections, idle ones are closed, requests in progress have
    `drain_s`, then they are cancelled.

    Raises:
        OSError: the address cannot be bound.
    """
    connections = affordable_connections(bounds.max_connections)
    metrics.CONNECTIONS_LIMIT.set(connections)
    listener = _listen(settings.host, settings.port)
    port: int = listener.getsockname()[1]

    class Protocol(BoundedHttpProtocol):
        head_timeout_s = settings.head_timeout_s
        write_timeout_s = bounds.write_timeout_s
        max_connections = connections

    server = _Server(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=settings.keep_alive_s,
            timeout_graceful_shutdown=settings.drain_s,
        )
    )
    async with lifecycle.background("http server", server.serve(sockets=[listener])):
        await server.accepting.wait()
        log.info("HTTP is served", host=settings.host, port=port)
        try:
            yield port
        finally:
            server.should_exit = True
            await server.ended.wait()


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. An answer's head and body are two writes: neither shall wait."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
