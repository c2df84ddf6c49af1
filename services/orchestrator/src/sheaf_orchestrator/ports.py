"""What the orchestrator needs from outside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sheaf_orchestrator.domain import (
    Disposition,
    DocumentReferences,
    DocumentTask,
    Failed,
    Group,
    GroupLimits,
    Lane,
    LaneBacklog,
    Outcome,
    Progress,
    Quarantined,
    QueueBacklog,
    ReleaseCause,
    SweepReport,
    WorkflowDescription,
    WorkflowState,
)
from sheaf_orchestrator.extraction import AttachedFile, Recognised


class Intake(Protocol):
    """The queue of accepted documents, kept by the metadata service.

    Every method raises `SheafError`; `Unavailable` and `DeadlineExceeded` leave open
    whether the call took effect, and every method may be repeated.
    """

    async def claim(self, lane: Lane, limits: GroupLimits, *, wait_s: float) -> Group | None:
        """Claims a group; waits up to `wait_s` for work and a place. None if there was none."""
        ...

    async def renew(
        self,
        workflow_id: str,
        tasks: Sequence[DocumentTask],
        progress: Sequence[Progress] = (),
    ) -> frozenset[str]:
        """Extends the lease; returns the ids that the workflow no longer owns."""
        ...

    async def expired(self, *, limit: int) -> Sequence[Group]:
        """Workflows whose lease has expired, each with its whole unrecorded group."""
        ...

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome]
    ) -> Mapping[str, Disposition]:
        """Records outcomes and says, by document id, what became of each."""
        ...

    async def release(
        self, workflow_id: str, document_ids: Sequence[str], cause: ReleaseCause
    ) -> None:
        """Gives documents back to the queue."""
        ...


class Objects(Protocol):
    """The stored objects, kept by the storage service."""

    async def fetch(self, key: str, *, size_bytes: int) -> bytes:
        """The whole object. Raises `NotFound` if it is not there."""
        ...

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Stores an object; the same put may be repeated.

        Raises `AlreadyExists` if there is another content under the key.
        """
        ...

    async def put_original(self, key: str, content: bytes, *, filename: str) -> str:
        """Stores a file of a document's; returns its content type, by its content.

        The same put may be repeated. Raises `InvalidInput` for what is never stored.
        """
        ...

    async def size_of(self, key: str) -> int | None:
        """The size of an object in bytes; None if it is not there."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects; one that is not there counts as deleted."""
        ...


