"""The asynchronous client."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from sheaf_client import calls
from sheaf_client.calls import Call, ResultT
from sheaf_client.config import Config
from sheaf_client.errors import ConnectionFailed, WaitTimeout
from sheaf_client.files import File, opened
from sheaf_client.models import Batch, Document, DocumentStatus, Upload, Workflow


class AsyncClient:
    """Calls one Sheaf server: as `Client`, without blocking.

    Use it as an async context manager, within one event loop. Files given as paths are
    read in pieces by the loop's own thread.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        max_tries: int = 4,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`base_url` and `api_key` come from SHEAF_URL and SHEAF_API_KEY if not given."""
        self._config = Config.of(base_url, api_key, timeout_s, max_tries)
        self._http = httpx.AsyncClient(
            base_url=self._config.base_url,
            headers=self._config.headers,
            timeout=self._config.timeout(0),
            limits=self._config.limits,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def upload(self, *files: File, product: str | None = None) -> Upload:
        """Sends files as one batch. Each accepted one is a document when this returns."""
        data = {"product": product} if product else None
        with opened(files) as parts:
            try:
                answer = await self._http.post(
                    "/v1/documents", files=parts, data=data, timeout=self._config.upload_timeout
                )
            except httpx.TransportError as error:
                raise ConnectionFailed(f"{type(error).__name__}: {error}") from error
        if (problem := calls.error_of(answer)) is not None:
            raise problem
        return calls.upload_decoder()(answer.content)

    async def get_document(self, document_id: str, *, wait_s: float = 0) -> Document:
        """A document; waits up to 60 s for its terminal status if asked to."""
        return await self._send(calls.get_document(document_id, wait_s))

    async def get_batch(self, batch_id: str, *, wait_s: float = 0) -> Batch:
        """A batch; waits up to 60 s for its end if asked to."""
        return await self._send(calls.get_batch(batch_id, wait_s))

    async def get_workflow(self, workflow_id: str) -> Workflow:
        """The documents that a workflow holds or ended."""
        return await self._send(calls.get_workflow(workflow_id))

    async def wait_for_document(self, document_id: str, *, timeout_s: float) -> Document:
        """The document once it has ended. Raises WaitTimeout."""
        deadline = time.monotonic() + timeout_s
        while True:
            began = time.monotonic()
            wait_s = calls.poll_wait_s(deadline - began)
            document = await self.get_document(document_id, wait_s=wait_s)
            if document.status.is_terminal:
                return document
            await _pause(began, deadline, f"document {document_id}")

    async def wait_for_batch(self, batch_id: str, *, timeout_s: float) -> Batch:
        """The batch once its last document has ended. Raises WaitTimeout."""
        deadline = time.monotonic() + timeout_s
        while True:
            began = time.monotonic()
            batch = await self.get_batch(batch_id, wait_s=calls.poll_wait_s(deadline - began))
            if batch.finished_at is not None:
                return batch
            await _pause(began, deadline, f"batch {batch_id}")

    async def documents(
        self,
        *,
        status: DocumentStatus | None = None,
        product: str | None = None,
        batch_id: str | None = None,
        workflow_id: str | None = None,
        document_class: str | None = None,
        content_type: str | None = None,
        uploaded_from: datetime | None = None,
        uploaded_before: datetime | None = None,
        page_size: int = 50,
    ) -> AsyncIterator[Document]:
        """All documents, newest first, fetched page by page.

        `content_type` is one, or a family such as `image/*`; the times are aware, and what was
        uploaded at the second is not among them. Raises ValueError for a naive time.
        """
        wanted = calls.filters(
            status=status,
            product=product,
            batch_id=batch_id,
            workflow_id=workflow_id,
            document_class=document_class,
            content_type=content_type,
            uploaded_from=uploaded_from,
            uploaded_before=uploaded_before,
        )
        cursor: str | None = None
        while True:
            page = await self._send(calls.list_documents(wanted, page_size, cursor))
            for document in page.documents:
                yield document
            if (cursor := page.next_cursor) is None:
                return

    async def text(self, document_id: str) -> str:
        """The text of a completed document, its pages joined by form feeds."""
        return await self._send(calls.get_text(document_id))

    async def result(self, document_id: str) -> dict[str, Any]:
        """All that was found in a completed document."""
        return await self._send(calls.get_result(document_id))

    @asynccontextmanager
    async def content(self, document_id: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """The original as it arrives, in pieces, within the block."""
        try:
            async with self._http.stream("GET", calls.content_path(document_id)) as answer:
                if answer.is_error:
                    await answer.aread()
                if (problem := calls.error_of(answer)) is not None:
                    raise problem
                yield answer.aiter_bytes()
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{type(error).__name__}: {error}") from error

    async def _send(self, call: Call[ResultT]) -> ResultT:
        tries = 0
        while True:
            tries += 1
            lost: httpx.TransportError | None = None
            problem = None
            try:
                answer = await self._http.request(
                    call.method,
                    call.path,
                    params=call.params,
                    timeout=self._config.timeout(call.wait_s),
                )
            except httpx.TransportError as error:
                lost = error
            else:
                if (problem := calls.error_of(answer)) is None:
                    return call.decode(answer.content)
            pause_s = calls.retry_pause_s(problem, tries, self._config.max_tries)
            if pause_s is None:
                raise problem or ConnectionFailed(f"{type(lost).__name__}: {lost}") from lost
            await asyncio.sleep(pause_s)


async def _pause(began: float, deadline: float, what: str) -> None:
    now = time.monotonic()
    if now >= deadline:
        raise WaitTimeout(f"{what} has not ended in time")
    await asyncio.sleep(max(0.0, calls.MIN_POLL_INTERVAL_S - (now - began)))
