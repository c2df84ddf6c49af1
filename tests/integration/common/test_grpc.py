"""gRPC between real endpoints: trust, context, deadlines, errors, health and drain."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY, generate_latest
from pydantic import SecretStr

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf.storage.v1 import storage_pb2, storage_pb2_grpc
from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import (
    INTERNAL_MESSAGE,
    DeadlineExceeded,
    InternalError,
    InvalidInput,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.health import is_serving, publish_dependency_health
from sheaf_common.grpc.server import GrpcServer, grpc_server
from sheaf_common.grpc.settings import GrpcSettings
from support.waiting import until

SETTINGS = GrpcSettings.model_construct(token=SecretStr("secret"), max_call_s=30.0)


class Servicer:
    """Base of servicers that have only the methods of their test."""

    def __getattr__(self, name: str) -> Any:
        """Any other method of the contract, which no test calls."""
        if not name[0].isupper():
            raise AttributeError(name)
        return self._uncalled

    async def _uncalled(self, request: Any, call: Any) -> Any:
        raise AssertionError("the test calls another method than it has")


@dataclass
class Orchestrator(Servicer):
    """Answers `GetBacklog` by what a test says."""

    behave: Callable[[], Any]
    seen: list[RequestContext] = field(default_factory=list)

    async def GetBacklog(self, request: Any, call: Any) -> Any:
        """Notes the request's context, then does what the test wants."""
        bound = context.current()
        assert bound is not None
        self.seen.append(bound)
        result = self.behave()
        if asyncio.iscoroutine(result):
            await result
        return orchestrator_pb2.GetBacklogResponse()

    def register(self, server: grpc.aio.Server) -> str:
        """Adds itself."""
        servicer: Any = self
        orchestrator_pb2_grpc.add_OrchestratorServiceServicer_to_server(servicer, server)
        return "sheaf.orchestrator.v1.OrchestratorService"


class Storage(Servicer):
    """Streams, and fails on the way."""

    def __init__(self) -> None:
        self.received = 0
        self.ended: BaseException | None = None

    async def GetObject(self, request: Any, call: Any) -> AsyncIterator[Any]:
        """Two messages, then an error."""
        yield storage_pb2.GetObjectResponse(data=b"a")
        yield storage_pb2.GetObjectResponse(data=b"b")
        raise NotFound("OBJECT_NOT_FOUND", "gone")

    async def PutObject(self, requests: Any, call: Any) -> Any:
        """Counts messages."""
        try:
            async for _ in requests:
                self.received += 1
        except BaseException as error:
            self.ended = error
            raise
        return storage_pb2.PutObjectResponse()

    def register(self, server: grpc.aio.Server) -> str:
        """Adds itself."""
        servicer: Any = self
        storage_pb2_grpc.add_StorageServiceServicer_to_server(servicer, server)
        return "sheaf.storage.v1.StorageService"


@asynccontextmanager
async def serving(
    *servicers: Any, settings: GrpcSettings = SETTINGS, caller: GrpcSettings = SETTINGS
) -> AsyncIterator[tuple[GrpcServer, Peer]]:
    """A server with the servicers, and a peer that calls it."""
    registrars = [servicer.register for servicer in servicers]
    async with (
        grpc_server("127.0.0.1", 0, settings, *registrars) as server,
        grpc_peer("peer", f"127.0.0.1:{server.port}", caller) as peer,
    ):
        yield server, peer


async def ask(peer: Peer, *, timeout_s: float = 5.0) -> None:
    """Calls `GetBacklog`."""
    stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(peer.channel)
    await peer.unary(stub.GetBacklog, orchestrator_pb2.GetBacklogRequest(), timeout_s=timeout_s)


async def test_request_id_and_user_cross_the_hop() -> None:
    """The callee sees the id and the user of the request that the caller handles."""
    servicer = Orchestrator(lambda: None)
    async with serving(servicer) as (_, peer):
        with context.bound(RequestContext("req-1", "user-1")):
            await ask(peer)

    assert [(seen.request_id, seen.user_id) for seen in servicer.seen] == [("req-1", "user-1")]


def measured(name: str, **labels: str) -> float:
    """A sample of the server's metrics; 0 if there is none."""
    return REGISTRY.get_sample_value(f"sheaf_grpc_server_{name}", labels) or 0.0


