"""Reading documents, batches, workflows and what was found in them."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from uuid import UUID

from sheaf_common.errors import DataLoss, FailedPrecondition, NotFound, SheafError
from sheaf_gateway.domain.documents import Batch, Columns, Document, DocumentStatus, Workflow
from sheaf_gateway.domain.listing import DocumentPage, ListFilter
from sheaf_gateway.ports.objects import ObjectContent, ObjectStore
from sheaf_gateway.ports.records import Records
from sheaf_gateway.service.results import ResultReader
from sheaf_gateway.service.waiting import LongPolls

_RETRY_S: Final = 1.0
_OF_ORIGINAL: Final = frozenset({"filename", "content_type", "size_bytes", "sha256", "object_key"})
_NOTHING: Final = frozenset[str]()
_OF_RESULT: Final = frozenset({"status", "reason", "result_key"})

Gone = Callable[[], Coroutine[Any, Any, None]]
"""Returns when the caller has gone."""


class ReadingService:
    """The use cases behind every GET of a user's things."""

    def __init__(
        self, records: Records, store: ObjectStore, polls: LongPolls, results: ResultReader
    ) -> None:
        self._records = records
        self._store = store
        self._polls = polls
        self._results = results

    async def document(
        self, document_id: UUID, columns: Columns, wait_s: float, gone: Gone
    ) -> Document:
        """A document; waits up to `wait_s` for its terminal status.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`. CallerGone: nobody reads the answer.
        """

        async def ask(patience_s: float) -> Document:
            return await self._records.document(document_id, columns, wait_s=patience_s)

        return await self._polls.wait(ask, wait_s, gone)

    async def batch(self, batch_id: UUID, columns: Columns, wait_s: float, gone: Gone) -> Batch:
        """A batch; waits up to `wait_s` for its end.

        Raises:
            NotFound: `BATCH_NOT_FOUND`. CallerGone: nobody reads the answer.
        """

        async def ask(patience_s: float) -> Batch:
            return await self._records.batch(batch_id, columns, wait_s=patience_s)

        return await self._polls.wait(ask, wait_s, gone)

    async def workflow(self, workflow_id: str, columns: Columns) -> Workflow:
        """The user's documents of a workflow.

        Raises:
            NotFound: `WORKFLOW_NOT_FOUND`. InvalidInput: `FIELD_INVALID`.
        """
        return await self._records.workflow(workflow_id, columns)

    async def documents(
        self, wanted: ListFilter, columns: Columns, *, limit: int, cursor: str
    ) -> DocumentPage:
        """A page of the user's documents.

        Raises:
            InvalidInput: `CURSOR_INVALID`; `FIELD_INVALID`, naming the filter.
        """
        return await self._records.documents(wanted, columns, limit=limit, cursor=cursor)

    async def stored(self, document_id: UUID) -> Document:
        """A document as to its original. Raises NotFound."""
        return await self._records.document(document_id, _OF_ORIGINAL)

    def content(
        self, document: Document, *, offset: int, length_bytes: int
    ) -> AbstractAsyncContextManager[ObjectContent]:
        """Opens the original, or a range of it; length 0 means to the end."""
        return self._store.get(document.object_key, offset=offset, length_bytes=length_bytes)

    async def text(self, document: Document) -> bytes:
        """A completed document's text as UTF-8, its pages joined by form feeds.

        Raises:
            FailedPrecondition: `RESULT_TOO_LARGE`. DataLoss: the result cannot be read.
            NotFound: the document was deleted meanwhile.
        """
        return await self._of_result(document, self._results.text)

    async def markdown(self, document: Document) -> bytes:
        """A completed document as Markdown, in UTF-8.

        Raises:
            FailedPrecondition, DataLoss, NotFound: as `text`.
            FailedPrecondition: `NO_MARKDOWN`.
        """
        return await self._of_result(document, self._results.markdown)

    async def _of_result(
        self, document: Document, read: Callable[[ObjectContent], Coroutine[Any, Any, bytes]]
    ) -> bytes:
        try:
            async with self.result(document) as content:
                return await read(content)
        except NotFound as error:
            raise await self.missing(document) from error

    def result(self, document: Document) -> AbstractAsyncContextManager[ObjectContent]:
        """Opens the stored result of a completed document: zstd-compressed JSON."""
        return self._store.get(document.result_key)

    async def completed(self, document_id: UUID) -> Document:
        """A document that has a result, as to that.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            FailedPrecondition: `NOT_READY` while more may come, else `NO_RESULT`.
        """
        document = await self._records.document(document_id, _OF_RESULT)
        evidence = {"document_status": str(document.status)}
        if not document.has_ended:
            raise FailedPrecondition(
                "NOT_READY",
                "the document is still being worked on",
                evidence=evidence,
                retry_after_s=_RETRY_S,
            )
        if document.status is not DocumentStatus.COMPLETED:
            raise FailedPrecondition(
                "NO_RESULT",
                f"the document ended as {document.status}: {document.reason}",
                evidence={**evidence, "reason": document.reason},
            )
        return document

    async def missing(self, document: Document) -> SheafError:
        """See `missing`."""
        return await missing(self._records, document)


async def missing(records: Records, document: Document) -> SheafError:
    """Why a recorded object is not in the store: its document was deleted, or it is lost."""
    try:
        await records.document(UUID(document.document_id), _NOTHING)
    except NotFound as deleted:
        return deleted
    return DataLoss(
        "OBJECT_MISSING",
        "the document is recorded, but its content is not in the store",
        evidence={"document_id": document.document_id},
    )
