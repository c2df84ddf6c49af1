"""A gRPC server as every service runs it: health, telemetry, reflection, bounds, orderly drain."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from sheaf_common.grpc.flow import WINDOW_OPTIONS
from sheaf_common.grpc.interceptor import SheafServerInterceptor
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.grpc.telemetry import TelemetryServicer
from sheaf_common.telemetry.recent import RecentPast, noting

log = structlog.get_logger()

_KEEPALIVE_MS: Final = 30_000
_MIN_PING_INTERVAL_MS: Final = 10_000
_CONNECTION_AGE_MS: Final = 15 * 60_000
_DRAIN_S: Final = 20.0
"""How long calls in progress may go on once the server stops taking new ones."""

Registrar = Callable[[grpc.aio.Server], str]
"""Adds a servicer to a server and returns the service's full name."""


@dataclass(frozen=True, slots=True)
class GrpcServer:
    """A running server: the port that it listens on, and its health service.

    The health service named "" says whether the process takes calls; a name
    `dependency/NAME` says whether that dependency answers.
    """

    port: int
    health: HealthServicer


@asynccontextmanager
async def grpc_server(
    host: str, port: int, settings: GrpcSettings, *registrars: Registrar
) -> AsyncIterator[GrpcServer]:
    """Serves for as long as the block runs; port 0 takes a free one.

    Beside what the registrars add, it tells what this process measured lately, from now on.
    On leaving: health says NOT_SERVING, new calls are refused, those in progress have 20 s.

    Raises:
        OSError: the address cannot be bound.
    """
    server = grpc.aio.server(
        interceptors=[
            SheafServerInterceptor(
                token=settings.token.get_secret_value() if settings.token else None,
                max_call_s=settings.max_call_s,
            )
        ],
        options=[
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", settings.max_message_bytes),
            ("grpc.max_send_message_length", settings.max_message_bytes),
            ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _MIN_PING_INTERVAL_MS),
            ("grpc.max_connection_age_ms", _CONNECTION_AGE_MS),
            *WINDOW_OPTIONS,
            ("grpc.max_connection_age_grace_ms", int(_DRAIN_S * 1000)),
        ],
        maximum_concurrent_rpcs=settings.max_concurrent_calls,
    )
    health = HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    past = RecentPast()
    names = [registrar(server) for registrar in (*registrars, TelemetryServicer(past).register)]
    reflection.enable_server_reflection(
        [*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
         reflection.SERVICE_NAME],
        server,
    )  # fmt: skip
    bound_port = _bind(server, f"{host}:{port}", settings)
    await server.start()
    for name in ("", *names):
        await health.set(name, health_pb2.HealthCheckResponse.SERVING)
    log.info("gRPC is served", host=host, port=bound_port, services=names)
    try:
        async with noting(past):
            yield GrpcServer(port=bound_port, health=health)
    finally:
        await health.enter_graceful_shutdown()
        await server.stop(grace=_DRAIN_S)


def _bind(server: grpc.aio.Server, address: str, settings: GrpcSettings) -> int:
    tls = settings.tls_material()
    try:
        if tls is None:
            return server.add_insecure_port(address)
        credentials = grpc.ssl_server_credentials(
            [(tls.private_key, tls.certificate)],
            root_certificates=tls.ca,
            require_client_auth=True,
        )
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
