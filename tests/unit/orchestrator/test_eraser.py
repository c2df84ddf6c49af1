"""Objects of deleted documents are deleted, and what was done is confirmed."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sheaf_common.errors import Unavailable
from sheaf_metadata.settings import RecordSettings
from sheaf_orchestrator.domain import group_deadline_s, pages_deadline_s
from sheaf_orchestrator.recognition_settings import RecognitionSettings
from sheaf_orchestrator.service.eraser import Eraser
from sheaf_orchestrator.settings import DispatchSettings, ProcessingSettings
from support.waiting import until


@dataclass
class FakeDeletions:
    """Deletions that are due until they are confirmed. Raises `down` once."""

    waiting: list[str]
    confirmed: list[str] = field(default_factory=list)
    down: Exception | None = None

    async def due(self, limit: int) -> Sequence[str]:
        """The first of them."""
        if self.down is not None:
            error, self.down = self.down, None
            raise error
        return [each for each in self.waiting if each not in self.confirmed][:limit]

    async def confirm(self, document_ids: Sequence[str]) -> None:
        """Remembers them."""
        self.confirmed += document_ids


@dataclass
class FakePrefixes:
    """Remembers of which documents all was deleted; some cannot be."""

    stuck: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)

    async def delete_all(self, document_id: str) -> int:
        """One object."""
        await asyncio.sleep(0)
        if document_id in self.stuck:
            raise Unavailable("S3_UNAVAILABLE", "the store does not answer")
        self.deleted.append(document_id)
        return 1


async def test_what_is_due_is_deleted_and_confirmed() -> None:
    """All of it, however much."""
    ids = [str(number) for number in range(1200)]
    deletions, objects = FakeDeletions(ids), FakePrefixes()
    running = asyncio.create_task(Eraser(deletions, objects, 60).run())
    await until(lambda: len(deletions.confirmed) == len(ids))
    running.cancel()
    assert sorted(objects.deleted) == sorted(deletions.confirmed) == sorted(ids)


async def test_what_could_not_be_deleted_is_not_confirmed() -> None:
    """The rest is, and the next round tries it again."""
    deletions, objects = FakeDeletions(["a", "b", "c"]), FakePrefixes({"b"})
    eraser = Eraser(deletions, objects, 60)
    with pytest.raises(Unavailable):
        await eraser.erase()
    assert sorted(deletions.confirmed) == ["a", "c"]
    objects.stuck.clear()
    assert await eraser.erase() == 1
    assert sorted(deletions.confirmed) == ["a", "b", "c"]


async def test_it_goes_on_after_a_failure() -> None:
    """The record may be down for a while."""
    deletions = FakeDeletions(["a"], down=Unavailable("DATABASE_UNAVAILABLE", "it is down"))
    running = asyncio.create_task(Eraser(deletions, FakePrefixes(), 0.001).run())
    await until(lambda: deletions.confirmed == ["a"])
    running.cancel()


def test_objects_are_looked_for_again_when_no_activity_can_go_on() -> None:
    """By the defaults of both services: the longest activity ends before, and a lease with it."""
    dispatch, processing = DispatchSettings(), ProcessingSettings()
    recognition = RecognitionSettings()
    longest_s = max(
        group_deadline_s(dispatch.group_max_documents, processing.wall_limit_s),
        group_deadline_s(1, recognition.base_limits(processing.limits()).wall_s)
        + pages_deadline_s(recognition.pages_per_chunk, recognition.page_wall_limit_s),
    )
    assert RecordSettings().deletion_again_s > longest_s + dispatch.lease_ttl_s
