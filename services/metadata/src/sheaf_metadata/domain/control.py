"""What an owner does to documents that are recorded: cancel, reprocess, replay."""

import re
from dataclasses import dataclass
from typing import Final, NoReturn
from uuid import UUID

from sheaf_common.errors import FailedPrecondition, InvalidInput
from sheaf_metadata.domain.documents import Document
from sheaf_metadata.domain.options import Options, check_options
from sheaf_metadata.domain.registration import check_password, check_product

CANCELLED: Final = "CANCELLED"
"""The reason of a document that its owner cancelled."""
REPROCESSED: Final = "REPROCESSED"
"""The reason of the event that says that a document is queued for another attempt."""

MAX_REPLAYED: Final = 500
DEFAULT_REPLAYED: Final = 100
_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}|")


@dataclass(frozen=True, slots=True)
class Reprocessing:
    """Another attempt that is asked for.

    `options` of None leaves those of before, `after_attempt` of 0 follows whatever is recorded.
    """

    document_id: UUID
    options: Options | None
    sealed_password: bytes
    after_attempt: int

    def __repr__(self) -> str:
        """Without the password, sealed as it is."""
        return f"Reprocessing({self.document_id}, {self.options}, after={self.after_attempt})"


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Whose quarantined documents; an empty reason or product means any."""

    user_id: str
    reason: str
    product: str


def check_reprocessing(wanted: Reprocessing) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, naming the field that cannot be used."""
    if wanted.options is not None:
        check_options("options", wanted.options)
    check_password("sealed_password", wanted.sealed_password)
    if wanted.after_attempt < 0:
        _refuse("after_attempt", "must not be negative")


def check_state(document: Document, after_attempt: int) -> None:
    """Whether a document can be queued again.

    Raises:
        FailedPrecondition: `ATTEMPT_CHANGED`, `DOCUMENT_NOT_TERMINAL`.
    """
    evidence = {"document_id": str(document.document_id), "attempt": str(document.attempt)}
    if after_attempt not in (0, document.attempt):
        raise FailedPrecondition(
            "ATTEMPT_CHANGED",
            f"the document is at attempt {document.attempt}, not {after_attempt}",
            evidence=evidence,
        )
    if document.status is None or not document.status.terminal:
        raise FailedPrecondition(
            "DOCUMENT_NOT_TERMINAL",
            "the document has not ended: cancel it first, or wait",
            evidence=evidence,
        )


def check_replay(wanted: QuarantineFilter, max_documents: int) -> int:
    """How many documents to replay at most.

    Raises:
        InvalidInput: `FIELD_INVALID`, naming the field that cannot be used.
    """
    if not _REASON.fullmatch(wanted.reason):
        _refuse("reason", "must be a code in UPPER_SNAKE_CASE")
    check_product(wanted.product)
    if not 0 <= max_documents <= MAX_REPLAYED:
        _refuse("max_documents", f"must be 0 to {MAX_REPLAYED}")
    return max_documents or DEFAULT_REPLAYED


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
