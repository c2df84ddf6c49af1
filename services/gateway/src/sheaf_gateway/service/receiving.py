"""Receiving one upload: its body is parsed as it streams, its files are stored meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sheaf_common.errors import InvalidInput, Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway import metrics
from sheaf_gateway.domain.uploads import AcceptedFile, FileOutcome, RejectedFile, concurrency_bound
from sheaf_gateway.form import FormParser, PartEnd, PartStart
from sheaf_gateway.idempotency import Fingerprint
from sheaf_gateway.service.admission import ByteBudget
from sheaf_gateway.service.fields import Asked, FieldPart, UploadFields, check_no_file
from sheaf_gateway.service.files import FilePart
from sheaf_gateway.service.passwords import PasswordSealer
from sheaf_gateway.service.puts import Putter
from sheaf_gateway.service.slots import PutSlots
from sheaf_gateway.settings import UploadSettings


@dataclass(frozen=True, slots=True)
class ReceivedUpload:
    """What a whole body held: every file's outcome in its order, and what is asked for them."""

    outcomes: tuple[FileOutcome, ...]
    asked: Asked

    @property
    def accepted(self) -> tuple[AcceptedFile, ...]:
        """The files whose content is stored."""
        return tuple(item for item in self.outcomes if isinstance(item, AcceptedFile))

    @property
    def rejected(self) -> tuple[RejectedFile, ...]:
        """The files that were not taken."""
        return tuple(item for item in self.outcomes if isinstance(item, RejectedFile))


class UploadReceiver:
    """Receives one upload. Use once; after a failure of `receive` call `abandon`.

    Holds in memory at most the chunk that is parsed, one piece of the file that streams,
    and small files as far as the byte budget grants them.
    """

    def __init__(
        self,
        putter: Putter,
        budget: ByteBudget,
        limits: UploadSettings,
        sealer: PasswordSealer,
    ) -> None:
        self._putter = putter
        self._budget = budget
        self._limits = limits
        self._files: list[FilePart] = []
        self._fields = UploadFields(sealer)
        self._slots = PutSlots(self._bound)

    async def receive(
        self, body: AsyncIterator[bytes], boundary: str, fingerprint: Fingerprint | None = None
    ) -> ReceivedUpload:
        """Reads the whole body and stores its files; `fingerprint` is shown every part of it.

        Raises:
            InvalidInput: `MULTIPART_INVALID`, `BODY_TOO_LARGE`, `BODY_EMPTY`, `NO_FILES`,
                `TOO_MANY_FILES`, `TOO_MANY_FIELDS`, `FIELD_TOO_LARGE`, `FIELD_REPEATED`,
                `FIELD_IS_FILE`, `FIELD_UNKNOWN`, `PRODUCT_INVALID`, `METADATA_INVALID`,
                `OPTION_INVALID`, `PASSWORDS_NOT_ACCEPTED`.
            SheafError: storage failed. What `body` raises passes unchanged.
        """
        parser = FormParser(boundary)
        part: FilePart | FieldPart | None = None
        received = 0
        async for chunk in body:
            received += len(chunk)
            if received > self._limits.max_body_bytes:
                raise body_too_large(self._limits.max_body_bytes)
            for event in parser.feed(chunk):
                if fingerprint is not None:
                    fingerprint.take(event)
                if isinstance(event, PartStart):
                    part = self._begin(event)
                elif part is not None:
                    await (part.end() if isinstance(event, PartEnd) else part.write(event))
            self._slots.raise_failure()
        if received == 0:
            raise InvalidInput("BODY_EMPTY", "the body is empty")
        parser.finish()
        if not self._files:
            raise InvalidInput("NO_FILES", "the body has no file; name its part file or files")
        asked = self._fields.asked()
        await self._slots.settle()
        metrics.PUT_CONCURRENCY.observe(self._slots.peak)
        return ReceivedUpload(tuple(part.outcome() for part in self._files), asked)

    async def abandon(self) -> list[str]:
        """Ends what is under way and returns the keys at which something may be stored.

        Puts under way are let finish for a moment: what a cancelled one stores a little
        later could not be deleted now.
        """
        for part in self._files:
            part.abandon(Unavailable("UPLOAD_FAILED", "the upload has failed"))
        await self._slots.stop(self._limits.cleanup_timeout_s)
        return [part.key for part in self._files if part.may_be_stored]

    def _begin(self, start: PartStart) -> FilePart | FieldPart:
        if start.is_file:
            check_no_file(start.name)
            part = FilePart(
                new_id(),
                start.filename,
                putter=self._putter,
                slots=self._slots,
                budget=self._budget,
                limits=self._limits,
            )
            self._files.append(part)
            limit = self._limits.max_files
            if len(self._files) > limit:
                raise InvalidInput(
                    "TOO_MANY_FILES", f"more than {limit} files", evidence={"limit": str(limit)}
                )
            return part
        return self._fields.begin(start.name)

    def _bound(self) -> int:
        return concurrency_bound(
            len(self._files),
            self._limits.concurrency_max,
            fixed=self._limits.is_rolled_back,
        )


async def reread(
    body: AsyncIterator[bytes], boundary: str, fingerprint: Fingerprint, max_body_bytes: int
) -> None:
    """Reads a whole body and stores nothing of it; `fingerprint` is shown every part.

    Raises:
        InvalidInput: `MULTIPART_INVALID`, `BODY_TOO_LARGE`. What `body` raises passes unchanged.
    """
    parser = FormParser(boundary)
    received = 0
    async for chunk in body:
        received += len(chunk)
        if received > max_body_bytes:
            raise body_too_large(max_body_bytes)
        for event in parser.feed(chunk):
            fingerprint.take(event)
    parser.finish()


def body_too_large(limit_bytes: int) -> InvalidInput:
    """The body exceeds its bound."""
    return InvalidInput(
        "BODY_TOO_LARGE",
        f"the body is larger than {limit_bytes} bytes",
        evidence={"limit_bytes": str(limit_bytes)},
    )
