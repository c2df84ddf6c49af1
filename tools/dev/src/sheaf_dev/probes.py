"""Questions to a server about itself, each over loopback and within a second or two.

A probe returns when the answer is good and raises `NotReadyError` when it is not.
"""

import asyncio
import json
from http import HTTPStatus

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from sheaf_dev.errors import NotReadyError
from sheaf_dev.ports import HOST

TIMEOUT_S = 2.0
_MOST_BYTES = 64 * 1024
_LOCAL_CHANNEL = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))


async def listening(port: int) -> None:
    """Somebody accepts connections on the loopback port."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(HOST, port)
    except OSError as error:
        raise NotReadyError(f"nothing listens on port {port}") from error
    writer.close()


async def exchange(port: int, request: bytes) -> bytes:
    """The first line that a new connection answers `request` with."""
    return (await _conversation(port, request, one_line=True)).partition(b"\n")[0] + b"\n"


async def _conversation(port: int, request: bytes, *, one_line: bool = False) -> bytes:
    """What a new connection answers: a line, or all until it is closed, at most 64 KiB."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(request)
                return await (reader.readline() if one_line else _all_of(reader))
            finally:
                writer.close()
    except (OSError, ValueError) as error:  # a line longer than any that is asked for
        raise NotReadyError(f"no answer on port {port}: {error}") from error


async def _all_of(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while (piece := await reader.read(_MOST_BYTES)) and len(answer) < _MOST_BYTES:
        answer += piece
    return answer


async def http_status(port: int, path: str) -> int:
    """The status code that `GET path` is answered with."""
    return _status_of(await exchange(port, _get(port, path)), port, path)


def _get(port: int, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode()


def _status_of(answer: bytes, port: int, path: str) -> int:
    parts = answer.split(maxsplit=2)
    if len(parts) < 2 or not parts[1].isdigit():  # noqa: PLR2004 - HTTP/1.1 200
        raise NotReadyError(f"no HTTP answer to GET {path} on port {port}")
    return int(parts[1])


async def http_ok(port: int, path: str) -> None:
    """`GET path` is answered with 200."""
    status = await http_status(port, path)
    if status != HTTPStatus.OK:
        raise NotReadyError(f"GET {path} answers {status}")


async def nothing_down(port: int, path: str) -> None:
    """The health page at `path` is answered with 200; otherwise the error says what is down."""
    answer = await _conversation(port, _get(port, path))
    status, body = _status_of(answer, port, path), answer.partition(b"\r\n\r\n")[2]
    if status == HTTPStatus.OK:
        return
    try:
        dependencies = json.loads(body)["dependencies"].items()
    except (ValueError, KeyError) as error:
        raise NotReadyError(f"GET {path} answers {status}") from error
    down = [name for name, found in dependencies if found["required"] and found["status"] != "up"]
    raise NotReadyError(f"GET {path} answers {status}; not up: {', '.join(down)}")


def local_channel(port: int) -> grpc.aio.Channel:
    """A gRPC channel to the loopback port that shares no connection with another."""
    return grpc.aio.insecure_channel(f"{HOST}:{port}", options=_LOCAL_CHANNEL)


async def grpc_serving(port: int, service: str = "") -> None:
    """The gRPC health service says SERVING about `service`; `""` is the server as a whole."""
    await listening(port)  # a channel would wait a second after a refused connection
    request = health_pb2.HealthCheckRequest(service=service)
    async with local_channel(port) as channel:
        try:
            answer = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise NotReadyError(f"health check: {error.code().name}") from error
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        name = health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        raise NotReadyError(f"health check: {name}")
