"""The answer to an upload, as it is kept under its idempotency key.

It is what the record does not know: which files there were, and why some were not taken. A newer
gateway reads what an older one has kept: members are added with defaults, never changed.
"""

import zlib
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from sheaf_common.errors import ERROR_BY_KIND, ErrorKind, InternalError, SheafError
from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.object_keys import object_key
from sheaf_gateway.domain.uploads import AcceptedFile, FileOutcome, RejectedFile, StoredObject

_LEVEL: Final = 1


@dataclass(frozen=True, slots=True)
class TakenBatch:
    """A registered batch: every file's outcome in order, and the documents by file.

    `replayed` says that this is the answer to an earlier request.
    """

    batch_id: UUID
    outcomes: tuple[FileOutcome, ...]
    documents: tuple[Document, ...]
    replayed: bool = False


class _Accepted(msgspec.Struct, array_like=True, tag="a"):
    document_id: UUID
    filename: str
    size_bytes: int
    sha256: bytes
    content_type: str


class _Rejected(msgspec.Struct, array_like=True, tag="r"):
    filename: str
    kind: ErrorKind
    reason: str
    message: str
    evidence: dict[str, str]


class _Answer(msgspec.Struct, array_like=True):
    batch_id: UUID
    files: list[_Accepted | _Rejected]


_decoder: Final = msgspec.msgpack.Decoder(_Answer)


def encoded(batch_id: UUID, outcomes: tuple[FileOutcome, ...]) -> bytes:
    """What is kept. A thousand files with the longest names stay well below a megabyte."""
    answer = _Answer(batch_id, [_file(outcome) for outcome in outcomes])
    return zlib.compress(msgspec.msgpack.encode(answer), _LEVEL)


def decoded(answer: bytes, documents: tuple[Document, ...]) -> TakenBatch:
    """The batch as it was answered first. `documents` are as they were recorded then."""
    kept = _decoder.decode(zlib.decompress(answer))
    outcomes = tuple(_outcome(file) for file in kept.files)
    return TakenBatch(kept.batch_id, outcomes, documents, replayed=True)


def _file(outcome: FileOutcome) -> _Accepted | _Rejected:
    if isinstance(outcome, AcceptedFile):
        stored = outcome.stored
        return _Accepted(
            outcome.document_id,
            outcome.filename,
            stored.size_bytes,
            stored.sha256,
            stored.content_type,
        )
    error = outcome.error
    return _Rejected(
        outcome.filename, error.kind, error.reason, error.message, dict(error.evidence)
    )


def _outcome(file: _Accepted | _Rejected) -> FileOutcome:
    if isinstance(file, _Accepted):
        key = object_key(file.document_id)
        stored = StoredObject(key, file.size_bytes, file.sha256, file.content_type)
        return AcceptedFile(file.document_id, file.filename, stored)
    return RejectedFile(file.filename, _error(file))


def _error(file: _Rejected) -> SheafError:
    error_class = ERROR_BY_KIND.get(file.kind)
    if error_class is None:
        return InternalError()
    return error_class(file.reason, file.message, evidence=file.evidence)
