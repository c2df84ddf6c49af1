"""Claims: how large a group may become, and which documents it takes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.domain.options import DEFAULTS, Options
from sheaf_metadata.domain.work import estimated_work_ms

ALONE_FROM_DISPATCHES: Final = 2
"""From so many lost dispatches on a document is claimed alone: it may be what loses workers."""
QUARANTINE_AT_DISPATCHES: Final = 4
"""At so many lost dispatches a document is quarantined."""
WORKER_LOST: Final = "WORKER_LOST"

MAX_DOCUMENTS: Final = 500
MAX_WORKFLOWS: Final = 10_000
MAX_WAIT_S: Final = 60.0
MAX_LINGER_S: Final = 1.0
_MIN_LEASE_S: Final = 0.1
_MAX_LEASE_S: Final = 3600.0
_VERSION: Final = re.compile(r"[!-~]{0,32}")
_MAX_PAGES: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ClaimLimits:
    """The bounds of one claim."""

    lane: Lane
    max_workflows: int
    max_documents: int
    max_bytes: int
    max_work_s: float
    lease_ttl_s: float
    linger_s: float = 0.0
    """How long a group that could still grow waits for more, while another is in flight."""
    pipeline_version: str = ""
    """What will work on the group; empty if that is not said."""


@dataclass(frozen=True, slots=True)
class ClaimedDocument:
    """What a worker needs to know of a document.

    `trace` is what it was registered under; `queued_at` when it was queued for this claim.
    """

    document_id: UUID
    attempt: int
    dispatches: int
    object_key: str
    content_type: str
    size_bytes: int
    sha256: bytes
    filename: str
    batch_id: UUID
    user_id: str
    row_version: int
    options: Options = DEFAULTS
    has_password: bool = False
    depth: int = 0
    trace: TraceContext | None = None
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimedGroup:
    """Documents that one workflow owns, in claim order; claimed when, by the database's clock."""

    workflow_id: str
    lane: Lane
    documents: tuple[ClaimedDocument, ...]
    claimed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimTry:
    """What a try to claim came to.

    Without a group, `work_waits` says whether documents wait and only a place was missing;
    `linger_s` is set where there is a place too, and for how long the group may still grow. With
    a group, `waited_s` are the times since their registration of those claimed in their lane for
    the first time.
    """

    group: ClaimedGroup | None
    work_waits: bool = False
    linger_s: float | None = None
    waited_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentAttempt:
    """One attempt of one document, and the pages done of all there are, if that is said."""

    document_id: UUID
    attempt: int
    progress: tuple[int, int] | None = None


def check_limits(limits: ClaimLimits) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, naming the first limit that cannot be used."""
    if not 1 <= limits.max_workflows <= MAX_WORKFLOWS:
        _refuse("max_workflows", f"must be 1 to {MAX_WORKFLOWS}")
    if not 1 <= limits.max_documents <= MAX_DOCUMENTS:
        _refuse("max_documents", f"must be 1 to {MAX_DOCUMENTS}")
    if limits.max_bytes < 1:
        _refuse("max_bytes", "must be greater than zero")
    if limits.max_work_s <= 0:
        _refuse("max_work", "must be greater than zero")
    check_lease_ttl(limits.lease_ttl_s)
    if not 0 <= limits.linger_s <= MAX_LINGER_S:
        _refuse("linger", f"must be at most {MAX_LINGER_S:g} s")
    if not _VERSION.fullmatch(limits.pipeline_version):
        _refuse("pipeline_version", "must be at most 32 ASCII characters")


def check_lease_ttl(lease_ttl_s: float) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if a lease cannot last so long."""
    if not _MIN_LEASE_S <= lease_ttl_s <= _MAX_LEASE_S:
        _refuse("lease_ttl", f"must be {_MIN_LEASE_S:g} s to {_MAX_LEASE_S:g} s")


def check_progress(documents: Sequence[DocumentAttempt]) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if some document's pages cannot be."""
    for document in documents:
        done, total = document.progress or (0, 0)
        if not 0 <= done <= total <= _MAX_PAGES:
            _refuse("progress", f"of {document.document_id}: {done} of {total} pages cannot be")


def cut_group(
    candidates: Sequence[ClaimedDocument], limits: ClaimLimits
) -> tuple[ClaimedDocument, ...]:
    """The longest beginning of `candidates` that the limits allow; the first always.

    A document that has lost workers before is taken alone: it ends the group before it.
    """
    size_bytes, work_ms = 0, 0.0
    max_work_ms = limits.max_work_s * 1000
    for count, document in enumerate(candidates):
        size_bytes += document.size_bytes
        work_ms += estimated_work_ms(document.content_type, document.size_bytes, limits.lane)
        suspect = document.dispatches >= ALONE_FROM_DISPATCHES
        full = (
            count >= limits.max_documents or size_bytes > limits.max_bytes or work_ms > max_work_ms
        )
        if count and (suspect or full):
            return tuple(candidates[:count])
        if suspect:
            return (document,)
    return tuple(candidates)


def could_grow(
    group: Sequence[ClaimedDocument], candidates: Sequence[ClaimedDocument], limits: ClaimLimits
) -> bool:
    """Whether more documents, were they there, would go into the group cut from `candidates`."""
    suspect = group[0].dispatches >= ALONE_FROM_DISPATCHES
    return len(group) == len(candidates) < limits.max_documents and not suspect


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
