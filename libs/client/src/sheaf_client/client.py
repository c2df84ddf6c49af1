"""The synchronous client."""

import time
from collections.abc import Iterator
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
from sheaf_client.models import Batch, Document, DocumentStatus, Upload, Workflow


class Client:
    """Calls one Sheaf server. Use it as a context manager; safe to share between threads.

    Reads are sent again when the server is busy or out of reach, honouring Retry-After; an
    upload never is, since a lost answer does not mean that nothing was accepted. Every
    method raises `SheafClientError`s, listed in `sheaf_client.errors`, and blocks.
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

    def upload(self, *files: File, product: str | None = None) -> Upload:
        """Sends files as one batch. Each accepted one is a document when this returns."""
        data = {"product": product} if product else None
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

    def text(self, document_id: str) -> str:
        """The text of a completed document, its pages joined by form feeds."""
        return self._send(calls.get_text(document_id))

    def result(self, document_id: str) -> dict[str, Any]:
        """All that was found in a completed document."""
        return self._send(calls.get_result(document_id))

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
            time.sleep(pause_s)


def _pause(began: float, deadline: float, what: str) -> None:
    now = time.monotonic()
    if now >= deadline:
        raise WaitTimeout(f"{what} has not ended in time")
    time.sleep(max(0.0, calls.MIN_POLL_INTERVAL_S - (now - began)))
