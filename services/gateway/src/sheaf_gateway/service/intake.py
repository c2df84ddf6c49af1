"""Taking documents in: receive and store the files, register the batch, or leave nothing."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, TypeVar

import structlog

from sheaf_common import context
from sheaf_common.context import RequestContext
from sheaf_common.errors import InvalidInput, SheafError
from sheaf_common.failpoints import failpoint
from sheaf_common.ids import new_id
from sheaf_gateway import metrics
from sheaf_gateway.domain.registration import NewBatch
from sheaf_gateway.domain.uploads import RejectedFile
from sheaf_gateway.idempotency import HeldKey
from sheaf_gateway.options import Duplicates
from sheaf_gateway.ports.idempotency import KeyAnswer
from sheaf_gateway.ports.objects import ObjectStore
from sheaf_gateway.ports.records import Records
from sheaf_gateway.service import answers
from sheaf_gateway.service.admission import Admission, ByteBudget
from sheaf_gateway.service.answers import TakenBatch
from sheaf_gateway.service.copying import ResultCopier
from sheaf_gateway.service.finishing import FinishingWork
from sheaf_gateway.service.keyholding import KeyedUpload, KeyHolding, key_reused
from sheaf_gateway.service.passwords import PasswordSealer
from sheaf_gateway.service.puts import Putter
from sheaf_gateway.service.receiving import (
    ReceivedUpload,
    UploadReceiver,
    body_too_large,
    reread,
)
from sheaf_gateway.service.registration import Registrar, RegistrationRefused
from sheaf_gateway.service.reusing import ReusingRegistrar
from sheaf_gateway.settings import UploadSettings

log = structlog.get_logger()

_DELETE_TRIES = 2

ResultT = TypeVar("ResultT")


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
        holding: KeyHolding,
        copier: ResultCopier,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._putter = Putter(store, limits)
        self._registrar = ReusingRegistrar(Registrar(records, limits.register_timeout_s), copier)
        self._admission = admission
        self._budget = budget
        self._finishing = finishing
        self._holding = holding
        self._limits = limits

    @property
    def idle_timeout_s(self) -> float:
        """How long a client may send nothing."""
        return self._limits.idle_timeout_s

    async def take(
        self,
        body: AsyncIterator[bytes],
        boundary: str,
        content_length: int | None,
        key: str | None = None,
    ) -> TakenBatch:
        """Takes the files of a body in and registers them as one batch.

        Whatever fails before registration begins, cancellation included, leaves no object
        and no row, and an idempotency `key` unused. Once begun, registration is finished though
        the caller goes away. After a registration whose outcome stays unknown, the objects stay
        for the sweep, and the key is held until its lease runs out. Under a key that was
        answered the body is only read, and the first answer given again.

        Raises:
            OverCapacity, Unavailable: not admitted; nothing was read.
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`, nothing was read; `IDEMPOTENCY_KEY_LOST`.
            EveryFileRejected: no file was taken.
            InvalidInput: the body as a whole cannot be used; `IDEMPOTENCY_KEY_REUSED`.
            SheafError: a dependency failed. What `body` raises passes unchanged.
        """
        if content_length is not None and content_length > self._limits.max_body_bytes:
            raise body_too_large(self._limits.max_body_bytes)
        with self._admission.slot():
            if key is None:
                return await self._take(body, boundary, None)
            begun = await self._holding.begin(key)
            if isinstance(begun, KeyAnswer):
                return await self._repeat(body, boundary, begun)
            return await self._take(body, boundary, begun)

    async def _take(
        self, body: AsyncIterator[bytes], boundary: str, keyed: KeyedUpload | None
    ) -> TakenBatch:
        upload = UploadReceiver(self._putter, self._budget, self._limits, self._sealer)
        held = None if keyed is None else keyed.held
        fingerprint = None if keyed is None else keyed.fingerprint
        try:
            async with nullcontext() if held is None else self._holding.kept(held):
                received = await self._in_time(upload.receive(body, boundary, fingerprint))
                await failpoint("gateway.put_done")
        except BaseException:
            await self._finishing.run(self._give_up(upload, held))
            raise
        _count(received)
        if not received.accepted:
            if held is not None:
                await self._finishing.run(self._holding.abandon(held))
            raise EveryFileRejected(received.rejected)
        return await self._finishing.run(self._register(upload, received, keyed))

    async def _repeat(
        self, body: AsyncIterator[bytes], boundary: str, first: KeyAnswer
    ) -> TakenBatch:
        fingerprint = self._holding.fingerprint()
        await self._in_time(reread(body, boundary, fingerprint, self._limits.max_body_bytes))
        if fingerprint.digest() != first.fingerprint:
            raise key_reused()
        taken = answers.decoded(first.answer, first.documents)
        log.info("an upload was answered again", batch_id=str(taken.batch_id))
        return taken

    async def _in_time(self, reading: Coroutine[Any, Any, ResultT]) -> ResultT:
        limit_s = self._limits.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                return await reading
        except TimeoutError as error:
            raise InvalidInput(
                "UPLOAD_TIMEOUT",
                f"the upload was not complete within {limit_s:g} s",
                evidence={"limit_s": f"{limit_s:g}"},
            ) from error

    async def _register(
        self, upload: UploadReceiver, received: ReceivedUpload, keyed: KeyedUpload | None
    ) -> TakenBatch:
        batch = self._batch(received)
        if keyed is not None:
            outcome = keyed.outcome(batch.batch_id, received.outcomes)
            batch = replace(batch, idempotency=outcome)
        try:
            documents = await self._registrar.register(batch)
        except RegistrationRefused as refusal:
            await self._give_up(upload, None if keyed is None else keyed.held)
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
            metadata_json=asked.metadata_json,
            find_reusable=asked.duplicates is Duplicates.REUSE and asked.password is None,
        )

    async def _give_up(self, upload: UploadReceiver, held: HeldKey | None) -> None:
        """Leaves the key, if there is one, as if it had not been used, and no object."""
        if held is not None:
            await self._holding.abandon(held)
        await self._discard(upload)

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
