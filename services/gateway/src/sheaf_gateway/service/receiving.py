"""Receiving one upload: its body is parsed as it streams, its files are stored meanwhile."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from sheaf_common.errors import InvalidInput, Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway import metrics
from sheaf_gateway.domain import (
    AcceptedFile,
    FileOutcome,
    RejectedFile,
    checked_product,
    concurrency_bound,
)
from sheaf_gateway.form import FormParser, PartEnd, PartStart
from sheaf_gateway.service.admission import ByteBudget
from sheaf_gateway.service.files import FieldPart, FilePart
from sheaf_gateway.service.puts import Putter
from sheaf_gateway.service.slots import PutSlots
from sheaf_gateway.settings import UploadSettings

_MAX_FIELDS: Final = 64


@dataclass(frozen=True, slots=True)
class ReceivedUpload:
    """What a whole body held: every file's outcome in the body's order, and the fields."""

    outcomes: tuple[FileOutcome, ...]
    product: str

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

    def __init__(self, putter: Putter, budget: ByteBudget, limits: UploadSettings) -> None:
        self._putter = putter
        self._budget = budget
        self._limits = limits
        self._files: list[FilePart] = []
        self._fields: list[FieldPart] = []
        self._slots = PutSlots(self._bound)

    async def receive(self, body: AsyncIterator[bytes], boundary: str) -> ReceivedUpload:
        """Reads the whole body and stores its files.

        Raises:
            InvalidInput: `MULTIPART_INVALID`, `BODY_TOO_LARGE`, `BODY_EMPTY`, `NO_FILES`,
                `TOO_MANY_FILES`, `TOO_MANY_FIELDS`, `FIELD_TOO_LARGE`, `PRODUCT_INVALID`.
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
        product = checked_product(self._field("product"))
        await self._slots.settle()
        metrics.PUT_CONCURRENCY.observe(self._slots.peak)
        return ReceivedUpload(tuple(part.outcome() for part in self._files), product)

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
            part = FilePart(
                new_id(),
                start.filename,
                putter=self._putter,
                slots=self._slots,
                budget=self._budget,
                limits=self._limits,
            )
            self._files.append(part)
            _bounded("TOO_MANY_FILES", "files", len(self._files), self._limits.max_files)
            return part
        field = FieldPart(start.name)
        self._fields.append(field)
        _bounded("TOO_MANY_FIELDS", "fields", len(self._fields), _MAX_FIELDS)
        return field

    def _bound(self) -> int:
        return concurrency_bound(
            len(self._files),
            self._limits.concurrency_max,
            fixed=self._limits.is_rolled_back,
        )

    def _field(self, name: str) -> str:
        return next((field.text() for field in self._fields if field.name == name), "")


def body_too_large(limit_bytes: int) -> InvalidInput:
    """The body exceeds its bound."""
    return InvalidInput(
        "BODY_TOO_LARGE",
        f"the body is larger than {limit_bytes} bytes",
        evidence={"limit_bytes": str(limit_bytes)},
    )


def _bounded(reason: str, noun: str, count: int, limit: int) -> None:
    if count > limit:
        raise InvalidInput(reason, f"more than {limit} {noun}", evidence={"limit": str(limit)})
