"""The synchronous client."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

import httpx

from sheaf_client import calls, content, events, keys, listing, uploading, waiting
from sheaf_client.calls import Call
from sheaf_client.config import Config
from sheaf_client.driver import Driver
from sheaf_client.events import Event, Following
from sheaf_client.form import OnProgress
from sheaf_client.keys import ApiKey, NewApiKey
from sheaf_client.models import Batch, Document, Kpis, Replayed, Upload, Workflow
from sheaf_client.options import DocumentFilters, ReprocessOptions, UploadOptions
from sheaf_client.sources import File
from sheaf_client.steps import Flow, ResultT
from sheaf_client.uploading import MAX_BATCH_BYTES, MAX_BATCH_FILES, Sent


class Client:
    """Calls one Sheaf server. Use it as a context manager; safe to share between threads.

    Calls are sent again, at most `max_tries` times and for `max_elapsed_s`, when the server is
    busy or out of reach, honouring Retry-After; uploads too, under an idempotency key. What may
    have been done and may not be repeated is not: `reprocess`, `replay_quarantined` and
    `create_key`. Every method raises `SheafClientError`s, listed in `sheaf_client.errors`, and
    blocks; iterators hold no connection between pages, streams do until they are closed.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout_s: float = 30.0,
        upload_timeout_s: float = 300.0,
        max_tries: int = 4,
        max_elapsed_s: float = 120.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` and `api_key` come from SHEAF_URL and SHEAF_API_KEY if not given.

        `timeout_s` is the longest silence of the server, `upload_timeout_s` that of an upload.
        """
        self._config = Config.of(
            base_url,
            api_key,
            timeout_s=timeout_s,
            upload_timeout_s=upload_timeout_s,
            max_tries=max_tries,
            max_elapsed_s=max_elapsed_s,
        )
        self._http = httpx.Client(
            base_url=self._config.base_url,
            headers=self._config.headers,
            timeout=self._config.timeout(0),
            limits=self._config.limits,
            transport=transport,
        )

    def __repr__(self) -> str:
        return f"Client({self._config.shown!r})"

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

    # Uploading

    def upload(
        self,
        *files: File,
        idempotency_key: str | None = None,
        on_progress: OnProgress | None = None,
        **asked: Unpack[UploadOptions],
    ) -> Upload:
        """Sends files as one batch. Each accepted one is a document when this returns.

        What is asked holds for all of them. A lost answer is no reason to worry: sent again
        under the same key, of which one is made unless it is given, it gives the same batch.
        """
        flow = uploading.upload(
            files,
            asked,
            idempotency_key=idempotency_key,
            on_progress=on_progress,
            config=self._config,
        )
        return self._run(flow)

    def upload_many(
        self,
        files: Iterable[File],
        *,
        max_files: int = MAX_BATCH_FILES,
        max_bytes: int = MAX_BATCH_BYTES,
        **asked: Unpack[UploadOptions],
    ) -> Iterator[Sent[File]]:
        """Sends any number of files, and the files of folders, as batches of bounded size.

        Each file's outcome comes as soon as its batch is taken; rejected ones raise nothing.
        """
        flow = uploading.upload_many(
            files, asked, max_files=max_files, max_bytes=max_bytes, config=self._config
        )
        return self._iterate(flow)

    # Reading

    def get_document(self, document_id: str, *, wait_s: float = 0) -> Document:
        """A document; waits up to 60 s for its terminal status if asked to."""
        return self._send(calls.get_document(document_id, wait_s))

    def get_batch(self, batch_id: str, *, wait_s: float = 0) -> Batch:
        """A batch; waits up to 60 s for its end if asked to."""
        return self._send(calls.get_batch(batch_id, wait_s))

    def get_workflow(self, workflow_id: str) -> Workflow:
        """The documents that a workflow holds or ended."""
        return self._send(calls.get_workflow(workflow_id))

    def documents(
        self, *, page_size: int = 50, **filters: Unpack[DocumentFilters]
    ) -> Iterator[Document]:
        """All documents, newest first, fetched page by page. ValueError for a naive time."""
        return self._iterate(listing.documents(filters, page_size, self._config))

    def quarantined(self, *, product: str | None = None, page_size: int = 50) -> Iterator[Document]:
        """All quarantined documents, newest first, fetched page by page."""
        return self._iterate(listing.quarantined(product, page_size, self._config))

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

    @contextmanager
    def content(self, document_id: str) -> Iterator[Iterator[bytes]]:
        """The original as it arrives, in pieces, within the block; its hash is checked."""
        original = content.Original(document_id, self._config)
        with Driver(self._http) as driver:
            driver.run(original.open())
            yield driver.iterate(content.pieces(original))

    def download(
        self,
        document_id: str,
        path: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
    ) -> Path:
        """Writes the original to a file, which is there only once it is whole and checked.

        A connection that is lost is taken up where it was. Raises OSError and ContentDiffers.
        """
        return self._run(content.download(document_id, Path(path), on_progress, self._config))

    # Following

    def wait_for_document(self, document_id: str, *, timeout_s: float) -> Document:
        """The document once it has ended. Raises WaitTimeout."""
        flow = waiting.document(document_id, timeout_s, self._config)
        return self._run(flow)

    def wait_for_batch(self, batch_id: str, *, timeout_s: float) -> Batch:
        """The batch once its last document has ended. Raises WaitTimeout."""
        return self._run(waiting.batch(batch_id, timeout_s, self._config))

    def events_of_document(
        self, document_id: str, *, after: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Event]:
        """What happened to a document and happens, until it has ended.

        This and the next two connect again by themselves, and go on after what was last seen;
        `after` is a position to begin after. Raises WaitTimeout, as soon as the time is over
        or, at most 15 s later, at the next sign of the server.
        """
        return self._events(events.of_document(document_id, after, timeout_s))

    def events_of_batch(
        self, batch_id: str, *, after: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Event]:
        """What happened to a batch's documents and happens, until the last has ended."""
        return self._events(events.of_batch(batch_id, after, timeout_s))

    def events_of_all(
        self, *, after: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Event]:
        """What happens to all documents of the user from now on, or did after a position.

        Without `after`, what happens while a connection is lost that told nothing yet is missed.
        """
        return self._events(events.of_all(after, timeout_s))

    def watch_batch(self, batch_id: str, *, timeout_s: float | None = None) -> Iterator[Document]:
        """The documents of a batch, each as soon as it has ended."""
        return self._iterate(events.ended(events.of_batch(batch_id, None, timeout_s), self._config))

    def watch_all(
        self, *, after: int | None = None, timeout_s: float | None = None
    ) -> Iterator[Document]:
        """All documents of the user that end from now on, or did after a position."""
        return self._iterate(events.ended(events.of_all(after, timeout_s), self._config))

    # Acting

    def cancel(self, document_id: str) -> Document:
        """The document, cancelled unless it had ended: then as it is."""
        return self._send(calls.cancel(document_id))

    def reprocess(self, document_id: str, **asked: Unpack[ReprocessOptions]) -> Document:
        """Queues a document that has ended again; options that are not given stay."""
        return self._send(calls.reprocess(document_id, asked))

    def replay_quarantined(
        self, *, reason: str | None = None, product: str | None = None, limit: int = 100
    ) -> Replayed:
        """Queues quarantined documents again, oldest first, at most `limit` (up to 500)."""
        return self._send(calls.replay(reason, product, limit))

    def delete_document(self, document_id: str) -> None:
        """Deletes a document and all that was found in it, for good; its work is stopped."""
        self._run(calls.deleted(calls.document_path(document_id), self._config))

    def delete_batch(self, batch_id: str) -> None:
        """Deletes a batch with all its documents, for good."""
        self._run(calls.deleted(calls.batch_path(batch_id), self._config))

    # Keys and operation

    def create_key(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        expires_at: datetime | None = None,
        rate_limit_per_s: int | None = None,
    ) -> NewApiKey:
        """Makes an API key, which is told here and never again; needs scope `keys`."""
        return self._send(keys.create_key(name, scopes, expires_at, rate_limit_per_s))

    def keys(self, *, page_size: int = 50) -> Iterator[ApiKey]:
        """All API keys of the user, fetched page by page; needs scope `keys`."""
        return self._iterate(listing.keys(page_size, self._config))

    def revoke_key(self, key_id: str) -> None:
        """Revokes an API key, at once and for good; that it is revoked already is no error."""
        self._run(calls.deleted(calls.key_path(key_id), self._config))

    def kpis(self, *, window_s: int = 60) -> Kpis:
        """The targets with their live values over the last 10 s to 300 s; needs scope `ops`."""
        return self._send(calls.kpis(window_s))

    def _send(self, call: Call[ResultT]) -> ResultT:
        return self._run(calls.sent(call, self._config))

    def _events(self, following: Following) -> Iterator[Event]:
        return self._iterate(events.events(following))

    def _run(self, flow: Flow[ResultT]) -> ResultT:
        with Driver(self._http) as driver:
            return driver.run(flow)

    def _iterate(self, flow: Flow[None]) -> Iterator[Any]:
        with Driver(self._http) as driver:
            yield from driver.iterate(flow)
