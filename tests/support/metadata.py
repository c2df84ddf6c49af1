"""The metadata service as tests see it: served in this process over real servers."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sheaf.metadata.v1 import document_pb2, metadata_pb2, metadata_pb2_grpc
from sheaf_common.context import RequestContext, bound, new_request_id
from sheaf_common.grpc.channel import Peer, grpc_peer
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.ids import derived_id, new_id
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.pools.database import DatabaseSettings
from sheaf_common.pools.redis import RedisSettings
from sheaf_common.process import ProcessSettings
from sheaf_common.telemetry.exporting import TracingSettings
from sheaf_metadata.settings import MetadataSettings, RecordSettings, ServerSettings
from sheaf_metadata.wiring import metadata_service

TEXT: Final = document_pb2.LANE_TEXT
OCR: Final = document_pb2.LANE_OCR
RECORDED: Final = metadata_pb2.DISPOSITION_RECORDED
ALREADY_RECORDED: Final = metadata_pb2.DISPOSITION_ALREADY_RECORDED
SUPERSEDED: Final = metadata_pb2.DISPOSITION_SUPERSEDED
NOT_STARTED: Final = metadata_pb2.RELEASE_CAUSE_NOT_STARTED
WORKER_LOST: Final = metadata_pb2.RELEASE_CAUSE_WORKER_LOST
TERMINAL: Final = ("completed", "failed", "quarantined", "cancelled")
_TOKEN: Final = "the token of these tests"


def duration(seconds: float) -> Duration:
    """Seconds as a message."""
    message = Duration()
    message.FromTimedelta(timedelta(seconds=seconds))
    return message


def new_document(
    name: str = "a.txt",
    *,
    size_bytes: int = 1000,
    content_type: str = "text/plain",
    options: document_pb2.DocumentOptions | None = None,
    sealed_password: bytes = b"",
) -> metadata_pb2.NewDocument:
    """A document whose object is stored."""
    document_id = new_id()
    return metadata_pb2.NewDocument(
        document_id=str(document_id),
        filename=name,
        content_type=content_type,
        size_bytes=size_bytes,
        sha256=hashlib.sha256(document_id.bytes).digest(),
        object_key=f"documents/{document_id}/original",
        options=options,
        sealed_password=sealed_password,
    )


def attachment(parent_id: str, name: str, *, size_bytes: int = 1000) -> metadata_pb2.Attachment:
    """A file inside a document, with the id that each attempt gives it."""
    document_id = derived_id(UUID(parent_id), name)
    return metadata_pb2.Attachment(
        document_id=str(document_id),
        filename=name,
        content_type="text/plain",
        size_bytes=size_bytes,
        sha256=hashlib.sha256(document_id.bytes).digest(),
        object_key=f"documents/{document_id}/original",
    )


def holding(
    document_id: str, *attachments: metadata_pb2.Attachment, attempt: int = 1
) -> metadata_pb2.Outcome:
    """An outcome of a document that completed and has others inside it."""
    outcome = completed(document_id, attempt)
    outcome.completed.attachments.extend(attachments)
    return outcome


def completed(document_id: str, attempt: int = 1, *, pages: int = 1) -> metadata_pb2.Outcome:
    """An outcome of a document that completed."""
    return metadata_pb2.Outcome(
        document_id=document_id,
        attempt=attempt,
        completed=metadata_pb2.Completed(
            result_key=f"documents/{document_id}/{attempt}/result.json.zst",
            page_count=pages,
            character_count=42,
        ),
        pipeline_version="1",
    )


def failed(document_id: str, reason: str = "DAMAGED", attempt: int = 1) -> metadata_pb2.Outcome:
    """An outcome of a document that failed."""
    return metadata_pb2.Outcome(
        document_id=document_id,
        attempt=attempt,
        failed=metadata_pb2.Failed(reason=reason, message="It is damaged."),
    )


def quarantined(document_id: str, reason: str = "CRASHED") -> metadata_pb2.Outcome:
    """An outcome of a document that did harm."""
    return metadata_pb2.Outcome(
        document_id=document_id,
        attempt=1,
        quarantined=metadata_pb2.Quarantined(reason=reason, message="It did harm."),
    )


def needs_ocr(document_id: str) -> metadata_pb2.Outcome:
    """An outcome of a scan."""
    return metadata_pb2.Outcome(
        document_id=document_id, attempt=1, needs_ocr=metadata_pb2.NeedsOcr()
    )


@contextmanager
def as_user(user_id: str) -> Iterator[None]:
    """Calls of the block are this user's."""
    with bound(RequestContext(new_request_id(), user_id)):
        yield


