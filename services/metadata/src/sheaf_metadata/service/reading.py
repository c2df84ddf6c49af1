"""Reading documents, and waiting for their end."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sheaf_common import context
from sheaf_common.errors import InvalidInput, NotFound
from sheaf_metadata.domain.documents import Document, WorkflowView
from sheaf_metadata.domain.fields import ALL_FIELDS, Fields, with_fields
from sheaf_metadata.domain.listing import ListFilter, check
from sheaf_metadata.domain.paging import (
    DEFAULT_PAGE,
    MAX_PAGE,
    cut_page,
    decode_cursor,
    position_fields,
)
from sheaf_metadata.ports.caching import DocumentCache
from sheaf_metadata.ports.reading import Reads
from sheaf_metadata.service.coalescing import Coalescing
from sheaf_metadata.service.monotonic import ShownVersions
from sheaf_metadata.service.observer import Observer
from sheaf_metadata.service.open_check import OpenCheck
from sheaf_metadata.service.waiting import DocumentEnded, Signal, Waiters, ends_at


@dataclass(frozen=True, slots=True)
class ReadDocuments:
    """Reads as the current user; without one, as an internal caller who sees everything.

    `cache` admits nothing older than what is `shown`, and everything that is read is noted
    there. `recheck_s` is how often a waiter looks without having been woken.
    """

    reads: Reads
    cache: DocumentCache
    shown: ShownVersions
    coalescing: Coalescing
    waiters: Waiters
    observer: Observer
    open_check: OpenCheck
    recheck_s: float

    async def document(self, document_id: UUID, fields: Fields, wait_s: float) -> Document:
        """A document; once it is terminal, or as it is after `wait_s`.

        Raises:
            NotFound: `DOCUMENT_NOT_FOUND`.
            SheafError: as `Reads` and `Coalescing`, and `OverCapacity` if too many wait.
        """
        user_id = context.current_user_id()
        if wait_s <= 0:
            return await self._current(document_id, fields, user_id)
        until = ends_at(wait_s)
        with self.waiters.waiting_for(DocumentEnded(document_id)) as signal:
            while True:
                signal.clear()
                found = await self._terminal_or_current(document_id, fields, user_id)
                left_s = until - time.monotonic()
                if _terminal(found) or left_s <= 0 or signal.closed:
                    return found
                await self._change(document_id, signal, until)

    async def _change(self, document_id: UUID, signal: Signal, until: float) -> None:
        """Returns when the document may have ended, the wait is over, or the process stops."""
        while (left_s := until - time.monotonic()) > 0 and not signal.closed:
            if await signal.wait(min(self.recheck_s, left_s)):
                return
            if not await self.open_check.is_open(document_id):
                return

    async def workflow(self, workflow_id: str, fields: Fields) -> WorkflowView:
        """The current user's documents of a workflow.

        Raises:
            NotFound: `WORKFLOW_NOT_FOUND`. InvalidInput: `FIELD_INVALID`.
        """
        check(ListFilter(workflow_id=workflow_id))
        user_id = context.current_user_id()
        needed = with_fields(fields, "document_id", "status", "row_version")
        query = partial(self.reads.workflow, workflow_id, needed, user_id)
        found = await self.coalescing.read("workflow", (workflow_id, needed, user_id), query)
        if found is None:
            raise NotFound(
                "WORKFLOW_NOT_FOUND",
                f"no document is of the workflow {workflow_id}",
                evidence={"workflow_id": workflow_id},
            )
        self.shown.show(found.documents)
        return found

    async def page(
        self, wanted: ListFilter, fields: Fields, page_size: int, page_token: str
    ) -> tuple[Sequence[Document], str]:
        """A page of documents, newest first, and the next page's token, empty on the last.

        Raises:
            InvalidInput: `CURSOR_INVALID`, `FIELD_INVALID`.
        """
        if not 0 <= page_size <= MAX_PAGE:
            raise InvalidInput(
                "FIELD_INVALID",
                f"page_size must be 0 to {MAX_PAGE}",
                evidence={"field": "page_size"},
            )
        check(wanted)
        limit = page_size or DEFAULT_PAGE
        after = decode_cursor(wanted, page_token)
        needed = with_fields(fields, "document_id", "row_version", *position_fields(wanted))
        scan = await self.reads.documents(wanted, needed, after, limit + 1)
        page, next_token = cut_page(wanted, scan, limit)
        self.shown.show(page)
        return page, next_token

    async def _current(self, document_id: UUID, fields: Fields, user_id: str | None) -> Document:
        """From the cache, or from the database, which then fills it."""
        if not self.cache.usable:
            return await self._recorded(document_id, fields, user_id)
        cached = await self.cache.get(document_id)
        self.observer.cache_read("document", hit=cached is not None)
        if cached is not None:
            return _visible(cached, document_id, user_id)
        query = partial(self._recorded_and_kept, document_id)
        found = await self.coalescing.read("document", document_id, query)
        return _visible(found, document_id, user_id)

    async def _terminal_or_current(
        self, document_id: UUID, fields: Fields, user_id: str | None
    ) -> Document:
        """As `_current`, but of what is cached only an end is believed."""
        if self.cache.usable:
            cached = await self.cache.get(document_id)
            hit = cached is not None and _terminal(cached)
            self.observer.cache_read("document", hit=hit)
            if cached is not None and hit:
                return _visible(cached, document_id, user_id)
        return await self._recorded(document_id, with_fields(fields, "status"), user_id)

    async def _recorded(self, document_id: UUID, fields: Fields, user_id: str | None) -> Document:
        """From the database, no more than these fields and those that a check needs."""
        needed = with_fields(fields, "document_id", "user_id", "row_version")
        query = partial(self._read, document_id, needed)
        found = await self.coalescing.read("document", (document_id, needed), query)
        return _visible(found, document_id, user_id)

    async def _recorded_and_kept(self, document_id: UUID) -> Document | None:
        started = time.monotonic()
        found = await self._read(document_id, ALL_FIELDS)
        if found is not None:
            await self.cache.put([found], age_s=time.monotonic() - started)
        return found

    async def _read(self, document_id: UUID, fields: Fields) -> Document | None:
        found = await self.reads.document(document_id, fields, None)
        if found is not None:
            self.shown.show([found])
        return found


def _terminal(document: Document) -> bool:
    return document.status is not None and document.status.terminal


def _visible(document: Document | None, document_id: UUID, user_id: str | None) -> Document:
    if document is None or user_id not in (None, document.user_id):
        raise NotFound(
            "DOCUMENT_NOT_FOUND",
            f"there is no document {document_id}",
            evidence={"document_id": str(document_id)},
        )
    return document
