"""Batches to be registered, and the results that are reused in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.uploads import AcceptedFile
from sheaf_gateway.idempotency import KeyOutcome
from sheaf_gateway.options import DEFAULT_OPTIONS, Options, Priority


@dataclass(frozen=True, slots=True)
class Reusable:
    """A new document, and the document whose result it can have a copy of."""

    document_id: UUID
    source_id: UUID
    source_result_key: str


@dataclass(frozen=True, slots=True)
class CopiedResult:
    """A copy that was made of another document's result."""

    source_id: UUID
    source_result_key: str
    result_key: str


@dataclass(frozen=True, slots=True)
class NewBatch:
    """Files to be registered together. `sealed_passwords` has those of files that have one.

    `find_reusable` asks for results that can be reused before anything is registered; `copies`
    are such results, by the file's document.
    """

    batch_id: UUID
    product: str
    files: tuple[AcceptedFile, ...]
    priority: Priority = Priority.NORMAL
    options: Options = DEFAULT_OPTIONS
    sealed_passwords: Mapping[UUID, bytes] = field(default_factory=dict, repr=False)
    metadata_json: str = field(default="", repr=False)
    """What the client wrote on all of them, as compact JSON; empty if nothing."""
    idempotency: KeyOutcome | None = None
    find_reusable: bool = False
    copies: Mapping[UUID, CopiedResult] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Registered:
    """The recorded documents; or none, and the results that can be reused before they are."""

    documents: tuple[Document, ...]
    reusable: tuple[Reusable, ...] = ()
