"""Taking documents in: receive and store the files, register the batch, or leave nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import structlog

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import InvalidInput, SheafError
from sheaf_common.failpoints import failpoint
from sheaf_common.ids import new_id
from sheaf_gateway import metrics
from sheaf_gateway.domain import Document, FileOutcome, NewBatch, RejectedFile
from sheaf_gateway.options import Duplicates
from sheaf_gateway.ports import ObjectStore, Records
from sheaf_gateway.service.admission import Admission, ByteBudget
from sheaf_gateway.service.copying import ResultCopier
from sheaf_gateway.service.finishing import FinishingWork
from sheaf_gateway.service.passwords import PasswordSealer
from sheaf_gateway.service.puts import Putter
from sheaf_gateway.service.receiving import ReceivedUpload, UploadReceiver, body_too_large
from sheaf_gateway.service.registration import Registrar, RegistrationRefused
from sheaf_gateway.service.reusing import ReusingRegistrar
from sheaf_gateway.settings import UploadSettings

log = structlog.get_logger()

_DELETE_TRIES = 2


@dataclass(frozen=True, slots=True)
class TakenBatch:
    """A registered batch: every file's outcome in order, and the documents by file."""

    batch_id: UUID
    outcomes: tuple[FileOutcome, ...]
    documents: tuple[Document, ...]


class EveryFileRejected(Exception):
    """Not one file of the upload was taken."""

    def __init__(self, rejected: tuple[RejectedFile, ...]) -> None:
        super().__init__("every file was rejected")
        self.rejected = rejected


class IntakeService:
    """The use case behind `POST /v1/documents`."""

    def __init__(
        self,
        store: ObjectStore,
        records: Records,
        *,
        admission: Admission,
        budget: ByteBudget,
        finishing: FinishingWork,
        limits: UploadSettings,
        sealer: PasswordSealer,
        copier: ResultCopier,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._putter = Putter(store, limits)
        self._registrar = ReusingRegistrar(Registrar(records, limits.register_timeout_s), copier)
        self._admission = admission
        self._budget = budget
        self._finishing = finishing
        self._limits = limits

    @property
    def idle_timeout_s(self) -> float:
        """How long a client may send nothing."""
        return self._limits.idle_timeout_s

    async def take(
        self, body: AsyncIterator[bytes], boundary: str, content_length: int | None
    ) -> TakenBatch:
        """Takes the files of a body in and registers them as one batch.

        Whatever fails before registration begins, cancellation included, leaves no object
        and no row. Once begun, registration is finished though the caller goes away. After
        a registration whose outcome stays unknown, the objects stay for the sweep.

        Raises:
            OverCapacity, Unavailable: not admitted; nothing was read.
            EveryFileRejected: no file was taken.
            InvalidInput: the body as a whole cannot be used.
            SheafError: a dependency failed. What `body` raises passes unchanged.
        """
        if content_length is not None and content_length > self._limits.max_body_bytes:
            raise body_too_large(self._limits.max_body_bytes)
        with self._admission.slot():
            upload = UploadReceiver(self._putter, self._budget, self._limits, self._sealer)
            try:
                received = await self._receive(upload, body, boundary)
                await failpoint("gateway.put_done")
            except BaseException:
                await self._finishing.run(self._discard(upload))
                raise
            _count(received)
            if not received.accepted:
                raise EveryFileRejected(received.rejected)
            return await self._finishing.run(self._register(upload, received))

    async def _receive(
        self, upload: UploadReceiver, body: AsyncIterator[bytes], boundary: str
    ) -> ReceivedUpload:
        limit_s = self._limits.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await upload.receive(body, boundary)
        except TimeoutError as error:
            raise InvalidInput(
                "UPLOAD_TIMEOUT",
                f"the upload was not complete within {limit_s:g} s",
                evidence={"limit_s": f"{limit_s:g}"},
            ) from error

    async def _register(self, upload: UploadReceiver, received: ReceivedUpload) -> TakenBatch:
        batch = self._batch(received)
        try:
            documents = await self._registrar.register(batch)
        except RegistrationRefused as refusal:
            await self._discard(upload)
            log.warning("registration was refused", reason=refusal.error.reason)
            raise refusal.error from refusal
        await failpoint("gateway.registered")
        return TakenBatch(batch.batch_id, received.outcomes, documents)

    def _batch(self, received: ReceivedUpload) -> NewBatch:
        asked, files = received.asked, received.accepted
        ids = () if asked.password is None else tuple(file.document_id for file in files)
        return NewBatch(
            batch_id=new_id(),
            product=asked.product,
            files=files,
            priority=asked.priority,
            options=asked.options,
            sealed_passwords={each: self._sealer.sealed(asked.password, each) for each in ids},
            find_reusable=asked.duplicates is Duplicates.REUSE and asked.password is None,
        )

    async def _discard(self, upload: UploadReceiver) -> None:
        """Removes what the upload stored; what cannot be removed is left to the sweep."""
        keys = await upload.abandon()
        if not keys:
            return
        request = context.current() or RequestContext(context.new_request_id())
        with context.bound(RequestContext(request.request_id, request.user_id)):
            for tries_left in reversed(range(_DELETE_TRIES)):
                try:
                    await self._store.delete(
                        keys, timeout_s=self._limits.cleanup_timeout_s / _DELETE_TRIES
                    )
                except SheafError as error:
                    if not tries_left:
                        metrics.CLEANUP_FAILURES.inc()
                        log.exception("objects are left to the sweep", keys=keys, error=str(error))
                else:
                    log.info("a failed upload's objects are deleted", objects=len(keys))
                    return


def _count(received: ReceivedUpload) -> None:
    metrics.FILES_ACCEPTED.inc(len(received.accepted))
    for item in received.rejected:
        metrics.FILES_REJECTED.labels(item.error.reason).inc()