async def test_calls_are_measured_by_registered_methods_only() -> None:
    """One whose caller leaves counts as cancelled; a made-up method is not named."""
    entered, may_end = asyncio.Event(), asyncio.Event()
    in_flight: list[float] = []

    async def linger() -> None:
        in_flight.append(measured("in_flight"))
        entered.set()
        await may_end.wait()

    method = "/sheaf.orchestrator.v1.OrchestratorService/GetBacklog"
    left = {"method": method, "code": "CANCELLED"}
    before = measured("seconds_count", **left), measured("in_flight")
    async with serving(Orchestrator(linger)) as (_, peer):
        call = asyncio.create_task(ask(peer))
        await asyncio.wait_for(entered.wait(), 5)
        call.cancel()
        await until(lambda: measured("seconds_count", **left) == before[0] + 1)
        made_up: Any = peer.channel.unary_unary("/sheaf.orchestrator.v1.OrchestratorService/MadeUp")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await made_up(b"", timeout=5, metadata=(("authorization", "Bearer secret"),))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert (in_flight, measured("in_flight")) == ([before[1] + 1], before[1])
    assert "MadeUp" not in generate_latest().decode()


async def test_the_callers_deadline_bounds_the_callee() -> None:
    """What the caller has left is what the callee has, and calls without an end get one."""
    servicer = Orchestrator(lambda: None)
    async with serving(servicer) as (_, peer):
        await ask(peer, timeout_s=2.0)
        stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(peer.channel)
        metadata = (("authorization", "Bearer secret"),)
        await stub.GetBacklog(orchestrator_pb2.GetBacklogRequest(), metadata=metadata)
        limited, unlimited = (seen.deadline for seen in servicer.seen)
    now = asyncio.get_running_loop().time()

    assert limited is not None
    assert limited < now + 2.5
    assert unlimited is not None
    assert now + 2.5 < unlimited < now + SETTINGS.max_call_s + 0.5


async def test_a_call_that_takes_too_long_ends_at_its_deadline() -> None:
    """The caller gets `DeadlineExceeded`, and the callee's work is cancelled."""
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async with serving(Orchestrator(hang)) as (_, peer):
        with pytest.raises(DeadlineExceeded):
            await ask(peer, timeout_s=0.1)
        await asyncio.wait_for(cancelled.wait(), 5)


@pytest.mark.parametrize("token", ["wrong", None])
async def test_a_caller_without_the_token_is_refused(token: str | None) -> None:
    """No token and a wrong token are both unauthenticated, and the servicer sees neither."""
    caller = GrpcSettings.model_construct(token=SecretStr(token) if token else None)
    servicer = Orchestrator(lambda: None)
    async with serving(servicer, caller=caller) as (_, peer):
        with pytest.raises(Unauthenticated) as refused:
            await ask(peer)

    assert refused.value.reason == "CALLER_UNKNOWN"
    assert servicer.seen == []


async def test_an_error_arrives_as_it_was_raised() -> None:
    """Class, reason and evidence are the callee's."""

    def refuse() -> None:
        raise InvalidInput("KEY_INVALID", "bad key", evidence={"key": "../x"})

    async with serving(Orchestrator(refuse)) as (_, peer):
        with pytest.raises(InvalidInput) as refused:
            await ask(peer)

    assert (refused.value.reason, dict(refused.value.evidence)) == ("KEY_INVALID", {"key": "../x"})


async def test_a_bug_shows_nothing_of_itself() -> None:
    """An exception's text stays in the log; the caller gets a fixed text and the id."""

    def crash() -> None:
        raise KeyError("password=hunter2")

    async with serving(Orchestrator(crash)) as (_, peer):
        with (
            context.bound(RequestContext("req-2")),
            pytest.raises(InternalError) as broken,
        ):
            await ask(peer)

    assert broken.value.message == INTERNAL_MESSAGE
    assert dict(broken.value.evidence) == {"request_id": "req-2"}


