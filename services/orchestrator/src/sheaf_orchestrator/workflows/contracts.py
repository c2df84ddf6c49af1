"""What goes into and out of workflows and activities: keys, never bytes.

These classes are stored in workflow histories. A field may be added with a default; none
may be renamed, removed or given another meaning while a workflow that holds it may run.
"""

from dataclasses import dataclass, field

PROCESS_GROUP = "ProcessGroup"
EXTRACT_GROUP = "extract_group"
SWEEP = "Sweep"
SWEEP_OBJECTS = "sweep_objects"


@dataclass(frozen=True)
class TaskInput:
    """One attempt of one document; `sha256` in hex, sizes in bytes."""

    document_id: str
    attempt: int
    dispatches: int
    object_key: str
    content_type: str
    size_bytes: int
    sha256: str
    filename: str


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


@dataclass(frozen=True)
class ExtractGroupInput:
    """What the group activity works on; the workflow's id owns the documents."""

    lane: str
    documents: list[TaskInput]


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
