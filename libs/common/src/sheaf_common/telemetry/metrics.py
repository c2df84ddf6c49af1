"""The metrics endpoint of a process and the metrics that all services share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import REGISTRY, Histogram, start_http_server

log = structlog.get_logger()

LATENCY_BUCKETS_S: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip
"""From a cache hit to the longest long poll, in seconds."""

GRPC_SERVER_SECONDS: Final = Histogram(
    "sheaf_grpc_server_seconds",
    "Time to handle a gRPC call, in seconds, by method and status code.",
    ["method", "code"],
    buckets=LATENCY_BUCKETS_S,
)


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
