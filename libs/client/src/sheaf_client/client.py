"""The synchronous client."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx

from sheaf_client import calls
from sheaf_client.calls import Call, ResultT
from sheaf_client.config import Config
from sheaf_client.errors import ConnectionFailed, WaitTimeout
from sheaf_client.files import File, opened
from sheaf_client.models import (
    Batch,
    Document,
    DocumentStatus,
    Duplicates,
    Kpis,
    OcrMode,
    Priority,
    Replayed,
    Upload,
    Workflow,
)


class Client:
    """Calls one Sheaf server. Use it as a context manager; safe to share between threads.

    Reads and `cancel` are sent again when the server is busy or out of reach, honouring
    Retry-After; whatever else changes something never is, since a lost answer does not mean
    that nothing was done. Every method raises `SheafClientError`s, listed in
    `sheaf_client.errors`, and blocks.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        max_tries: int = 4,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` and `api_key` come from SHEAF_URL and SHEAF_API_KEY if not given."""
        self._config = Config.of(base_url, api_key, timeout_s, max_tries)
        self._http = httpx.Client(
            base_url=self._config.base_url,
            headers=self._config.headers,
            timeout=self._config.timeout(0),
            limits=self._config.limits,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def upload(
        self,
        *files: File,
        product: str | None = None,
        priority: Priority | None = None,
        words: bool | None = None,
        ocr: OcrMode | None = None,
        ocr_languages: Sequence[str] | None = None,
        pages: str | None = None,
        password: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        duplicates: Duplicates | None = None,
    ) -> Upload:
        """Sends files as one batch. Each accepted one is a document when this returns.

        What is asked holds for all of them: `words` with their boxes in the result, `ocr` in
        `ocr_languages` (ISO 639-3), which `pages` are read (such as "1-3,7,10-"), and the
        `password` of encrypted ones. `metadata` is yours: it comes back with each document.
        `ocr_languages` (ISO 639-3), and the `password` of encrypted ones; `duplicates` says
        whether a file that was uploaded before may have a copy of its result: the default.
        """
        data = calls.upload_fields(
            product=product,
            priority=priority,
            words=words,
            ocr=ocr,
            ocr_languages=ocr_languages,
            pages=pages,
            password=password,
            metadata=metadata,
            duplicates=duplicates,
        )
        with opened(files) as parts:
            try:
                answer = self._http.post(
                    "/v1/documents", files=parts, data=data, timeout=self._config.upload_timeout
                )
            except httpx.TransportError as error:
                raise ConnectionFailed(f"{type(error).__name__}: {error}") from error
        if (problem := calls.error_of(answer)) is not None:
            raise problem
        return calls.upload_decoder()(answer.content)

    def get_document(self, document_id: str, *, wait_s: float = 0) -> Document:
        """A document; waits up to 60 s for its terminal status if asked to."""
        return self._send(calls.get_document(document_id, wait_s))

    def get_batch(self, batch_id: str, *, wait_s: float = 0) -> Batch:
        """A batch; waits up to 60 s for its end if asked to."""
        return self._send(calls.get_batch(batch_id, wait_s))

    def get_workflow(self, workflow_id: str) -> Workflow:
        """The documents that a workflow holds or ended."""
        return self._send(calls.get_workflow(workflow_id))

    def wait_for_document(self, document_id: str, *, timeout_s: float) -> Document:
        """The document once it has ended. Raises WaitTimeout."""
        deadline = time.monotonic() + timeout_s
        while True:
            began = time.monotonic()
            document = self.get_document(document_id, wait_s=calls.poll_wait_s(deadline - began))
            if document.status.is_terminal:
                return document
            _pause(began, deadline, f"document {document_id}")

    def wait_for_batch(self, batch_id: str, *, timeout_s: float) -> Batch:
        """The batch once its last document has ended. Raises WaitTimeout."""
        deadline = time.monotonic() + timeout_s
        while True:
            began = time.monotonic()
            batch = self.get_batch(batch_id, wait_s=calls.poll_wait_s(deadline - began))
            if batch.finished_at is not None:
                return batch
            _pause(began, deadline, f"batch {batch_id}")

    def documents(
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
    ) -> Iterator[Document]:
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
            page = self._send(calls.list_documents(wanted, page_size, cursor))
            yield from page.documents
            if (cursor := page.next_cursor) is None:
                return

    def quarantined(self, *, product: str | None = None, page_size: int = 50) -> Iterator[Document]:
        """All quarantined documents, newest first, fetched page by page."""
        cursor: str | None = None
        while True:
            page = self._send(calls.list_quarantined(product, page_size, cursor))
            yield from page.documents
            if (cursor := page.next_cursor) is None:
                return

    def replay_quarantined(
        self, *, reason: str | None = None, product: str | None = None, limit: int = 100
    ) -> Replayed:
        """Queues quarantined documents again, oldest first, at most `limit` (up to 500)."""
        return self._send(calls.replay(reason, product, limit))

    def cancel(self, document_id: str) -> Document:
        """The document, cancelled unless it had ended: then as it is."""
        return self._send(calls.cancel(document_id))

    def reprocess(
        self,
        document_id: str,
        *,
        words: bool | None = None,
        ocr: OcrMode | None = None,
        ocr_languages: Sequence[str] | None = None,
        pages: str | None = None,
        password: str | None = None,
        after_attempt: int | None = None,
    ) -> Document:
        """Queues a document that has ended again; options that are not given stay.

        With `after_attempt`, which is the attempt that has ended, a second call is a
        ConflictError instead of one more attempt. It is never sent again by itself.
        """
        return self._send(
            calls.reprocess(
                document_id,
                words=words,
                ocr=ocr,
                ocr_languages=ocr_languages,
                pages=pages,
                password=password,
                after_attempt=after_attempt,
            )
        )

    def text(self, document_id: str) -> str:
        """The text of a completed document, its pages joined by form feeds."""
        return self._send(calls.get_text(document_id))

    def markdown(self, document_id: str) -> str:
        """A completed document as Markdown, with its headings and tables."""
        return self._send(calls.get_markdown(document_id))

    def thumbnail(self, document_id: str, *, page: int = 1, width: int = 256) -> bytes:
        """The picture of a page as WebP, 128, 256, 512 or 1024 pixels wide."""
        return self._send(calls.get_thumbnail(document_id, page, width))

    def result(self, document_id: str) -> dict[str, Any]:
        """All that was found in a completed document; `/v1/schemas/result` describes it."""
        return self._send(calls.get_result(document_id))

    def kpis(self, *, window_s: int = 60) -> Kpis:
        """The targets with their live values over the last 10 s to 300 s; needs scope `ops`."""
        return self._send(calls.kpis(window_s))

    @contextmanager
    def content(self, document_id: str) -> Iterator[Iterator[bytes]]:
        """The original as it arrives, in pieces, within the block."""
        try:
            with self._http.stream("GET", calls.content_path(document_id)) as answer:
                if answer.is_error:
                    answer.read()
                if (problem := calls.error_of(answer)) is not None:
                    raise problem
                yield answer.iter_bytes()
        except httpx.TransportError as error:
            raise ConnectionFailed(f"{type(error).__name__}: {error}") from error

    def _send(self, call: Call[ResultT]) -> ResultT:
        tries = 0
        while True:
            tries += 1
            lost: httpx.TransportError | None = None
            problem = None
            try:
                answer = self._http.request(
                    call.method,
                    call.path,
                    params=call.params,
                    json=call.body,
                    timeout=self._config.timeout(call.wait_s),
                )
            except httpx.TransportError as error:
                lost = error
            else:
                if (problem := calls.error_of(answer)) is None:
                    return call.decode(answer.content)
            max_tries = self._config.max_tries if call.repeatable else 1
            pause_s = calls.retry_pause_s(problem, tries, max_tries)
            if pause_s is None:
                raise problem or ConnectionFailed(f"{type(lost).__name__}: {lost}") from lost
            time.sleep(pause_s)


def _pause(began: float, deadline: float, what: str) -> None:
    now = time.monotonic()
    if now >= deadline:
        raise WaitTimeout(f"{what} has not ended in time")
    time.sleep(max(0.0, calls.MIN_POLL_INTERVAL_S - (now - began)))
