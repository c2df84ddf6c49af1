"""The gateway in process, over small fakes of its ports, and a client that speaks ASGI."""

import asyncio
import hashlib
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    MutableMapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import httpx
from litestar.types import ASGIApp

from sheaf_common import context
from sheaf_common.errors import InvalidInput, NotFound, SheafError, Unauthenticated
from sheaf_common.grpc.settings import GrpcSettings
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.process import ProcessSettings
from sheaf_gateway.api.app import Services, create_app
from sheaf_gateway.domain import (
    AcceptedFile,
    Batch,
    Document,
    DocumentPage,
    DocumentStatus,
    KeyOwner,
    Scope,
    StoredObject,
)
from sheaf_gateway.ports import ObjectContent, Serving
from sheaf_gateway.service.finishing import FinishingWork
from sheaf_gateway.settings import (
    GatewaySettings,
    HttpSettings,
    PeerSettings,
    ResultSettings,
    UploadSettings,
)
from sheaf_gateway.wiring import build_services

KEY: Final = "sk_test_0123456789"
READ_ONLY_KEY: Final = "sk_read_0123456789"
USER: Final = "user-1"
PDF: Final = b"%PDF-1.7 a small document"
BOUNDARY: Final = "b0undary"
MULTIPART: Final = f"multipart/form-data; boundary={BOUNDARY}"

Hook = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    pass


@dataclass
class FakeStore:
    """The ObjectStore port in memory. `before_put` and `before_delete` may wait or raise."""

    objects: dict[str, bytes] = field(default_factory=dict)
    before_put: Callable[[str], Awaitable[None]] | None = None
    after_put: Hook = _nothing
    before_delete: Hook = _nothing
    piece_taken: Hook = _nothing
    running: int = 0
    peak: int = 0
    puts: int = 0
    streamed: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)

    async def put(
        self,
        key: str,
        filename: str,
        content: bytes | AsyncIterable[bytes],
        *,
        accepted_content_types: Sequence[str],
        max_size_bytes: int,
        timeout_s: float,
    ) -> StoredObject:
        """Stores what begins like a PDF or is text; refuses the rest as the service does."""
        self.puts += 1
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            async with asyncio.timeout(timeout_s):
                if self.before_put is not None:
                    await self.before_put(filename)
                whole = await self._whole(key, content)
                stored = _described(key, whole)
                self.objects[key] = whole
                await self.after_put()
                return stored
        finally:
            self.running -= 1

    async def _whole(self, key: str, content: bytes | AsyncIterable[bytes]) -> bytes:
        if isinstance(content, bytes):
            return content
        self.streamed.append(key)
        pieces = []
        async for piece in content:
            pieces.append(piece)
            await self.piece_taken()
        return b"".join(pieces)

    @asynccontextmanager
    async def get(
        self, key: str, *, offset: int = 0, length_bytes: int = 0
    ) -> AsyncIterator[ObjectContent]:
        """Reads in pieces of 64 KiB."""
        if key not in self.objects:
            raise NotFound("OBJECT_NOT_FOUND", "no such object")
        whole = self.objects[key]
        part = whole[offset : offset + length_bytes] if length_bytes else whole[offset:]

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(part), 65536):
                await asyncio.sleep(0)
                yield part[start : start + 65536]

        digest = hashlib.sha256(whole).digest()
        yield ObjectContent(StoredObject(key, len(whole), digest, "x/y"), chunks())

    async def delete(self, keys: Sequence[str], *, timeout_s: float) -> None:
        """Deletes."""
        await self.before_delete()
        self.deleted.extend(keys)
        for key in keys:
            self.objects.pop(key, None)


def _described(key: str, content: bytes) -> StoredObject:
    if not content:
        raise InvalidInput("OBJECT_EMPTY", "the object is empty", evidence={"key": key})
    if content.startswith(b"%PDF"):
        content_type = "application/pdf"
    elif b"\x00" in content[:512]:
        raise InvalidInput(
            "UNSUPPORTED_MEDIA_TYPE",
            "not among the accepted types",
            evidence={"key": key, "content_type": "application/octet-stream"},
        )
    else:
        content_type = "text/plain"
    return StoredObject(key, len(content), hashlib.sha256(content).digest(), content_type)


