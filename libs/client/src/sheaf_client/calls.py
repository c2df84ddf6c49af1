"""The API's calls, independent of how they are sent: the sync and async clients share them."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from sheaf_client.errors import ProblemError, problem_error
from sheaf_client.models import Batch, Document, DocumentPage, Upload, Workflow

MAX_WAIT_S: Final = 60.0
MIN_POLL_INTERVAL_S: Final = 0.2
"""Between two long polls of which the first was answered early."""

_RETRIED: Final = frozenset({429, 502, 503, 504})
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Call(Generic[ResultT]):
    """One call: what is sent, and how its answer is read. A GET may be sent again."""

    method: str
    path: str
    decode: Callable[[bytes], ResultT]
    params: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0


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


def _filter(value: str | datetime) -> str:
    if not isinstance(value, datetime):
        return str(value)
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.isoformat()


def _wait(wait_s: float) -> dict[str, str]:
    return {"wait": f"{wait_s:g}"} if wait_s > 0 else {}