@dataclass
class Metadata:
    """A served metadata service: its contract, and its rows."""

    peer: Peer
    engine: AsyncEngine
    settings: MetadataSettings

    # The contract

    async def call(self, method: str, request: Any, *, timeout_s: float = 30) -> Any:
        """One call of the service."""
        stub = metadata_pb2_grpc.MetadataServiceStub(self.peer.channel)
        return await self.peer.unary(getattr(stub, method), request, timeout_s=timeout_s)

    async def register(
        self,
        *documents: metadata_pb2.NewDocument,
        user_id: str = "ann",
        batch_id: str | None = None,
        product: str = "",
        priority: document_pb2.Priority.ValueType = document_pb2.PRIORITY_NORMAL,
        metadata_json: str = "",
        find_reusable: bool = False,
    ) -> metadata_pb2.RegisterBatchResponse:
        """Registers a batch for a user."""
        request = metadata_pb2.RegisterBatchRequest(
            batch_id=batch_id or str(new_id()),
            product=product,
            documents=documents,
            priority=priority,
            metadata_json=metadata_json,
            find_reusable=find_reusable,
        )
        with as_user(user_id):
            answer: metadata_pb2.RegisterBatchResponse = await self.call("RegisterBatch", request)
        return answer

    async def registered(self, count: int, **options: Any) -> list[str]:
        """Registers a batch of so many documents; their ids, in its order."""
        documents = [new_document(f"{number}.txt") for number in range(count)]
        answer = await self.register(*documents, **options)
        return [document.document_id for document in answer.documents]

    async def document(
        self, document_id: str, *, wait_s: float = 0, fields: Sequence[str] = ()
    ) -> document_pb2.Document:
        """One document, as the current user sees it."""
        request = metadata_pb2.GetDocumentRequest(
            document_id=document_id, wait=duration(wait_s), read_mask=FieldMask(paths=fields)
        )
        answer: metadata_pb2.GetDocumentResponse = await self.call("GetDocument", request)
        return answer.document

    async def batch(self, batch_id: str, *, wait_s: float = 0) -> metadata_pb2.GetBatchResponse:
        """One batch."""
        request = metadata_pb2.GetBatchRequest(batch_id=batch_id, wait=duration(wait_s))
        answer: metadata_pb2.GetBatchResponse = await self.call("GetBatch", request)
        return answer

    async def claim(
        self,
        *,
        lane: document_pb2.Lane.ValueType = TEXT,
        max_workflows: int = 100,
        max_documents: int = 100,
        max_bytes: int = 2**40,
        max_work_s: float = 1000,
        lease_ttl_s: float = 60,
        wait_s: float = 0,
        linger_s: float = 0,
        pipeline_version: str = "",
    ) -> metadata_pb2.ClaimedGroup | None:
        """A claimed group, or None; by default with bounds that nothing reaches."""
        request = metadata_pb2.ClaimDocumentsRequest(
            lane=lane,
            max_workflows=max_workflows,
            max_documents=max_documents,
            max_bytes=max_bytes,
            max_work=duration(max_work_s),
            lease_ttl=duration(lease_ttl_s),
            wait=duration(wait_s),
            linger=duration(linger_s),
            pipeline_version=pipeline_version,
        )
        answer = await self.call("ClaimDocuments", request, timeout_s=wait_s + 30)
        return answer.group if answer.HasField("group") else None

    async def claimed(self, **options: Any) -> metadata_pb2.ClaimedGroup:
        """A claimed group; there must be one."""
        group = await self.claim(**options)
        assert group is not None
        return group

    async def record(
        self, workflow_id: str, *outcomes: metadata_pb2.Outcome
    ) -> list[metadata_pb2.Disposition.ValueType]:
        """Records outcomes; their dispositions."""
        request = metadata_pb2.RecordOutcomesRequest(workflow_id=workflow_id, outcomes=outcomes)
        answer = await self.call("RecordOutcomes", request)
        assert [item.document_id for item in answer.dispositions] == [
            item.document_id for item in outcomes
        ]
        return [item.disposition for item in answer.dispositions]

    async def complete(self, group: metadata_pb2.ClaimedGroup) -> None:
        """Records a whole group as completed."""
        outcomes = [completed(item.document_id, item.attempt) for item in group.documents]
        assert await self.record(group.workflow_id, *outcomes) == [RECORDED] * len(outcomes)

    async def renew(
        self,
        workflow_id: str,
        *document_ids: str,
        attempt: int = 1,
        lease_ttl_s: float = 60,
        progress: Mapping[str, tuple[int, int]] | None = None,
    ) -> list[str]:
        """Renews a lease, and says how many pages are done of how many; what was lost."""
        request = metadata_pb2.RenewLeaseRequest(
            workflow_id=workflow_id,
            documents=[
                metadata_pb2.DocumentAttempt(document_id=document_id, attempt=attempt)
                for document_id in document_ids
            ],
            lease_ttl=duration(lease_ttl_s),
            progress=[
                metadata_pb2.DocumentProgress(
                    document_id=document_id, pages_done=done, pages_total=total
                )
                for document_id, (done, total) in (progress or {}).items()
            ],
        )
        return list((await self.call("RenewLease", request)).lost_document_ids)

    async def passwords(self, workflow_id: str, *document_ids: str) -> dict[str, bytes]:
        """What a workflow is told of the passwords of documents."""
        request = metadata_pb2.GetPasswordsRequest(
            workflow_id=workflow_id, document_ids=document_ids
        )
        answer = await self.call("GetPasswords", request)
        return {each.document_id: each.sealed for each in answer.passwords}

    async def cancel(self, document_id: str, *, user_id: str = "ann") -> document_pb2.Document:
        """Cancels a document; it as it is then."""
        request = metadata_pb2.CancelDocumentRequest(document_id=document_id)
        with as_user(user_id):
            answer: metadata_pb2.CancelDocumentResponse = await self.call("CancelDocument", request)
        return answer.document

    async def reprocess(
        self, document_id: str, *, user_id: str = "ann", **fields: Any
    ) -> document_pb2.Document:
        """Asks for another attempt of a document; it as it is then."""
        request = metadata_pb2.ReprocessDocumentRequest(document_id=document_id, **fields)
        with as_user(user_id):
            answer = await self.call("ReprocessDocument", request)
        document: document_pb2.Document = answer.document
        return document

    async def replay(
        self, *, user_id: str = "ann", **fields: Any
    ) -> metadata_pb2.ReplayQuarantinedResponse:
        """Asks for another attempt of what is quarantined."""
        request = metadata_pb2.ReplayQuarantinedRequest(**fields)
        with as_user(user_id):
            answer: metadata_pb2.ReplayQuarantinedResponse = await self.call(
                "ReplayQuarantined", request
            )
        return answer

    async def expired(self) -> list[metadata_pb2.ClaimedGroup]:
        """Workflows with an expired lease."""
        request = metadata_pb2.ListExpiredLeasesRequest(max_workflows=100)
        return list((await self.call("ListExpiredLeases", request)).groups)

    async def release(
        self,
        workflow_id: str,
        *document_ids: str,
        cause: metadata_pb2.ReleaseCause.ValueType = NOT_STARTED,
    ) -> metadata_pb2.ReleaseClaimResponse:
        """Gives documents back."""
        request = metadata_pb2.ReleaseClaimRequest(
            workflow_id=workflow_id, document_ids=document_ids, cause=cause
        )
        answer: metadata_pb2.ReleaseClaimResponse = await self.call("ReleaseClaim", request)
        return answer

    # The rows

    async def sql(self, statement: str, **parameters: object) -> Sequence[Any]:
        """Runs a statement and commits; its rows, if it has any."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else ()

    async def row(self, document_id: str) -> Any:
        """A document's row."""
        (row,) = await self.sql("SELECT * FROM document WHERE id = :id", id=UUID(document_id).bytes)
        return row

    async def events(self, document_id: str) -> list[tuple[str, str | None]]:
        """A document's events: status and reason, in order."""
        rows = await self.sql(
            "SELECT status, reason FROM event WHERE document_id = :id ORDER BY id",
            id=UUID(document_id).bytes,
        )
        return [(row.status, row.reason) for row in rows]

    async def terminal_events(self) -> Counter[str]:
        """How many terminal events each document has."""
        rows = await self.sql("SELECT document_id, status FROM event WHERE document_id IS NOT NULL")
        return Counter(str(UUID(bytes=row[0])) for row in rows if row[1] in TERMINAL)

    async def batch_finished_events(self, batch_id: str) -> int:
        """How often a batch was said to have finished."""
        ((count,),) = await self.sql(
            "SELECT COUNT(*) FROM event WHERE batch_id = :id AND type = 'batch.finished'",
            id=UUID(batch_id).bytes,
        )
        return int(count)

    async def expire(self, workflow_id: str) -> None:
        """Puts the end of a workflow's leases into the past."""
        await self.sql(
            "UPDATE document SET lease_expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND"
            " WHERE workflow_id = :workflow_id AND status = 'processing'",
            workflow_id=workflow_id,
        )

    async def empty(self) -> None:
        """Removes everything that is recorded."""
        for table in (
            *("document", "batch", "event", "api_key", "workflow_slot"),
            *("idempotency_key", "deletion"),
        ):
            await self.sql(f"DELETE FROM {table}")  # noqa: S608 - our own names


