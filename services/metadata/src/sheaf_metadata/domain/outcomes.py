"""Outcomes: how an attempt ended, and whether its workflow may still say so."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NoReturn
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.attachments import MAX_ATTACHMENTS
from sheaf_metadata.domain.documents import Lane, Status
from sheaf_metadata.domain.registration import CONTENT_TYPE, NewDocument, check_document

MAX_OUTCOMES: Final = 500
MAX_MESSAGE: Final = 1024
OCR_EXHAUSTED: Final = "OCR_EXHAUSTED"
"""A document that still needs OCR after OCR fails with this, or it would go round for ever."""

_REASON: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_KEY: Final = re.compile(r"[!-~]{1,255}")
_NAME: Final = re.compile(r"[ -~]{0,64}")
_VERSION: Final = re.compile(r"[ -~]{0,32}")
_MAX_PAGES: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Completed:
    """The result is stored under `result_key`, the objects of the attachments under theirs.

    An empty content type leaves the recorded one.
    """

    result_key: str
    page_count: int
    character_count: int
    partial: bool
    document_class: str
    content_type: str = ""
    attachments: tuple[NewDocument, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The content could not be used."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The document harmed what worked on it."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class NeedsOcr:
    """There is no usable text: on to the OCR lane."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt of a document ended."""

    document_id: UUID
    attempt: int
    result: Completed | Failed | Quarantined | NeedsOcr
    pipeline_version: str


class Disposition(Enum):
    """What became of an outcome."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already_recorded"
    SUPERSEDED = "superseded"


class ReleaseCause(Enum):
    """Why documents go back to the queue."""

    NOT_STARTED = "not_started"
    WORKER_LOST = "worker_lost"


@dataclass(frozen=True, slots=True)
class HeldDocument:
    """What a workflow holds, as far as it says whose work follows and how much."""

    document_id: UUID
    user_id: str
    lane: Lane
    content_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Ownership:
    """What a row says of who may record its outcome.

    `ocr_requested_by` is the workflow that sent this attempt on to the OCR lane; the row's
    `workflow_id` is empty by then, or already names the OCR workflow.
    """

    status: Status
    workflow_id: str
    attempt: int
    ocr_requested_by: str


def judge(row: Ownership | None, workflow_id: str, attempt: int) -> Disposition:
    """What becomes of an outcome that `workflow_id` reports for `attempt`.

    RECORDED means that it is to be recorded now. A row that no workflow ended (cancelled by
    its owner, quarantined for lost workers) names none, so a zombie's outcome is dropped.
    """
    if row is None or row.attempt != attempt:
        return Disposition.SUPERSEDED
    if row.workflow_id == workflow_id:
        if row.status is Status.PROCESSING:
            return Disposition.RECORDED
        if row.status.terminal:
            return Disposition.ALREADY_RECORDED
    if row.ocr_requested_by == workflow_id:
        return Disposition.ALREADY_RECORDED
    return Disposition.SUPERSEDED


def settled(outcome: Outcome, lane: Lane) -> Outcome:
    """The outcome as it is recorded: one that asks for OCR in the OCR lane has failed."""
    if isinstance(outcome.result, NeedsOcr) and lane is Lane.OCR:
        failed = Failed(OCR_EXHAUSTED, "No text was found by optical character recognition.")
        return Outcome(outcome.document_id, outcome.attempt, failed, outcome.pipeline_version)
    return outcome


def check_outcomes(workflow_id: str, outcomes: Sequence[Outcome]) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, naming the first field that cannot be recorded."""
    check_workflow(workflow_id)
    if not 1 <= len(outcomes) <= MAX_OUTCOMES:
        _refuse("outcomes", f"must be 1 to {MAX_OUTCOMES}")
    inside = [each.document_id for outcome in outcomes for each in attachments_of(outcome)]
    if len(set(inside)) < len(inside):
        _refuse("outcomes", "must name each attachment once")
    for index, outcome in enumerate(outcomes):
        place = f"outcomes[{index}]"
        if not _VERSION.fullmatch(outcome.pipeline_version):
            _refuse(f"{place}.pipeline_version", "must be at most 32 ASCII characters")
        match outcome.result:
            case Completed() as done:
                _check_completed(place, done)
            case Failed(reason) | Quarantined(reason):
                if not _REASON.fullmatch(reason):
                    _refuse(f"{place}.reason", "must be a code in UPPER_SNAKE_CASE")
            case NeedsOcr():
                pass


def attachments_of(outcome: Outcome) -> tuple[NewDocument, ...]:
    """The files inside the document, if it completed."""
    return outcome.result.attachments if isinstance(outcome.result, Completed) else ()


def check_workflow(workflow_id: str) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if it cannot be a workflow's id."""
    if not 1 <= len(workflow_id) <= 64 or not _NAME.fullmatch(workflow_id):  # noqa: PLR2004 - the column's width
        _refuse("workflow_id", "must be 1 to 64 ASCII characters")


def _check_completed(place: str, done: Completed) -> None:
    if not _KEY.fullmatch(done.result_key):
        _refuse(f"{place}.result_key", "must be 1 to 255 printable ASCII characters")
    if not 0 <= done.page_count <= _MAX_PAGES:
        _refuse(f"{place}.page_count", "must not be negative")
    if done.character_count < 0:
        _refuse(f"{place}.character_count", "must not be negative")
    if not _NAME.fullmatch(done.document_class):
        _refuse(f"{place}.document_class", "must be at most 64 ASCII characters")
    if done.content_type and not CONTENT_TYPE.fullmatch(done.content_type):
        _refuse(f"{place}.content_type", "must be 3 to 127 printable ASCII characters")
    if len(done.attachments) > MAX_ATTACHMENTS:
        _refuse(f"{place}.attachments", f"must be at most {MAX_ATTACHMENTS}")
    for index, attachment in enumerate(done.attachments):
        check_document(f"{place}.attachments[{index}]", attachment)


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
