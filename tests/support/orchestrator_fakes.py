"""Small fakes of the orchestrator's ports, kept in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sheaf_common.errors import AlreadyExists, InvalidInput, NotFound, SheafError
from sheaf_common.ids import new_id
from sheaf_orchestrator.domain import (
    Disposition,
    DocumentReferences,
    DocumentTask,
    Failed,
    Group,
    GroupLimits,
    GroupSummary,
    Lane,
    Outcome,
    Progress,
    Quarantined,
    ReleaseCause,
    WorkflowState,
)
from sheaf_orchestrator.extraction import (
    Attachment,
    Metadata,
    Page,
    Recognised,
    RecognisedPage,
    Result,
    ResultWarning,
)
from sheaf_orchestrator.ports import Extraction, StoredObject


def task_of(content: bytes = b"hello", *, size_bytes: int | None = None) -> DocumentTask:
    """A document with that content."""
    document_id = str(new_id())
    return DocumentTask(
        document_id=document_id,
        attempt=1,
        dispatches=0,
        object_key=f"documents/{document_id}/original",
        content_type="text/plain",
        size_bytes=len(content) if size_bytes is None else size_bytes,
        sha256=sha256(content).hexdigest(),
        filename="a.txt",
    )


def group_of(*tasks: DocumentTask) -> Group:
    """A claimed group of those documents."""
    return Group(str(new_id()), Lane.TEXT, tasks)


def result_with(*attachments: Attachment, pages: Sequence[str] = ("",)) -> Result:
    """A result that says nothing but these."""
    return Result(
        document_id="x",
        attempt=1,
        content_type="text/plain",
        size_bytes=1,
        sha256=None,
        page_count=len(pages),
        character_count=sum(map(len, pages)),
        partial=False,
        metadata=Metadata(),
        pages=[
            Page(number, width=None, height=None, rotation=0, text=text, characters=len(text))
            for number, text in enumerate(pages, 1)
        ],
        outline=[],
        warnings=[],
        attachments=list(attachments),
    )


@dataclass
class FakeIntake:
    """Hands out prepared groups and remembers what it is told.

    Exceptions put into `failures` are raised by the next calls, by method name.
    """

    groups: list[Group] = field(default_factory=list)
    expired_groups: list[Group] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    recorded: list[tuple[str, list[Outcome]]] = field(default_factory=list)
    released: list[tuple[str, tuple[str, ...], ReleaseCause]] = field(default_factory=list)
    renewals: list[frozenset[str]] = field(default_factory=list)
    progress: list[Progress] = field(default_factory=list)
    passwords: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, list[SheafError]] = field(default_factory=dict)
    record_gate: asyncio.Event | None = None

    def _fail(self, method: str) -> None:
        if pending := self.failures.get(method):
            raise pending.pop(0)

    async def claim(self, lane: Lane, limits: GroupLimits, *, wait_s: float) -> Group | None:
        """The next prepared group; then waits for ever."""
        self._fail("claim")
        if not self.groups:
            await asyncio.Event().wait()
        return self.groups.pop(0)

    async def of(self, workflow_id: str, document_id: str) -> bytes | None:
        """The sealed password: this is `SealedPasswords`, too."""
        self._fail("of")
        return self.passwords.get(document_id)

    async def renew(
        self,
        workflow_id: str,
        tasks: Sequence[DocumentTask],
        progress: Sequence[Progress] = (),
    ) -> frozenset[str]:
        """Whatever is in `lost`."""
        self._fail("renew")
        self.progress += progress
        ids = frozenset(task.document_id for task in tasks)
        self.renewals.append(ids)
        return ids & self.lost

    async def expired(self, *, limit: int) -> Sequence[Group]:
        """The prepared ones."""
        self._fail("expired")
        return self.expired_groups[:limit]

    async def record(
        self, workflow_id: str, outcomes: Sequence[Outcome]
    ) -> Mapping[str, Disposition]:
        """Records all, but those in `lost`."""
        if self.record_gate is not None:
            await self.record_gate.wait()
        self._fail("record")
        self.recorded.append((workflow_id, list(outcomes)))
        return {
            outcome.document_id: (
                Disposition.SUPERSEDED if outcome.document_id in self.lost else Disposition.RECORDED
            )
            for outcome in outcomes
        }

    async def release(
        self, workflow_id: str, document_ids: Sequence[str], cause: ReleaseCause
    ) -> None:
        """Remembers it."""
        self._fail("release")
        self.released.append((workflow_id, tuple(document_ids), cause))

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """Every recorded outcome by document."""
        return {item.document_id: item for _, batch in self.recorded for item in batch}


@dataclass
class FakeObjects:
    """Objects in a dictionary."""

    stored: dict[str, bytes] = field(default_factory=dict)
    failures: list[SheafError] = field(default_factory=list)

    def of(self, *contents: bytes) -> list[DocumentTask]:
        """Stores contents and returns their documents."""
        tasks = [task_of(content) for content in contents]
        for task, content in zip(tasks, contents, strict=True):
            self.stored[task.object_key] = content
        return tasks

    async def fetch(self, key: str, *, size_bytes: int) -> bytes:
        """The stored bytes."""
        if self.failures:
            raise self.failures.pop(0)
        if key not in self.stored:
            raise NotFound("OBJECT_NOT_FOUND", key)
        return self.stored[key]

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Stores, create-only."""
        if self.stored.setdefault(key, content) != content:
            raise AlreadyExists("OBJECT_EXISTS", key)

    async def put_original(self, key: str, content: bytes, *, filename: str) -> str:
        """Stores, unless the name says that the store never takes it."""
        if filename == "refused":
            raise InvalidInput("OBJECT_TOO_LARGE", filename)
        await self.put(key, content, content_type="")
        return "text/plain"

    async def size_of(self, key: str) -> int | None:
        """Of the stored bytes."""
        return len(self.stored[key]) if key in self.stored else None

    async def delete(self, keys: Sequence[str]) -> None:
        """Forgets them."""
        for key in keys:
            self.stored.pop(key, None)