@dataclass
class FakeRecords:
    """The Records and KeyDirectory ports in memory.

    `answers` are taken one by one by `register`: an error is raised, after the commit where
    `commits` is true.
    """

    rows: dict[str, Document] = field(default_factory=dict)
    owners: dict[str, str | None] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    answers: list[SheafError] = field(default_factory=list)
    commits: bool = False
    before_register: Hook = _nothing
    registrations: int = 0
    resolutions: int = 0
    waits: list[float] = field(default_factory=list)
    cancelled_waits: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    keys: dict[bytes, KeyOwner] = field(default_factory=dict)

    async def register(
        self, batch_id: UUID, product: str, files: Sequence[AcceptedFile], *, timeout_s: float
    ) -> tuple[Document, ...]:
        """Registers, idempotent by document id."""
        self.registrations += 1
        await self.before_register()
        error = self.answers.pop(0) if self.answers else None
        if error is not None and not self.commits:
            raise error
        self.products[str(batch_id)] = product
        for file in files:
            row = _queued(batch_id, file)
            self.rows.setdefault(row.document_id, row)
            self.owners[row.document_id] = context.current_user_id()
        if error is not None:
            raise error
        return tuple(self.rows[str(file.document_id)] for file in files)

    async def document(self, document_id: UUID, *, wait_s: float = 0) -> Document:
        """Waits until the row is terminal."""
        self._own(str(document_id))
        if wait_s:
            await self._wait(wait_s, lambda: self._ended(str(document_id)))
        return self.rows[str(document_id)]

    async def batch(self, batch_id: UUID, *, wait_s: float = 0) -> Batch:
        """Waits until every row is terminal."""
        ids = [row.document_id for row in self.rows.values() if row.batch_id == str(batch_id)]
        if not ids:
            raise NotFound("BATCH_NOT_FOUND", "no such batch")
        if wait_s:
            await self._wait(wait_s, lambda: all(self._ended(item) for item in ids))
        rows = tuple(self.rows[item] for item in ids)
        counts = {status: sum(row.status is status for row in rows) for status in DocumentStatus}
        return Batch(
            str(batch_id),
            self.products[str(batch_id)],
            {status: count for status, count in counts.items() if count},
            datetime.now(UTC),
            None,
            rows,
        )

    async def documents(
        self,
        *,
        status: DocumentStatus | None,
        product: str,
        batch_id: UUID | None,
        limit: int,
        cursor: str,
    ) -> DocumentPage:
        """Newest first; the cursor is an id."""
        rows = sorted(self.rows.values(), key=lambda row: row.document_id, reverse=True)
        found = [
            row
            for row in rows
            if (not cursor or row.document_id < cursor)
            and (status is None or row.status is status)
            and (batch_id is None or row.batch_id == str(batch_id))
        ]
        more = found[limit - 1].document_id if len(found) > limit else ""
        return DocumentPage(tuple(found[:limit]), more)

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """The owner of a known key."""
        self.resolutions += 1
        if sha256 not in self.keys:
            raise Unauthenticated("API_KEY_UNKNOWN", "the API key is not known")
        return self.keys[sha256]

    def add_key(self, key: str, owner: KeyOwner) -> None:
        """Makes a key known."""
        self.keys[hashlib.sha256(key.encode()).digest()] = owner

    def end(self, document_id: str, status: DocumentStatus, **changes: Any) -> None:
        """Brings a document to an end."""
        row = self.rows[document_id]
        self.rows[document_id] = replace(row, status=status, **changes)
        self.changed.set()

    def _own(self, document_id: str) -> None:
        if self.owners.get(document_id, "") != context.current_user_id():
            raise NotFound("DOCUMENT_NOT_FOUND", "no such document")

    def _ended(self, document_id: str) -> bool:
        return self.rows[document_id].status.is_terminal

    async def _wait(self, wait_s: float, ended: Callable[[], bool]) -> None:
        self.waits.append(wait_s)
        try:
            async with asyncio.timeout(wait_s):
                while not ended():
                    self.changed.clear()
                    await self.changed.wait()
        except TimeoutError:
            pass
        except asyncio.CancelledError:
            self.cancelled_waits += 1
            raise


def _queued(batch_id: UUID, file: AcceptedFile) -> Document:
    return Document(
        document_id=str(file.document_id),
        batch_id=str(batch_id),
        filename=file.filename,
        status=DocumentStatus.QUEUED,
        attempt=1,
        content_type=file.stored.content_type,
        size_bytes=file.stored.size_bytes,
        sha256=file.stored.sha256,
        object_key=file.stored.key,
        result_key="",
        page_count=0,
        character_count=0,
        partial=False,
        reason="",
        reason_detail="",
        uploaded_at=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        started_at=None,
        finished_at=None,
    )


