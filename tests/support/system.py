"""The whole running system as tests see it: its API, its rows, its objects, its processes."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

import boto3
import httpx
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sheaf.orchestrator.v1 import orchestrator_pb2, orchestrator_pb2_grpc
from sheaf_common.grpc.channel import grpc_peer
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_dev.stack import Stack
from support.otlp import Collector

SHORT_LEASES: Final = {
    "LEASE_TTL_S": "3",
    "LEASE_RENEW_S": "0.5",
    "LEASE_CHECK_S": "0.3",
    "ACTIVITY_HEARTBEAT_TIMEOUT_S": "3",
    "SWEEP_MIN_AGE_S": "0",
    "SWEEP_MIN_AGE_FLOOR_S": "0",
    "DELETION_INTERVAL_S": "0.3",
}
TERMINAL: Final = ("completed", "failed", "quarantined", "cancelled")

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Row:
    """What is recorded of a document."""

    document_id: str
    status: str
    error_code: str | None
    object_key: str
    result_key: str | None
    workflow_id: str | None
    dispatches: int
    attempt: int


@dataclass
class System:
    """See the module."""

    stack: Stack
    http: httpx.AsyncClient
    engine: AsyncEngine
    s3: Any
    traces: Collector = field(default_factory=Collector)
    """Where traces arrive, if the stack sends some."""

    @classmethod
    @asynccontextmanager
    async def over(cls, stack: Stack, traces: Collector | None = None) -> AsyncIterator[Self]:
        """Connects to a running stack."""
        env = stack.env
        engine = create_async_engine(env["DATABASE_URL"].replace("mysql://", "mysql+asyncmy://"))
        s3 = boto3.client(
            "s3",
            endpoint_url=env["S3_ENDPOINT_URL"],
            region_name=env["S3_REGION"],
            aws_access_key_id=env["S3_ACCESS_KEY_ID"],
            aws_secret_access_key=env["S3_SECRET_ACCESS_KEY"],
        )
        headers = {"Authorization": f"Bearer {env['SHEAF_API_KEY']}"}
        async with httpx.AsyncClient(
            base_url=env["SHEAF_URL"], headers=headers, timeout=70
        ) as http:
            try:
                yield cls(stack, http, engine, s3, traces or Collector())
            finally:
                await engine.dispose()
                s3.close()

    # The API

    async def upload(self, files: Files, **fields: str) -> httpx.Response:
        """Posts files as one batch; content that was sent before may be reused."""
        parts = [("files", (name, content)) for name, content in files.items()]
        return await self.http.post("/v1/documents", files=parts, data=fields)

    async def accepted(self, files: Files, **fields: str) -> list[str]:
        """Posts files, all of which must be accepted; returns the documents' ids."""
        answer = await self.upload(files, **fields)
        assert answer.status_code == 202, answer.text
        return [document["id"] for document in answer.json()["documents"]]

    async def processed(self, files: Files) -> list[str]:
        """As `accepted`, but each is processed though its content was sent before."""
        return await self.accepted(files, duplicates="process")

    async def document(self, document_id: str, *, wait_s: int = 0) -> dict[str, Any]:
        """One document."""
        answer = await self.http.get(f"/v1/documents/{document_id}", params={"wait": wait_s})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def finished(
        self, document_ids: Sequence[str], *, timeout_s: float = 60
    ) -> list[dict[str, Any]]:
        """The documents once all are terminal."""
        async with asyncio.timeout(timeout_s):
            return [await self._terminal(document_id) for document_id in document_ids]

    async def _terminal(self, document_id: str) -> dict[str, Any]:
        while True:
            found = await self.document(document_id, wait_s=5)
            if found["status"] in TERMINAL:
                return found

    # What is recorded and stored

    async def rows(self) -> list[Row]:
        """Every document's row."""
        statement = text(
            "SELECT id, status, error_code, object_key, result_key, workflow_id, dispatches,"
            " attempt FROM document"
        )
        async with self.engine.connect() as connection:
            found = (await connection.execute(statement)).all()
        return [Row(str(UUID(bytes=bytes(row[0]))), *row[1:]) for row in found]

    async def row(self, document_id: str) -> Row:
        """One document's row."""
        return next(row for row in await self.rows() if row.document_id == document_id)

    async def terminal_events(self) -> Counter[tuple[str, int]]:
        """How many terminal events each attempt has of a document that is not deleted."""
        statement = text(
            "SELECT e.document_id, e.status, e.attempt FROM event e WHERE e.document_id IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM event d WHERE d.document_id = e.document_id"
            " AND d.type = 'document.deleted')"
        )
        async with self.engine.connect() as connection:
            found = (await connection.execute(statement)).all()
        return Counter(
            (str(UUID(bytes=bytes(row[0]))), row[2]) for row in found if row[1] in TERMINAL
        )

    async def events(self, document_id: str) -> list[str]:
        """The statuses of a document's events, in order."""
        statement = text("SELECT status FROM event WHERE document_id = :id ORDER BY id")
        async with self.engine.connect() as connection:
            found = await connection.execute(statement, {"id": UUID(document_id).bytes})
            return [row[0] for row in found]

    async def keys(self) -> set[str]:
        """Every stored object."""
        return await asyncio.to_thread(self._keys)

    def _keys(self) -> set[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.stack.env["S3_BUCKET"]
        )
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    async def sweep(self) -> orchestrator_pb2.RunSweepResponse:
        """Sweeps everything that is swept, however young."""
        settings = GrpcSettings.model_construct(token=SecretStr(self.stack.env["GRPC_TOKEN"]))
        age = Duration()
        age.FromTimedelta(timedelta(seconds=0))
        async with grpc_peer("orchestrator", self.stack.address("orchestrator"), settings) as peer:
            stub: Any = orchestrator_pb2_grpc.OrchestratorServiceStub(peer.channel)
            swept: orchestrator_pb2.RunSweepResponse = await peer.unary(
                stub.RunSweep, orchestrator_pb2.RunSweepRequest(min_age=age), timeout_s=60
            )
        return swept

    async def assert_nothing_lost_or_doubled(self) -> None:
        """Asserts what Sheaf promises of everything that it has accepted so far.

        Every attempt of every document has ended with one terminal event and, if completed, one
        referenced result; and after a sweep nothing is stored that no row names.
        """
        rows = await self.rows()
        unfinished = [row for row in rows if row.status not in TERMINAL]
        assert unfinished == []
        assert await self.terminal_events() == {
            (row.document_id, attempt): 1 for row in rows for attempt in range(1, row.attempt + 1)
        }
        await self.sweep()
        named = {row.object_key for row in rows}
        named |= {row.result_key for row in rows if row.status == "completed" and row.result_key}
        assert len(named) == sum(1 + (row.status == "completed") for row in rows)
        assert await self.keys() == named

    # Its processes

    async def healthy(self) -> None:
        """Returns once the gateway knows that everything is up."""
        async with asyncio.timeout(30):
            while (await self.http.get("/ht/")).json()["status"] != "ok":  # noqa: ASYNC110 - remote
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def second_gateway(self, **env: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client of another gateway beside the system's own, with these variables."""
        await self.stack.start_process("gateway-2", service="gateway", extra_env=env)
        try:
            async with httpx.AsyncClient(
                base_url=f"http://{self.stack.address('gateway-2')}",
                headers=self.http.headers,
                timeout=30,
            ) as http:
                yield http
        finally:
            if self.stack.is_running("gateway-2"):
                await self.stack.stop_process("gateway-2")

    @asynccontextmanager
    async def failing(
        self, process: str, failpoint: str, directory: Path
    ) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Restarts a process so that it kills itself once at a failpoint.

        The block makes it get there; afterwards it has died by SIGKILL and is up again. The
        block may restart it itself, once what it is given has returned: the process is dead.
        """
        once = directory / f"{failpoint}.hit"
        armed = {"SHEAF_FAILPOINTS": f"{failpoint}=kill@{once}"}
        await self.stack.stop_process(process)
        await self.stack.start_process(process, extra_env=armed)
        await self.healthy()
        pid = self.stack.pid(process)

        async def died() -> None:
            if self.stack.pid(process) == pid:
                assert await self.stack.wait_exit(process, 30) == -signal.SIGKILL
            assert await asyncio.to_thread(once.exists)

        try:
            yield died
            await died()
        finally:
            if not self.stack.is_running(process):
                await self.stack.start_process(process)
            await self.healthy()
