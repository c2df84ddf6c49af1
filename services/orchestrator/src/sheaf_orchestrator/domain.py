"""Nouns and rules of dispatch and processing; no I/O."""

import os
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

from sheaf_orchestrator.extraction.options import OcrMode

_FILENAME_CHARACTERS: Final = 255
_SUFFIX_CHARACTERS: Final = 16

MAX_WORKFLOWS: Final = 10_000
"""The most that a claim may ask places for. Source: metadata.proto, `ClaimDocuments`."""

PIPELINE_VERSION: Final = "3"
"""Recorded with every outcome; raised when the same content would give another result."""


class Lane(Enum):
    """The kind of work that a document waits for."""

    TEXT = "text"
    OCR = "ocr"


@dataclass(frozen=True, slots=True)
class DocumentTask:
    """One attempt of one document, as a worker needs to know it.

    `sha256` is the hash in hex that the stored content must have; `dispatches` says how
    often a workflow has lost the document, `depth` how deep it lies in others. What its owner
    asked for is here, but for the password: this goes into workflow histories.
    """

    document_id: str
    attempt: int
    dispatches: int
    object_key: str
    content_type: str
    size_bytes: int
    sha256: str
    filename: str
    words: bool = False
    ocr: OcrMode = OcrMode.AUTO
    ocr_languages: tuple[str, ...] = ()
    pages: tuple[tuple[int, int], ...] = ()
    """First and last of each range of pages wanted, last 0 to the end; empty means all."""
    has_password: bool = False
    depth: int = 0
    traceparent: str = ""
    """What it was registered under, if that is sampled."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document is that is read page by page."""

    document_id: str
    pages_done: int
    pages_total: int


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that one workflow owns, in claim order."""

    workflow_id: str
    lane: Lane
    documents: tuple[DocumentTask, ...]

    @property
    def traceparent(self) -> str:
        """Of its first document that is traced: what is done for all of them belongs there."""
        return next((task.traceparent for task in self.documents if task.traceparent), "")


@dataclass(frozen=True, slots=True)
class GroupLimits:
    """How large a claimed group may become, and how many may be in flight.

    An idle system claims one document at once; a loaded one lets a group grow to these
    bounds, so that the cost of a workflow is shared (design, "Why groups").
    """

    max_workflows: int
    max_documents: int
    max_bytes: int
    max_work_s: float
    linger_s: float = 0.0
    """How long a group that could still grow waits for more, while another is in flight."""


class WorkflowState(Enum):
    """What Temporal says of a workflow id."""

    RUNNING = "running"
    CLOSED = "closed"
    UNKNOWN = "unknown"


class ReleaseCause(Enum):
    """Why documents go back to the queue."""

    NOT_STARTED = "not_started"
    """No work began, or it stopped in an orderly way."""
    WORKER_LOST = "worker_lost"
    """The workflow closed without recording them; counts as a lost dispatch."""


@dataclass(frozen=True, slots=True)
class WorkflowDescription:
    """A workflow as Temporal knows it; `closed_at` is None while it runs."""

    workflow_id: str
    run_id: str
    running: bool
    completed: bool
    started_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LaneBacklog:
    """Documents of a lane that are queued, and workflows that hold some."""

    lane: Lane
    queued_documents: int
    oldest_age_s: float
    workflows_in_flight: int


@dataclass(frozen=True, slots=True)
class QueueBacklog:
    """Tasks that wait in one Temporal task queue, as its server estimates them.

    `purpose` is workflows, cpu, ocr or io, whatever the prefix of the queue's name.
    """

    task_queue: str
    purpose: str
    workflow_tasks: bool
    count: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a document, stored as a document's original already; `sha256` in hex."""

    document_id: str
    filename: str
    content_type: str
    size_bytes: int
    sha256: str
    object_key: str