@dataclass
class FakeProbe:
    """The HealthProbe port: everything is well unless said otherwise."""

    said: dict[str, Serving] = field(
        default_factory=lambda: dict.fromkeys(
            ("storage", "s3", "metadata", "mysql", "redis", "orchestrator", "temporal"),
            Serving.YES,
        )
    )
    asked: int = 0

    async def ask(self) -> Mapping[str, Serving]:
        """What was said."""
        self.asked += 1
        await asyncio.sleep(0)
        return dict(self.said)


@dataclass
class Gateway:
    """A gateway over fakes."""

    store: FakeStore
    records: FakeRecords
    probe: FakeProbe
    lifecycle: Lifecycle
    finishing: FinishingWork
    services: Services
    app: ASGIApp

    def http(self, key: str | None = KEY) -> httpx.AsyncClient:
        """A client; sends `key` unless it is None."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)  # type: ignore[arg-type]
        return httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers)

    def call(self, method: str, path: str, **headers: str) -> "AsgiCall":
        """One request whose body and connection the test controls."""
        return AsgiCall(self.app, method, path, {"authorization": f"Bearer {KEY}", **headers})

    @property
    def nothing_left(self) -> bool:
        """Whether there is no object, no row, and no memory held."""
        return (
            not self.store.objects
            and not self.records.rows
            and not self.services.intake._budget.used_bytes
            and not self.services.intake._admission._in_flight
        )


def build_gateway(**changes: Any) -> Gateway:
    """A gateway whose upload settings are the defaults with `changes`."""
    store, records, probe = FakeStore(), FakeRecords(), FakeProbe()
    both = frozenset({Scope.READ.value, Scope.WRITE.value})
    records.add_key(KEY, KeyOwner(USER, both))
    records.add_key(READ_ONLY_KEY, KeyOwner(USER, frozenset({Scope.READ.value})))
    lifecycle, finishing = Lifecycle(), FinishingWork()
    http_names: dict[str, Any] = {
        name: changes.pop(name) for name in ("max_waits",) if name in changes
    }
    result_names: dict[str, Any] = {
        name: changes.pop(name)
        for name in ("max_stored_bytes", "max_result_bytes", "max_text_bytes")
        if name in changes
    }
    settings = GatewaySettings(
        process=ProcessSettings(),
        http=HttpSettings().model_copy(update=http_names),
        peers=PeerSettings(),
        grpc=GrpcSettings.model_construct(),
        uploads=UploadSettings().model_copy(update=changes),
        results=ResultSettings().model_copy(update=result_names),
    )
    services = build_services(
        settings,
        store=store,
        records=records,
        keys=records,
        probe=probe,
        finishing=finishing,
        lifecycle=lifecycle,
    )
    return Gateway(store, records, probe, lifecycle, finishing, services, create_app(services))


def form(*parts: tuple[str, str | None, bytes], boundary: str = BOUNDARY) -> bytes:
    """A multipart body of (name, filename or None, content)."""
    lines = []
    for name, filename, content in parts:
        named = "" if filename is None else f'; filename="{filename}"'
        lines.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
            + content
            + b"\r\n"
        )
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


class AsgiCall:
    """A request under way: `feed` sends body, `leave` closes the connection."""

    def __init__(self, app: ASGIApp, method: str, path: str, headers: Mapping[str, str]) -> None:
        path, _, query = path.partition("?")
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": raw,
            "client": ("127.0.0.1", 1),
            "server": ("gateway", 80),
            "state": {},
        }
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[MutableMapping[str, Any]] = []
        self.received = 0
        self.task = asyncio.ensure_future(app(scope, self._receive, self._send))  # type: ignore[arg-type]

    async def _receive(self) -> Any:
        if self._incoming.empty() and self._gone:
            return {"type": "http.disconnect"}
        message = await self._incoming.get()
        self.received += 1
        return message

    async def _send(self, message: Any) -> None:
        self.sent.append(message)

    _gone = False

    def feed(self, body: bytes, *, more: bool = True) -> None:
        """Makes the next bytes of the body arrive."""
        self._incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        """Closes the connection."""
        self._gone = True
        self._incoming.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        """The status that was sent; 0 before."""
        return int(self.sent[0]["status"]) if self.sent else 0

    @property
    def headers(self) -> dict[str, str]:
        """The headers that were sent."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        """The body that was sent."""
        return b"".join(message.get("body", b"") for message in self.sent[1:])
