"""What a batch to register must be like."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn
from uuid import UUID

import msgspec

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import time_of
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.domain.documents import Document, Priority
from sheaf_metadata.domain.idempotency import KeyOutcome, check_outcome
from sheaf_metadata.domain.options import DEFAULTS, Options, check_options

MAX_DOCUMENTS: Final = 1000
MAX_ID_AGE: Final = timedelta(hours=1)
"""An older id is refused, so that a sweep of objects without a row cannot race a register."""
MAX_ID_LEAD: Final = timedelta(minutes=5)
"""How far a caller's clock may be ahead of the database's."""

_MAX_SIZE_BYTES: Final = 2**40
_SHA256_BYTES: Final = 32
MAX_METADATA_BYTES: Final = 4096
_MAX_PASSWORD_BYTES: Final = 1024
_MAX_FILENAME: Final = 255
_USER: Final = re.compile(r"[!-~]{1,64}")
_PRODUCT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}|")
CONTENT_TYPE: Final = re.compile(r"[!-~][ -~]{2,126}")
_OBJECT_KEY: Final = re.compile(r"[!-~]{1,255}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ReusedResult:
    """The result of another document, as it was found, and the copy of it that is stored."""

    source_id: UUID
    source_result_key: str
    result_key: str


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document whose object is stored already. The password is sealed, and never shown."""

    document_id: UUID
    filename: str
    content_type: str
    size_bytes: int
    sha256: bytes
    object_key: str
    options: Options = DEFAULTS
    sealed_password: bytes = field(default=b"", repr=False)
    reused: ReusedResult | None = None


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A batch to register for a user."""

    batch_id: UUID
    user_id: str
    product: str
    priority: Priority
    documents: tuple[NewDocument, ...]
    trace: TraceContext | None = None
    """What its documents are registered under, if that is sampled."""
    metadata_json: str = field(default="", repr=False)
    """What its owner wrote on its documents."""
    idempotency: KeyOutcome | None = None
    """How the work on an idempotency key ends with it, if it came under one."""


def check_user(user_id: str | None) -> str:
    """The user, if there is a usable one.

    Raises:
        InvalidInput: `USER_MISSING` or `FIELD_INVALID`.
    """
    if not user_id:
        raise InvalidInput("USER_MISSING", "the call has no user", evidence={"field": "user_id"})
    if not _USER.fullmatch(user_id):
        _refuse("user_id", "must be 1 to 64 printable ASCII characters without spaces")
    return user_id


def check(batch: NewBatch) -> None:
    """Checks everything that needs no clock.

    Raises:
        InvalidInput: `BATCH_EMPTY`, `BATCH_TOO_LARGE`, `DOCUMENT_REPEATED`, `ID_INVALID`,
            `USER_MISSING`, or `FIELD_INVALID` with the field's name.
    """
    check_user(batch.user_id)
    time_of(batch.batch_id)
    if not batch.documents:
        raise InvalidInput("BATCH_EMPTY", "a batch has at least one document")
    if len(batch.documents) > MAX_DOCUMENTS:
        raise InvalidInput(
            "BATCH_TOO_LARGE",
            f"a batch has at most {MAX_DOCUMENTS} documents, not {len(batch.documents)}",
            evidence={"limit": str(MAX_DOCUMENTS)},
        )
    check_product(batch.product)
    check_metadata(batch.metadata_json)
    if batch.idempotency is not None:
        check_outcome(batch.idempotency)
    seen: set[UUID] = set()
    for index, document in enumerate(batch.documents):
        if document.document_id in seen:
            raise InvalidInput(
                "DOCUMENT_REPEATED",
                f"documents[{index}]: the id {document.document_id} stands there twice",
                evidence={"document_id": str(document.document_id)},
            )
        seen.add(document.document_id)
        check_document(f"documents[{index}]", document)


def check_product(product: str) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if it cannot be a product's label."""
    if not _PRODUCT.fullmatch(product):
        _refuse("product", "must be at most 64 letters, digits and . _ : / -")


