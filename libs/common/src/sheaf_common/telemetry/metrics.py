"""The metrics endpoint of a process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from prometheus_client import REGISTRY, start_http_server

log = structlog.get_logger()


@asynccontextmanager
async def metrics_endpoint(host: str, port: int) -> AsyncIterator[None]:
    """Serves `/metrics` on a thread of its own for as long as the block runs.

    Raises:
        OSError: the address is taken.
    """
    server, thread = start_http_server(port, addr=host, registry=REGISTRY)
    log.info("metrics are served", host=host, port=port)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