async def test_a_stream_may_fail_after_it_began() -> None:
    """The messages before the error arrive, then the error by its class."""
    got = []
    async with serving(Storage()) as (_, peer):
        stub: Any = storage_pb2_grpc.StorageServiceStub(peer.channel)
        request = storage_pb2.GetObjectRequest(key="documents/x")

        async def read() -> None:
            async for message in peer.receive_stream(stub.GetObject, request, timeout_s=5):
                got.append(message.data)  # noqa: PERF401 - what came before the error counts

        with pytest.raises(NotFound):
            await read()

    assert got == [b"a", b"b"]


async def test_a_source_that_fails_breaks_the_stream() -> None:
    """The caller gets its own error back; the callee sees a broken stream, not an end."""
    servicer = Storage()

    async def source() -> AsyncIterator[storage_pb2.PutObjectRequest]:
        yield storage_pb2.PutObjectRequest(data=b"a")
        raise InvalidInput("BODY_TOO_LARGE", "over the limit")

    async with serving(servicer) as (_, peer):
        stub: Any = storage_pb2_grpc.StorageServiceStub(peer.channel)
        with pytest.raises(InvalidInput) as refused:
            await peer.send_stream(stub.PutObject, source(), timeout_s=5)

    assert refused.value.reason == "BODY_TOO_LARGE"
    assert servicer.ended is not None or servicer.received <= 1


async def test_a_call_that_the_connection_gives_up_is_no_cancellation() -> None:
    """Nobody cancelled the caller: it hears that the peer is gone, of a call and of a stream."""
    begun = asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def source() -> AsyncIterator[storage_pb2.PutObjectRequest]:
        yield storage_pb2.PutObjectRequest(data=b"a")
        await asyncio.Event().wait()

    servicer = Storage()
    async with serving(Orchestrator(hang), servicer) as (_, peer):
        stub: Any = storage_pb2_grpc.StorageServiceStub(peer.channel)
        sending = peer.send_stream(stub.PutObject, source(), timeout_s=30)
        calls = [asyncio.ensure_future(ask(peer, timeout_s=30)), asyncio.ensure_future(sending)]
        await begun.wait()
        await until(lambda: servicer.received == 1)
        await peer.channel.close(grace=None)
        errors = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in errors] == [Unavailable, Unavailable]


async def test_a_peer_that_is_down_is_unavailable_within_the_deadline() -> None:
    """No connection is an answer, not a wait."""
    async with grpc_peer("peer", "127.0.0.1:1", SETTINGS) as peer:
        with pytest.raises(Unavailable):
            await asyncio.wait_for(ask(peer, timeout_s=2.0), 4)


async def test_health_says_serving_and_what_each_dependency_says() -> None:
    """The process, its services and each dependency have a health of their own."""

    async def fine() -> None:
        return

    async def broken() -> None:
        raise OSError("no route")

    async with serving(Orchestrator(lambda: None)) as (server, peer):
        publishing = asyncio.create_task(
            publish_dependency_health(server.health, {"s3": fine, "mysql": broken})
        )
        async with asyncio.timeout(5):
            while not await is_serving(peer, "dependency/s3"):  # noqa: ASYNC110 - over the wire
                await asyncio.sleep(0.01)
        answers = [
            await is_serving(peer, name)
            for name in ("", "sheaf.orchestrator.v1.OrchestratorService", "dependency/mysql")
        ]
        publishing.cancel()

    assert answers == [True, True, False]


async def test_a_stopping_server_finishes_what_runs() -> None:
    """A call in progress gets its answer although the server has begun to stop."""
    entered, leave = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        entered.set()
        await leave.wait()

    server = grpc_server("127.0.0.1", 0, SETTINGS, Orchestrator(work).register)
    running = await server.__aenter__()
    async with grpc_peer("peer", f"127.0.0.1:{running.port}", SETTINGS) as peer:
        call = asyncio.create_task(ask(peer))
        await asyncio.wait_for(entered.wait(), 5)
        stopping = asyncio.create_task(server.__aexit__(None, None, None))
        leave.set()
        await asyncio.wait_for(call, 5)
        await asyncio.wait_for(stopping, 25)


async def test_an_address_in_use_is_an_error() -> None:
    """A second server on the same port fails by name instead of sharing it."""
    async with serving(Orchestrator(lambda: None)) as (server, _):
        with pytest.raises(OSError, match=str(server.port)):
            async with grpc_server("127.0.0.1", server.port, SETTINGS):
                pass