@dataclass
class FakeExtractor:
    """Extracts by what a test says for a content; by default one page of its length."""

    behave: dict[bytes, Callable[[], Awaitable[Extraction | Failed | Quarantined]]] = field(
        default_factory=dict
    )
    running: int = 0
    running_max: int = 0
    seen: list[bytes] = field(default_factory=list)
    passwords: list[bytes | None] = field(default_factory=list)
    cancelled: list[bytes] = field(default_factory=list)

    async def extract(
        self, task: DocumentTask, content: bytes, password: bytes | None
    ) -> Extraction | Failed | Quarantined:
        """See the class."""
        self.seen.append(content)
        self.passwords.append(password)
        self.running += 1
        self.running_max = max(self.running, self.running_max)
        try:
            if content in self.behave:
                return await self.behave[content]()
            await asyncio.sleep(0)
            return Extraction(b"result of " + content, 1, len(content), partial=False)
        except asyncio.CancelledError:
            self.cancelled.append(content)
            raise
        finally:
            self.running -= 1


@dataclass
class FakeRecogniser:
    """Reads pages by what a test says for a number; by default one word."""

    behave: dict[int, Callable[[], Awaitable[Recognised]]] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)
    running: int = 0
    running_max: int = 0

    async def recognise(
        self, task: DocumentTask, content: bytes, page: int, password: bytes | None
    ) -> Recognised:
        """See the class."""
        self.seen.append(page)
        self.running += 1
        self.running_max = max(self.running, self.running_max)
        try:
            if page in self.behave:
                return await self.behave[page]()
            await asyncio.sleep(0)
            return recognised(page)
        except asyncio.CancelledError:
            self.cancelled.append(page)
            raise
        finally:
            self.running -= 1


def recognised(page: int, *, failed_for: str | None = None) -> Recognised:
    """A page that was read, or one that was not, for that reason."""
    warnings = [] if failed_for is None else [ResultWarning(failed_for, "No.", page)]
    return Recognised(
        engine="" if failed_for else "fake 1",
        pages=[
            RecognisedPage(
                number=page,
                width=1.0,
                height=1.0,
                text="" if failed_for else f"page{page}",
                confidence=None if failed_for else 0.9,
                failed=failed_for is not None,
                warnings=warnings,
            )
        ],
    )


@dataclass
class FakeEngine:
    """Starts workflows in a list; `states` says what is known of others."""

    started: list[str] = field(default_factory=list)
    states: dict[str, WorkflowState] = field(default_factory=dict)
    failures: list[SheafError] = field(default_factory=list)

    async def start(self, group: Group) -> None:
        """Remembers it."""
        if self.failures:
            raise self.failures.pop(0)
        self.started.append(group.workflow_id)

    async def state(self, workflow_id: str) -> WorkflowState:
        """What the test says, unknown by default."""
        if self.failures:
            raise self.failures.pop(0)
        return self.states.get(workflow_id, WorkflowState.UNKNOWN)


@dataclass
class FakeObserver:
    """Remembers what it sees."""

    dispatches: list[int] = field(default_factory=list)
    resolved: list[WorkflowState] = field(default_factory=list)
    summaries: list[GroupSummary] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    pages: list[bool] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)

    def dispatched(self, lane: Lane, documents: int) -> None:
        """A dispatch."""
        self.dispatches.append(documents)

    def limited(self, lane: Lane, max_workflows: int) -> None:
        """A claim's places."""
        self.limits.append(max_workflows)

    def lease_resolved(self, state: WorkflowState, documents: int) -> None:
        """A resolution."""
        self.resolved.append(state)

    def group_processed(self, lane: Lane, summary: GroupSummary, duration_s: float) -> None:
        """A group."""
        self.summaries.append(summary)

    def stage_done(self, stage: str, duration_s: float) -> None:
        """A stage."""
        self.stages.append(stage)

    def page_recognised(self, *, failed: bool) -> None:
        """A page."""
        self.pages.append(failed)


@dataclass
class FakeListing:
    """A store as a sweep sees it: keys with their age in seconds."""

    ages_s: dict[str, float] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    page: int = 1000

    async def list(self, *, start_after: str, limit: int) -> Sequence[StoredObject]:
        """Ascending keys after one."""
        now = datetime.now(UTC)
        keys = sorted(key for key in self.ages_s if key > start_after)
        return [
            StoredObject(key, now - timedelta(seconds=self.ages_s[key]))
            for key in keys[: min(limit, self.page)]
        ]

    async def delete(self, keys: Sequence[str]) -> None:
        """Forgets them."""
        for key in keys:
            self.ages_s.pop(key, None)
            self.deleted.append(key)

    async def abort_stale_uploads(self, *, min_age_s: float) -> int:
        """Two, always."""
        return 2


@dataclass
class FakeReferences:
    """Rows by document."""

    rows: dict[str, DocumentReferences] = field(default_factory=dict)
    old_events: int = 0

    async def of(self, document_ids: Sequence[str]) -> Mapping[str, DocumentReferences]:
        """Those that exist."""
        return {key: self.rows[key] for key in document_ids if key in self.rows}

    async def prune_events(self, *, min_age_s: float) -> int:
        """At most 100 at a time."""
        pruned = min(100, self.old_events)
        self.old_events -= pruned
        return pruned
