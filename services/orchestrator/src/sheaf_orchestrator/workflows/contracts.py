"""What goes into and out of workflows and activities: keys, never bytes.

These classes are stored in workflow histories. A field may be added with a default; none
may be renamed, removed or given another meaning while a workflow that holds it may run.
"""

from dataclasses import dataclass, field

PROCESS_GROUP = "ProcessGroup"
EXTRACT_GROUP = "extract_group"
RECOGNISE_DOCUMENT = "RecogniseDocument"
BEGIN_RECOGNITION = "begin_recognition"
RECOGNISE_PAGES = "recognise_pages"
FINISH_RECOGNITION = "finish_recognition"
SWEEP = "Sweep"
SWEEP_OBJECTS = "sweep_objects"

OMIT_EMPTY = {"omit_empty": True}
"""Of a field that is not written into a history while it is empty."""


@dataclass(frozen=True)
class TaskInput:
    """One attempt of one document; `sha256` in hex, sizes in bytes. Never its password."""

    document_id: str
    attempt: int
    dispatches: int
    object_key: str
    content_type: str
    size_bytes: int
    sha256: str
    filename: str
    words: bool = False
    ocr: str = "auto"
    ocr_languages: list[str] = field(default_factory=list)
    has_password: bool = False
    depth: int = 0
    traceparent: str = field(default="", metadata=OMIT_EMPTY)
    """W3C, of the trace that the document belongs to."""
    pages: list[list[int]] = field(default_factory=list, metadata=OMIT_EMPTY)
    """First and last of each range of pages wanted, last 0 to the end; empty means all."""


@dataclass(frozen=True)
class ProcessGroupInput:
    """A claimed group, and where and how long its activity runs."""

    lane: str
    documents: list[TaskInput]
    cpu_task_queue: str
    deadline_s: float
    heartbeat_timeout_s: float


@dataclass(frozen=True)
class ProcessGroupOutput:
    """What became of the documents, by number."""

    completed: int = 0
    failed: int = 0
    quarantined: int = 0
    lost: int = 0
    released: int = 0
    needs_ocr: int = 0


@dataclass(frozen=True)
class ExtractGroupInput:
    """What the group activity works on; the workflow's id owns the documents."""

    lane: str
    documents: list[TaskInput]


@dataclass(frozen=True)
class RecogniseDocumentInput:
    """A document whose pages are recognised, and how its activities run.

    Pages are read `pages_per_chunk` an activity, `chunks_at_once` activities at a time.
    """

    document: TaskInput
    ocr_task_queue: str
    pages_per_chunk: int
    chunks_at_once: int
    begin_deadline_s: float
    pages_deadline_s: float
    finish_deadline_s: float
    heartbeat_timeout_s: float


@dataclass(frozen=True)
class BeginRecognitionInput:
    """The document whose own text is read first; with up to so many pages, it is all read."""

    document: TaskInput
    whole_up_to: int = 0


@dataclass(frozen=True)
class BeginRecognitionOutput:
    """The pages to recognise, ascending; or how the document has ended already."""

    pages: list[int] = field(default_factory=list)
    ended: ProcessGroupOutput | None = None


@dataclass(frozen=True)
class RecognisePagesInput:
    """Pages to read of a document; `pages_done` of `pages_total` were read before."""

    document: TaskInput
    pages: list[int]
    pages_done: int
    pages_total: int


@dataclass(frozen=True)
class RecognisePagesOutput:
    """The key under which the pages lie; or how the document has ended; or neither.

    Neither means that the worker stops, and the pages are to be read by another.
    """

    key: str = ""
    ended: ProcessGroupOutput | None = None


@dataclass(frozen=True)
class FinishRecognitionInput:
    """What the whole result is made of, besides what was read first."""

    document: TaskInput
    page_keys: list[str]
    pages_total: int


@dataclass(frozen=True)
class SweepInput:
    """Where a sweep's activity runs; `min_age_s` None means the worker's configured age."""

    io_task_queue: str
    min_age_s: float | None = None


@dataclass(frozen=True)
class SweepOutput:
    """What a sweep did, by number."""

    objects_examined: int = 0
    orphans_deleted: int = 0
    losing_results_deleted: int = 0
    unknown_keys: int = 0
    uploads_aborted: int = 0
    events_deleted: int = 0


@dataclass(frozen=True)
class SweepProgress:
    """Heartbeat of a sweep: the last key that was dealt with, and the counts until then."""

    after_key: str = ""
    so_far: SweepOutput = field(default_factory=SweepOutput)
