"""The service as a process: start, several at once, late and lost servers, SIGTERM."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import create_async_engine

from sheaf_common.errors import SheafError
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.ids import new_id
from sheaf_dev.ports import HOST
from sheaf_dev.stack import Stack
from support.metadata import OCR, Metadata, create_database, metadata_settings, new_document

_TOKEN = "t"


@pytest.fixture
async def environ(database_servers: Stack) -> dict[str, str]:
    """The environment of a service over an empty database."""
    url = await create_database(database_servers.env["DATABASE_URL"], f"test_{new_id().hex}")
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": database_servers.env["REDIS_URL"],
        "GRPC_TOKEN": _TOKEN,
        "METADATA_HOST": HOST,
        "METADATA_METRICS_PORT": "0",
        "METADATA_PORT": "0",
    }


class Running:
    """A started process and its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def until(self, word: str) -> str:
        """The next line of the log that contains a word."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if word in line:
                    return line
        raise AssertionError("".join(self.lines))

    async def address(self) -> str:
        """Where it serves, once it does."""
        port = json.loads(await self.until("gRPC is served"))["port"]
        await self.until('"ready"')
        return f"{HOST}:{port}"

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        async with asyncio.timeout(30):
            await self.process.communicate()
        return self.process.returncode or 0


@asynccontextmanager
async def started(environ: Mapping[str, str]) -> AsyncIterator[Running]:
    """The service as a process; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sheaf_metadata", env=environ, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@asynccontextmanager
async def connected(environ: Mapping[str, str], address: str) -> AsyncIterator[Metadata]:
    """A peer of a process."""
    settings = metadata_settings(environ["DATABASE_URL"], environ["REDIS_URL"])
    trust = GrpcSettings.model_construct(token=SecretStr(_TOKEN))
    engine = create_async_engine(settings.database.engine_url())
    async with grpc_peer("metadata", address, trust) as peer:
        yield Metadata(peer, engine, settings)
    await engine.dispose()


async def test_several_start_at_once_on_an_empty_database(environ: dict[str, str]) -> None:
    """One migrates; all serve; each ends with 0 at SIGTERM."""
    async with started(environ) as one, started(environ) as two, started(environ) as three:
        addresses = [await each.address() for each in (one, two, three)]
        async with connected(environ, addresses[2]) as metadata:
            assert (await metadata.register(new_document())).batch.document_count == 1
        assert [await each.stop() for each in (one, two, three)] == [0, 0, 0]


async def test_a_stop_answers_those_who_wait(environ: dict[str, str]) -> None:
    """SIGTERM while calls wait: they are answered with what is, and the exit is quick."""
    loop = asyncio.get_running_loop()
    async with started(environ) as running:
        async with connected(environ, await running.address()) as metadata:
            answer = await metadata.register(new_document())
            document_id = answer.documents[0].document_id
            waits: list[asyncio.Task[Any]] = [
                asyncio.create_task(metadata.document(document_id, wait_s=50)),
                asyncio.create_task(metadata.batch(answer.batch.batch_id, wait_s=50)),
                asyncio.create_task(metadata.claim(lane=OCR, wait_s=50)),
            ]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(waits[0]), 0.5)
            began = loop.time()
            assert await running.stop() == 0
            found, batch, group = await asyncio.gather(*waits)
        assert loop.time() - began < 5
    assert (found.document_id, len(batch.documents), group) == (document_id, 1, None)


async def test_a_wrong_configuration_ends_at_once(environ: dict[str, str]) -> None:
    """With exit code 2 and every wrong variable by name."""
    environ |= {"METADATA_CLAIM_POLL_MS": "soon", "DATABASE_URL": "http://x"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sheaf_metadata", env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert b"METADATA_CLAIM_POLL_MS" in errors
    assert b"DATABASE_URL" in errors


async def test_a_late_database_is_waited_for(
    environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Started before its database, and serving while that goes away and comes back."""
    folder = tmp_path_factory.mktemp("late")
    async with Stack.private(folder, services=(), servers=("mariadb",)) as stack:
        environ["DATABASE_URL"] = stack.env["DATABASE_URL"]
        await stack.stop_process("mariadb")
        async with started(environ) as running:
            await running.until("waiting for the database")
            await stack.start_process("mariadb")
            address = await running.address()
            async with connected(environ, address) as metadata:
                await asyncio.gather(*(metadata.register(new_document()) for _ in range(20)))
                await until_health(metadata, "dependency/mysql", serving=True)
                await stack.kill_process("mariadb")
                refused = await asyncio.gather(
                    *(metadata.register(new_document()) for _ in range(20)), return_exceptions=True
                )
                assert {getattr(error, "reason", None) for error in refused} == {
                    "DATABASE_UNAVAILABLE"
                }
                await until_health(metadata, "dependency/mysql", serving=False)
                await stack.start_process("mariadb")
                assert await refusals_until_registered(metadata) <= {"DATABASE_UNAVAILABLE"}
                await until_health(metadata, "dependency/mysql", serving=True)
            assert await running.stop() == 0


async def refusals_until_registered(metadata: Metadata) -> set[str]:
    """Registers until it succeeds, within a few seconds; the reasons of the refusals."""
    reasons: set[str] = set()
    async with asyncio.timeout(10):
        while True:
            try:
                await metadata.register(new_document())
            except SheafError as error:
                reasons.add(error.reason)
            else:
                return reasons


async def until_health(metadata: Metadata, service: str, *, serving: bool) -> None:
    """Returns once the health service says so."""
    stub = health_pb2_grpc.HealthStub(metadata.peer.channel)
    wanted = health_pb2.HealthCheckResponse.SERVING if serving else 2
    async with asyncio.timeout(15):
        while True:
            try:
                answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
            except grpc.aio.AioRpcError:
                continue
            if answer.status == wanted:
                return