class SealedPasswords(Protocol):
    """The passwords of encrypted documents, as they were sealed."""

    async def of(self, workflow_id: str, document_id: str) -> bytes | None:
        """What the workflow may open; None if it does not hold the document, or without one."""
        ...


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a document gave: the encoded result object, its numbers, and what is left to do.

    `ocr_pages` are to be recognised; `attachments` are files that become documents.
    """

    result: bytes
    page_count: int
    character_count: int
    partial: bool
    content_type: str = ""
    ocr_pages: tuple[int, ...] = ()
    attachments: tuple[AttachedFile, ...] = ()


class Extractor(Protocol):
    """Reads documents, apart from this process."""

    async def extract(
        self, task: DocumentTask, content: bytes, password: bytes | None
    ) -> Extraction | Failed | Quarantined:
        """Reads one document. Cancelling the call stops the work.

        Raises:
            SheafError: the extractor itself cannot work now; says nothing of the document.
        """
        ...


class PageRecogniser(Protocol):
    """Reads pages of documents by character recognition, apart from this process."""

    async def recognise(
        self, task: DocumentTask, content: bytes, page: int, password: bytes | None
    ) -> Recognised:
        """Reads one page; one that cannot be read, for whatever reason, is marked as failed.

        Cancelling the call stops the work.

        Raises:
            SheafError: recognition itself cannot work now; says nothing of the page.
        """
        ...


class PageDrawer(Protocol):
    """Draws pages of documents, apart from this process."""

    async def thumbnail(
        self, document_id: str, content_type: str, content: bytes, *, page: int, width_px: int
    ) -> bytes:
        """The page as WebP.

        Raises:
            InvalidInput: it cannot be drawn; the reason is extraction's.
            OverCapacity: `SANDBOX_BUSY`.
            Unavailable: `SANDBOX_UNAVAILABLE`.
        """
        ...


class WorkflowEngine(Protocol):
    """Runs one workflow, that of its lane, for each claimed group."""

    async def start(self, group: Group) -> None:
        """Starts the group's workflow under its id; an id that runs already is success.

        Raises:
            FailedPrecondition: `WORKFLOW_CLOSED`, that id has run to its end before.
            InvalidInput: the engine refused; no workflow was started.
            Unavailable, DeadlineExceeded: whether it was started is not known.
        """
        ...

    async def state(self, workflow_id: str) -> WorkflowState:
        """What the engine knows of the workflow. Raises `Unavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One entry of a listing."""

    key: str
    modified_at: datetime


class ObjectListing(Protocol):
    """The stored objects as a sweep needs them."""

    async def list(self, *, start_after: str, limit: int) -> Sequence[StoredObject]:
        """Objects of documents after a key, in ascending order; empty at the end."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects; one that is not there counts as deleted."""
        ...

    async def abort_stale_uploads(self, *, min_age_s: float) -> int:
        """Aborts unfinished multipart uploads older than that; returns how many."""
        ...


class References(Protocol):
    """What the rows name, and old events, as a sweep needs them."""

    async def of(self, document_ids: Sequence[str]) -> Mapping[str, DocumentReferences]:
        """What each document's row names; a document without a row is absent."""
        ...

    async def prune_events(self, *, min_age_s: float) -> int:
        """Deletes some events older than that; returns how many, 0 when none is left."""
        ...


class IntakeBacklog(Protocol):
    """How much the intake holds."""

    async def lanes(self) -> Sequence[LaneBacklog]:
        """The backlog of every lane. Raises `SheafError`."""
        ...


class WorkflowOperations(Protocol):
    """What operators ask of the workflow engine."""

    async def describe(self, workflow_id: str) -> WorkflowDescription:
        """Describes a workflow. Raises `NotFound`, `Unavailable`."""
        ...

    async def backlog(self) -> Sequence[QueueBacklog]:
        """The backlog of every task queue of Sheaf. Raises `Unavailable`."""
        ...

    async def sweep_now(self, min_age_s: float | None) -> SweepReport:
        """Runs a sweep to its end. Raises `Unavailable`; the sweep then goes on."""
        ...


class Holdable(Protocol):
    """Work that can be made to stand still for a moment."""

    def hold(self) -> None:
        """Stops it where it is, until `resume`; returns at once. Harmless when done twice."""
        ...

    def resume(self) -> None:
        """Lets it go on. Harmless when it was not held."""
        ...


class WorkerProcesses(Protocol):
    """CPU worker processes on this host, started and ended by this one. Never outlive it."""

    @property
    def running(self) -> int:
        """Those that were started and neither ended nor were told to."""
        ...

    @property
    def starting(self) -> bool:
        """Whether one of them is not of use yet."""
        ...

    @property
    def draining(self) -> int:
        """Those that were told to end and have not yet."""
        ...

    async def add(self) -> None:
        """Starts one; returns before it is of use. Raises OSError if it cannot be started."""
        ...

    def remove(self) -> None:
        """Tells the one that was added last to finish what it has, and to end."""
        ...

    def ended(self) -> Sequence[int]:
        """Exit codes of those that ended unasked since this was called last."""
        ...

    def use(self) -> float:
        """How busy they were since this was called last, as a share of their subprocesses."""
        ...


class WorkerCensus(Protocol):
    """The workers that live now, wherever they are."""

    async def subprocesses(self, lane: Lane) -> int | None:
        """Subprocesses of all live workers of a lane; None if no worker has told its own.

        Raises `SheafError`.
        """
        ...
