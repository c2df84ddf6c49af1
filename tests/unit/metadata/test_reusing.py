"""Registering documents that are completed by a copied result, over fakes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from sheaf_common.errors import InvalidInput, Unavailable
from sheaf_common.ids import new_id
from sheaf_metadata.domain.documents import Batch, Document, Lane, Priority, Status
from sheaf_metadata.domain.registration import NewBatch, NewDocument, ReusedResult
from sheaf_metadata.domain.reusing import Reusable
from sheaf_metadata.ports.fairness import Lags
from sheaf_metadata.service.registration import RegisterBatch
from support.metadata_change_fakes import FakeAnnouncer, FakeFairness
from support.metadata_fakes import FakeObserver


def new_document(*, copied: bool) -> NewDocument:
    """A document, perhaps with a copy of a result."""
    document_id = new_id()
    reused = ReusedResult(new_id(), "theirs", f"documents/{document_id}/1-x/result.json.zst")
    return NewDocument(
        document_id,
        "a.txt",
        "text/plain",
        1,
        b"0" * 32,
        f"documents/{document_id}/original",
        reused=reused if copied else None,
    )


@dataclass
class Record:
    """Both ports of a registration: believes every copy."""

    trouble: Exception | None = None
    lags: list[Lags] = field(default_factory=list)

    async def find(self, batch: NewBatch) -> Sequence[Reusable]:
        """One for each document, unless there is trouble."""
        if self.trouble is not None:
            raise self.trouble
        return [Reusable(new.document_id, new_id(), "theirs") for new in batch.documents]

    async def register(
        self, batch: NewBatch, lags: Lags
    ) -> tuple[Batch, tuple[Document, ...], bool]:
        """All of it is new."""
        self.lags.append(lags)
        documents = tuple(
            Document(
                document_id=new.document_id,
                status=Status.COMPLETED if new.reused else Status.QUEUED,
                lane=Lane.TEXT,
            )
            for new in batch.documents
        )
        recorded = Batch(batch.batch_id, "ann", "", len(documents), datetime.now(UTC), None)
        return recorded, documents, True


class Bench:
    """The use case over fakes."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.record, self.fairness = Record(trouble), FakeFairness()
        self.announcer, self.observer = FakeAnnouncer(), FakeObserver()
        self.register = RegisterBatch(
            self.record, self.fairness, self.announcer, self.observer, self.record
        )


def batch(*documents: NewDocument) -> NewBatch:
    """Of ann's."""
    return NewBatch(new_id(), "ann", "", Priority.NORMAL, documents)


@pytest.mark.parametrize(("copied", "queued"), [((True, False), 1), ((True, True), 0)])
async def test_a_copy_is_an_end_and_no_work(copied: tuple[bool, ...], queued: int) -> None:
    """It takes no place in its owner's line; those who wait hear of it, the queue does not."""
    bench = Bench()
    _, documents = await bench.register(batch(*(new_document(copied=each) for each in copied)))
    (changes,) = bench.announcer.announced
    assert len(bench.fairness.work) == queued
    assert bench.observer.documents_registered == 2
    assert bench.observer.documents_ended == [
        each for each in documents if each in changes.documents
    ]
    assert len(changes.documents) == 2 - queued
    assert bool(changes.queued_lanes) is bool(queued)
    assert bool(changes.finished_batches) is not bool(queued)


async def test_a_look_that_fails_finds_nothing() -> None:
    """So the batch is registered as any other; but a batch that cannot be is refused."""
    assert len(await Bench().register.reusable(batch(new_document(copied=False)))) == 1
    bench = Bench(Unavailable("STATEMENT_TIMEOUT", "it took too long"))
    assert await bench.register.reusable(batch(new_document(copied=False))) == ()
    with pytest.raises(InvalidInput):
        await bench.register.reusable(batch())