def check_metadata(text: str) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, unless it is empty or a bounded JSON object."""
    encoded = text.encode(errors="surrogatepass")
    if len(encoded) > MAX_METADATA_BYTES:
        _refuse("metadata_json", f"must have at most {MAX_METADATA_BYTES} bytes")
    try:
        if encoded:
            msgspec.json.decode(encoded, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _refuse("metadata_json", "must be a JSON object")


def check_password(place: str, sealed: bytes) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if a sealed password cannot be kept."""
    if len(sealed) > _MAX_PASSWORD_BYTES:
        _refuse(place, f"must have at most {_MAX_PASSWORD_BYTES} bytes")


def check_document(place: str, document: NewDocument) -> None:
    """Raises InvalidInput: `ID_INVALID`, or `FIELD_INVALID` with the field's name in its place."""
    time_of(document.document_id)
    if not 1 <= len(document.filename) <= _MAX_FILENAME:
        _refuse(f"{place}.filename", f"must have 1 to {_MAX_FILENAME} characters")
    if _CONTROL.search(document.filename):
        _refuse(f"{place}.filename", "must not have control characters")
    if not CONTENT_TYPE.fullmatch(document.content_type):
        _refuse(f"{place}.content_type", "must be 3 to 127 printable ASCII characters")
    if not 0 < document.size_bytes <= _MAX_SIZE_BYTES:
        _refuse(f"{place}.size_bytes", "must be greater than zero")
    if len(document.sha256) != _SHA256_BYTES:
        _refuse(f"{place}.sha256", f"must have {_SHA256_BYTES} bytes")
    if not _OBJECT_KEY.fullmatch(document.object_key):
        _refuse(f"{place}.object_key", "must be 1 to 255 printable ASCII characters")
    check_options(f"{place}.options", document.options)
    check_password(f"{place}.sealed_password", document.sealed_password)
    if document.reused is not None:
        _check_reused(f"{place}.reused", document.document_id, document.reused)


def _check_reused(place: str, document_id: UUID, reused: ReusedResult) -> None:
    """A document names no object that is another's: deleting that one would take it along."""
    time_of(reused.source_id)
    if not _OBJECT_KEY.fullmatch(reused.source_result_key):
        _refuse(f"{place}.source_result_key", "must be 1 to 255 printable ASCII characters")
    own = reused.result_key.startswith(f"documents/{document_id}/")
    if not own or not _OBJECT_KEY.fullmatch(reused.result_key):
        _refuse(f"{place}.result_key", "must be a key of the document")


def check_ages(batch: NewBatch, now: datetime) -> None:
    """Checks the ids' times against the database's clock.

    Raises:
        InvalidInput: `ID_TOO_OLD`; `ID_INVALID` for an id from the future.
    """
    _check_lead(batch.batch_id, now)
    for document in batch.documents:
        _check_lead(document.document_id, now)
        if time_of(document.document_id) < now - MAX_ID_AGE:
            raise InvalidInput(
                "ID_TOO_OLD",
                f"the id {document.document_id} was made over an hour ago",
                evidence={"document_id": str(document.document_id)},
            )


def same_document(new: NewDocument, batch: NewBatch, recorded: Document) -> bool:
    """Whether a recorded document is the one that is being registered.

    A password says nothing: it is sealed anew each time, and gone with the document's end; nor
    do the options of a later attempt.
    """
    return (
        recorded.batch_id == batch.batch_id
        and recorded.user_id == batch.user_id
        and recorded.sha256 == new.sha256
        and recorded.size_bytes == new.size_bytes
        and recorded.object_key == new.object_key
        and recorded.metadata_json == batch.metadata_json
        and (recorded.options == new.options or recorded.attempt > 1)
    )


def in_request_order(batch: NewBatch, documents: Sequence[Document]) -> tuple[Document, ...]:
    """Recorded documents in the order in which the batch names them."""
    by_id = {document.document_id: document for document in documents}
    return tuple(by_id[new.document_id] for new in batch.documents)


def _check_lead(identifier: UUID, now: datetime) -> None:
    if time_of(identifier) > now + MAX_ID_LEAD:
        raise InvalidInput(
            "ID_INVALID",
            f"the id {identifier} is from the future",
            evidence={"value": str(identifier)},
        )


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
