"""Sending many files: batches go up a few at a time and are followed to their end."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sheaf_client import (
    AsyncClient,
    Document,
    Duplicates,
    InvalidRequestError,
    OcrMode,
    Priority,
    SheafClientError,
    Upload,
    UploadOptions,
    batched,
)
from sheaf_client import files_under as files_in
from sheaf_dev.connection import Connection
from sheaf_dev.errors import DevError
from sheaf_dev.following import looks
from sheaf_dev.sent_files import SentFile, after_parents, found_in, updated

_BATCH_FILES: Final = 20
_BATCH_BYTES: Final = 32 * 2**20
_UPLOAD_TRIES: Final = 20
_UPLOAD_FOR_S: Final = 600.0
_UPLOADS_AT_ONCE: Final = 4
_BATCHES_AT_ONCE: Final = 32
_STALL_S: Final = 300.0
"""How long a batch may make no progress."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for every file; None leaves it to the server."""

    priority: Priority | None = None
    words: bool | None = None
    ocr: OcrMode | None = None
    ocr_languages: tuple[str, ...] | None = None
    password: str | None = field(default=None, repr=False)
    product: str | None = None
    pages: str | None = None
    duplicates: Duplicates | None = None

    @property
    def options(self) -> UploadOptions:
        """The same, as the client takes it."""
        return UploadOptions(
            priority=self.priority,
            words=self.words,
            ocr=self.ocr,
            ocr_languages=self.ocr_languages,
            password=self.password,
            product=self.product,
            pages=self.pages,
            duplicates=self.duplicates,
        )


NOTHING_ASKED: Final = Asked()


def files_under(paths: Iterable[Path]) -> list[Path]:
    """The given files, and those in the given folders in sorted order; hidden ones not.

    Raises:
        DevError: a path is not there, or there is no file.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found.extend(files_in(path))
        elif path.exists():
            found.append(path)
        else:
            raise DevError(f"no such file or folder: {path}")
    if not found:
        raise DevError("there is no file to send")
    return found


async def send(
    connection: Connection,
    paths: Sequence[Path],
    on_change: Callable[[Sequence[SentFile]], None],
    asked: Asked = NOTHING_ASKED,
    on_bytes: Callable[[int], object] | None = None,
) -> list[SentFile]:
    """Sends the files and follows them; tells `on_change` as they settle, a batch at a time.

    `on_bytes` is told how many bytes of all files have gone up.

    What is found in a file, such as a mail's attachments, is followed too, and stands after it.
    """
    uploads, batches = asyncio.Semaphore(_UPLOADS_AT_ONCE), asyncio.Semaphore(_BATCHES_AT_ONCE)
    gone_up = _GoneUp(on_bytes)
    async with AsyncClient(
        connection.url,
        connection.api_key,
        max_tries=_UPLOAD_TRIES,
        max_elapsed_s=_UPLOAD_FOR_S,
    ) as sheaf:

        async def follow(batch: Sequence[Path]) -> list[SentFile]:
            async with batches:
                return await _Batch(sheaf, batch, asked, on_change, gone_up).run(uploads)

        cut = batched(paths, max_files=_BATCH_FILES, max_bytes=_BATCH_BYTES)
        followed = await asyncio.gather(*(follow(batch) for batch in cut))
    return [file for batch in followed for file in batch]


class _GoneUp:
    """The bytes of all uploads; of one that is sent again, those that have gone up this time."""

    def __init__(self, on_bytes: Callable[[int], object] | None) -> None:
        self._by_batch: dict[int, int] = {}
        self._on_bytes = on_bytes

    def note(self, batch: int, sent_bytes: int) -> None:
        """So much of a batch has gone up."""
        self._by_batch[batch] = sent_bytes
        if self._on_bytes is not None:
            self._on_bytes(sum(self._by_batch.values()))


class _Batch:
    """One upload on its way."""

    def __init__(
        self,
        sheaf: AsyncClient,
        paths: Sequence[Path],
        asked: Asked,
        on_change: Callable[[Sequence[SentFile]], None],
        gone_up: _GoneUp,
    ) -> None:
        self._sheaf = sheaf
        self._gone_up = gone_up
        self._asked = asked
        self._files = [SentFile(path) for path in paths]
        self._on_change = on_change
        self._settled = 0

    async def run(self, uploads: asyncio.Semaphore) -> list[SentFile]:
        """Sends it and follows it to its end."""
        try:
            async with uploads:
                began = time.monotonic()
                upload = await self._upload()
            self._sent(upload, time.monotonic() - began)
            await self._follow(upload.batch_id)
        except InvalidRequestError as error:
            self._refused(error)
        except (SheafClientError, OSError) as error:
            self._replace_unsettled("error", str(error))
        return after_parents(self._files)

    async def _upload(self) -> Upload:
        return await self._sheaf.upload(
            *(file.path for file in self._files),
            on_progress=lambda sent_bytes, _: self._gone_up.note(id(self), sent_bytes),
            **self._asked.options,
        )

    def _sent(self, upload: Upload, accept_s: float) -> None:
        self._files = [
            replace(
                file,
                status="sent" if outcome.accepted else "rejected",
                document_id=outcome.id,
                reason=outcome.problem.code if outcome.problem else None,
                accept_s=accept_s,
            )
            for file, outcome in zip(self._files, upload.documents, strict=True)
        ]
        self._tell()

    async def _follow(self, batch_id: str) -> None:
        """A batch has ended when what was found in its files has ended, too."""
        changed_at = time.monotonic()
        async with aclosing(looks(self._sheaf, batch_id)) as batches:
            async for batch in batches:
                self._take(batch.documents)
                if batch.finished_at is not None:
                    self._replace_unsettled("error", "the batch has ended without it")
                elif self._tell():
                    changed_at = time.monotonic()
                elif time.monotonic() - changed_at > _STALL_S:
                    self._replace_unsettled("error", f"no progress for {_STALL_S:.0f} s")
                    return

    def _take(self, documents: Iterable[Document]) -> None:
        by_id = {document.id: document for document in documents}
        known = {file.document_id: file for file in self._files}
        for document in sorted(by_id.values(), key=lambda document: document.depth):
            parent = known.get(document.parent_id) if document.parent_id else None
            if parent is not None and document.id not in known:
                known[document.id] = found_in(parent, document)
                self._files.append(known[document.id])
        self._files = [updated(file, by_id) for file in self._files]

    def _refused(self, error: InvalidRequestError) -> None:
        """Either every file was rejected, each for its own reason, or the upload itself was."""
        problems = error.problem.errors
        if len(problems) != len(self._files):
            self._replace_unsettled("rejected", error.code)
            return
        self._files = [
            replace(file, status="rejected", reason=str(problem["problem"]["code"]))
            for file, problem in zip(self._files, problems, strict=True)
        ]
        self._tell()

    def _replace_unsettled(self, status: str, reason: str) -> None:
        self._files = [
            file if file.settled else replace(file, status=status, reason=reason)
            for file in self._files
        ]
        self._tell()

    def _tell(self) -> bool:
        settled = sum(file.settled for file in self._files)
        changed, self._settled = settled != self._settled, settled
        if changed:
            self._on_change([file for file in self._files if file.settled])
        return changed