@dataclass(frozen=True, slots=True)
class Completed:
    """A document's result is stored under `result_key`; `content_type` is what it was read as."""

    result_key: str
    page_count: int
    character_count: int
    partial: bool
    content_type: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The document's content could not be used; `reason` is a code, `message` for people."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """The document harmed what worked on it; `reason` is a code, `message` for people."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class NeedsOcr:
    """Pages of the document have no usable text: it goes on in the OCR lane."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt of a document ended."""

    document_id: str
    attempt: int
    result: Completed | Failed | Quarantined | NeedsOcr


class Disposition(Enum):
    """What became of a recorded outcome."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already_recorded"
    SUPERSEDED = "superseded"


@dataclass(slots=True)
class GroupSummary:
    """What became of a group's documents, by number."""

    completed: int = 0
    failed: int = 0
    quarantined: int = 0
    needs_ocr: int = 0
    """Handed over to the OCR lane."""
    lost: int = 0
    """No longer owned: cancelled, deleted, or taken by another workflow."""
    released: int = 0
    """Given back to the queue because the worker stops or a dependency stays down."""


@dataclass(slots=True)
class SweepReport:
    """What a sweep did, by number."""

    objects_examined: int = 0
    orphans_deleted: int = 0
    losing_results_deleted: int = 0
    unknown_keys: int = 0
    uploads_aborted: int = 0
    events_deleted: int = 0


@dataclass(frozen=True, slots=True)
class DocumentReferences:
    """The objects that a document's row names."""

    document_id: str
    terminal: bool
    keys: frozenset[str] = field(default_factory=frozenset)


def default_processes() -> int:
    """One extraction subprocess for each core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def original_key(document_id: str) -> str:
    """Where the content of a document is put."""
    return f"documents/{document_id}/original"


def thumbnail_key(document_id: str, page: int, width_px: int) -> str:
    """Where the picture of a page is kept."""
    return f"documents/{document_id}/thumb-{page}-{width_px}.webp"


def result_key(task: DocumentTask, workflow_id: str) -> str:
    """Where a result is put. Names attempt and workflow, so that no run overwrites another's."""
    return f"{_folder(task, workflow_id)}/result.json.zst"


def base_key(task: DocumentTask, workflow_id: str) -> str:
    """Where a result lies until its missing pages are recognised."""
    return f"{_folder(task, workflow_id)}/base.msgpack.zst"


def pages_key(task: DocumentTask, workflow_id: str, first: int, last: int) -> str:
    """Where recognised pages lie until all of them are there."""
    return f"{_folder(task, workflow_id)}/pages-{first}-{last}.msgpack.zst"


def _folder(task: DocumentTask, workflow_id: str) -> str:
    return f"documents/{task.document_id}/{task.attempt}-{workflow_id}"


def pages_deadline_s(pages: int, page_limit_s: float) -> float:
    """The longest that the pages of one activity may take, each tried twice, one by one.

    They share the subprocesses with those of other documents, hence as long again.
    """
    return 60.0 + 4 * page_limit_s * pages


def group_deadline_s(documents: int, document_limit_s: float) -> float:
    """The longest that a group may take: each document's limit twice, and a minute besides.

    Twice, because a document that kills its subprocess is tried once more.
    """
    return 60.0 + 2 * document_limit_s * documents


def attachment_filename(declared: str, place: int) -> str:
    """The name under which an attached file is recorded: 1 to 255 characters, none of control.

    What a stranger's document declares may be a whole path, or nothing; `place` counts from 0.
    """
    last = declared.replace("\\", "/").rstrip("/").rpartition("/")[2]
    name = "".join(sign for sign in last if sign.isprintable()).strip()
    stem, dot, suffix = name.rpartition(".")
    if len(name) > _FILENAME_CHARACTERS and dot and len(suffix) <= _SUFFIX_CHARACTERS:
        name = f"{stem[: _FILENAME_CHARACTERS - len(suffix) - 1]}.{suffix}"
    return name[:_FILENAME_CHARACTERS] or f"attachment-{place + 1}"