def metadata_settings(database_url: str, redis_url: str, **record: Any) -> MetadataSettings:
    """Settings for free ports; `record` has fields of `RecordSettings`."""
    return MetadataSettings(
        process=ProcessSettings(),
        tracing=TracingSettings.model_construct(endpoint=None),
        grpc=GrpcSettings.model_construct(token=SecretStr(_TOKEN)),
        server=ServerSettings.model_construct(host="127.0.0.1", port=0, metrics_port=0),
        database=DatabaseSettings.model_construct(url=SecretStr(database_url)),
        redis=RedisSettings.model_construct(url=SecretStr(redis_url)),
        record=RecordSettings.model_construct(**record),
    )


@asynccontextmanager
async def served(settings: MetadataSettings) -> AsyncIterator[Metadata]:
    """The service in this process, and a peer of it."""
    lifecycle = Lifecycle()
    engine = create_async_engine(settings.database.engine_url(), isolation_level="READ COMMITTED")
    try:
        async with (
            metadata_service(settings, lifecycle) as server,
            grpc_peer("metadata", f"127.0.0.1:{server.port}", settings.grpc) as peer,
        ):
            try:
                yield Metadata(peer, engine, settings)
            finally:
                lifecycle.stop()
                await asyncio.sleep(0)
        assert lifecycle.failure is None
    finally:
        await engine.dispose()


async def create_database(server_url: str, name: str) -> str:
    """A new, empty database on a server; its URL."""
    url = make_url(server_url)
    engine = create_async_engine(url.set(drivername="mysql+asyncmy"))
    async with engine.begin() as connection:
        await connection.execute(text(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4"))
    await engine.dispose()
    return url.set(database=name).render_as_string(hide_password=False)
