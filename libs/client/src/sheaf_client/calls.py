"""The API's calls, independent of how they are sent: the sync and async clients share them."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from sheaf_client.errors import ProblemError, problem_error
from sheaf_client.models import (
    Batch,
    Document,
    DocumentPage,
    Duplicates,
    Kpis,
    OcrMode,
    Priority,
    Replayed,
    Upload,
    Workflow,
)

MAX_WAIT_S: Final = 60.0
MIN_POLL_INTERVAL_S: Final = 0.2
"""Between two long polls of which the first was answered early."""

_RETRIED: Final = frozenset({429, 502, 503, 504})
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Call(Generic[ResultT]):
    """One call: what is sent, and how its answer is read.

    `repeatable` says whether it may be sent again when its answer is lost; `body` is JSON, and
    may hold a password.
    """

    method: str
    path: str
    decode: Callable[[bytes], ResultT]
    params: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    repeatable: bool = True


def upload_fields(
    *,
    product: str | None,
    priority: Priority | None,
    words: bool | None,
    ocr: OcrMode | None,
    ocr_languages: Sequence[str] | None,
    pages: str | None,
    password: str | None,
    metadata: Mapping[str, Any] | None,
    duplicates: Duplicates | None,
) -> dict[str, str]:
    """The text fields of an upload; None is left out, and the server's default holds.

    Raises ValueError or TypeError for metadata that is no JSON, such as NaN.
    """
    fields = {
        "product": product,
        "metadata": None if metadata is None else _json(metadata),
        "priority": priority,
        "words": None if words is None else str(words).lower(),
        "ocr": ocr,
        "ocr_language": None if ocr_languages is None else ",".join(ocr_languages),
        "pages": pages,
        "password": password,
        "duplicates": duplicates,
    }
    return {name: str(value) for name, value in fields.items() if value is not None}


def upload_decoder() -> Callable[[bytes], Upload]:
    """Reads the answer to an upload."""
    return msgspec.json.Decoder(Upload).decode


def get_document(document_id: str, wait_s: float) -> Call[Document]:
    """Reads a document."""
    decode = msgspec.json.Decoder(Document).decode
    return Call("GET", f"/v1/documents/{document_id}", decode, _wait(wait_s), wait_s)


def get_batch(batch_id: str, wait_s: float) -> Call[Batch]:
    """Reads a batch."""
    decode = msgspec.json.Decoder(Batch).decode
    return Call("GET", f"/v1/batches/{batch_id}", decode, _wait(wait_s), wait_s)


def get_workflow(workflow_id: str) -> Call[Workflow]:
    """Reads a workflow."""
    path = f"/v1/workflows/{quote(workflow_id, safe='')}"
    return Call("GET", path, msgspec.json.Decoder(Workflow).decode)


def filters(**wanted: str | datetime | None) -> Mapping[str, str]:
    """The filters of a listing as they are sent. Raises ValueError for a naive time."""
    return {name: _filter(value) for name, value in wanted.items() if value is not None}


def list_documents(
    wanted: Mapping[str, str], page_size: int, cursor: str | None
) -> Call[DocumentPage]:
    """Reads a page of documents."""
    place = {"limit": str(page_size)} | ({} if cursor is None else {"cursor": cursor})
    decode = msgspec.json.Decoder(DocumentPage).decode
    return Call("GET", "/v1/documents", decode, {**wanted, **place})


def get_text(document_id: str) -> Call[str]:
    """Reads a document's text."""
    return Call("GET", f"/v1/documents/{document_id}/text", bytes.decode)


def get_result(document_id: str) -> Call[dict[str, Any]]:
    """Reads a document's result."""
    return Call("GET", f"/v1/documents/{document_id}/result", msgspec.json.decode)


def get_markdown(document_id: str) -> Call[str]:
    """Reads a document as Markdown."""
    return Call("GET", f"/v1/documents/{document_id}/markdown", bytes.decode)


def get_thumbnail(document_id: str, page: int, width: int) -> Call[bytes]:
    """Reads the picture of a page."""
    params = {"page": str(page), "width": str(width)}
    return Call("GET", f"/v1/documents/{document_id}/thumbnail", bytes, params)


def cancel(document_id: str) -> Call[Document]:
    """Cancels a document; that it is cancelled already is no error."""
    decode = msgspec.json.Decoder(Document).decode
    return Call("POST", f"/v1/documents/{document_id}/cancel", decode)


def reprocess(
    document_id: str,
    *,
    words: bool | None,
    ocr: OcrMode | None,
    ocr_languages: Sequence[str] | None,
    pages: str | None,
    password: str | None,
    after_attempt: int | None,
) -> Call[Document]:
    """Queues a document again: at each call, so it is sent once."""
    wanted = {
        "words": words,
        "ocr": ocr,
        "ocr_language": None if ocr_languages is None else list(ocr_languages),
        "pages": pages,
        "password": password,
        "after_attempt": after_attempt,
    }
    return Call(
        "POST",
        f"/v1/documents/{document_id}/reprocess",
        msgspec.json.Decoder(Document).decode,
        body={name: value for name, value in wanted.items() if value is not None},
        repeatable=False,
    )


def list_quarantined(product: str | None, page_size: int, cursor: str | None) -> Call[DocumentPage]:
    """Reads a page of quarantined documents."""
    wanted = {"limit": str(page_size), "product": product, "cursor": cursor}
    params = {name: value for name, value in wanted.items() if value is not None}
    return Call("GET", "/v1/quarantine", msgspec.json.Decoder(DocumentPage).decode, params)


def replay(reason: str | None, product: str | None, limit: int) -> Call[Replayed]:
    """Queues quarantined documents again: others at each call, so it is sent once."""
    wanted = {"reason": reason, "product": product, "limit": limit}
    return Call(
        "POST",
        "/v1/quarantine/replay",
        msgspec.json.Decoder(Replayed).decode,
        body={name: value for name, value in wanted.items() if value is not None},
        repeatable=False,
    )


def kpis(window_s: int) -> Call[Kpis]:
    """Reads the targets."""
    params = {"window": str(window_s)}
    return Call("GET", "/v1/ops/kpis", msgspec.json.Decoder(Kpis).decode, params)


def content_path(document_id: str) -> str:
    """Where the original is."""
    return f"/v1/documents/{document_id}/content"


def error_of(answer: httpx.Response) -> ProblemError | None:
    """The error that an answer stands for, None if it is none. Its body has been read."""
    if answer.status_code < httpx.codes.BAD_REQUEST:
        return None
    return problem_error(answer.status_code, answer.content, answer.headers.get("retry-after"))


def retry_pause_s(error: ProblemError | None, tries: int, max_tries: int) -> float | None:
    """How long to wait before a call is sent again after `tries`; None means not at all.

    `error` is None when no answer came. The server's Retry-After is honoured.
    """
    if tries >= max_tries or (error is not None and error.status not in _RETRIED):
        return None
    ceiling = min(_BACKOFF_LIMIT_S, _BACKOFF_BASE_S * 2.0**tries)
    jitter = random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret
    asked = 0.0 if error is None else error.retry_after_s or 0.0
    return asked + jitter


def poll_wait_s(left_s: float) -> float:
    """How long the next long poll may wait."""
    return max(0.0, min(MAX_WAIT_S, left_s))


def _json(members: Mapping[str, Any]) -> str:
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _filter(value: str | datetime) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.isoformat()


def _wait(wait_s: float) -> dict[str, str]:
    return {"wait": f"{wait_s:g}"} if wait_s > 0 else {}
