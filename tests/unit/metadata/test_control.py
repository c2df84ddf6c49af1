"""What owners may do, over fakes: whose, how many, and what the caches must have heard."""

from collections.abc import Awaitable, Callable

import pytest

from sheaf_common.context import RequestContext, bound
from sheaf_common.errors import InvalidInput, NotFound, Unavailable
from sheaf_common.ids import new_id
from sheaf_metadata.domain.control import Reprocessing, check_reprocessing
from sheaf_metadata.domain.documents import Document, Lane, Status
from sheaf_metadata.domain.options import Options
from sheaf_metadata.ports.fairness import QueuedWork
from sheaf_metadata.service.control import ControlDocuments
from support.metadata_change_fakes import FakeAnnouncer, FakeControls, FakeFairness
from support.metadata_fakes import FakeBatchCache, FakeCache, FakeObserver

Call = Callable[[ControlDocuments], Awaitable[object]]
_ID = new_id()


def wanted(**fields: object) -> Reprocessing:
    """Another attempt, with some fields otherwise."""
    values = {"options": None, "sealed_password": b"", "after_attempt": 0} | fields
    return Reprocessing(document_id=_ID, **values)  # type: ignore[arg-type]


class Bench:
    """The use case over a document of ann's, and three of hers in quarantine."""

    def __init__(self) -> None:
        document = Document(
            document_id=_ID, batch_id=new_id(), user_id="ann", status=Status.FAILED, attempt=1
        )
        quarantine = [QueuedWork(new_id(), "ann", Lane.TEXT, 1.0) for _ in range(3)]
        self.controls = FakeControls(document, quarantine)
        self.cache, self.batches = FakeCache(), FakeBatchCache()
        self.fairness, self.announcer = FakeFairness(), FakeAnnouncer()
        self.observer = FakeObserver()
        self.control = ControlDocuments(
            self.controls, self.fairness, self.cache, self.batches, self.announcer, self.observer
        )


_CALLS: dict[str, Call] = {
    "cancel": lambda control: control.cancel(_ID),
    "reprocess": lambda control: control.reprocess(wanted()),
}


@pytest.mark.parametrize("call", _CALLS.values(), ids=_CALLS)
async def test_owners_act_on_their_own(call: Call) -> None:
    """Others find nothing; an internal caller acts on everyone's."""
    bench = Bench()
    with bound(RequestContext("r", "bob")), pytest.raises(NotFound) as refused:
        await call(bench.control)
    assert refused.value.reason == "DOCUMENT_NOT_FOUND"
    for user_id in ("ann", None):
        with bound(RequestContext("r", user_id)):
            assert await call(bench.control) == bench.controls.document
    assert (await bench.cache.get(_ID)) == bench.controls.document
    assert bench.announcer.announced[-1].documents == (bench.controls.document,)


@pytest.mark.parametrize("deaf", ["cache", "batches"])
async def test_a_new_attempt_needs_caches_that_have_heard(deaf: str) -> None:
    """Of the document, and of its batch; a cancel does not."""
    bench = Bench()
    getattr(bench, deaf).usable = False
    with pytest.raises(Unavailable) as refused:
        await bench.control.reprocess(wanted())
    assert (refused.value.reason, refused.value.retry_after_s) == ("CACHE_UNAVAILABLE", 1.0)
    assert bench.controls.document.attempt == 1
    assert (await bench.control.cancel(_ID)).status is Status.CANCELLED


async def test_a_replay_says_whether_more_are_left() -> None:
    """Each that is queued again is put in its owner's line."""
    bench = Bench()
    ids = [work.document_id for work in bench.controls.quarantine]
    with bound(RequestContext("r", "ann")):
        assert await bench.control.replay("", "", 2) == (ids[:2], True)
        assert [work.document_id for work in bench.fairness.work] == ids[:2]
        assert await bench.control.replay("", "", 0) == (ids[2:], False)
        assert await bench.control.replay("", "", 0) == ((), False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"after_attempt": -1}, "after_attempt"),
        ({"sealed_password": b"x" * 1025}, "sealed_password"),
        ({"options": Options(ocr_languages=("x",))}, "options.ocr_languages"),
    ],
)
def test_an_attempt_that_cannot_be_made_is_named(fields: dict[str, object], field: str) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidInput) as refused:
        check_reprocessing(wanted(**fields))
    assert refused.value.evidence["field"] == field


def test_a_password_is_not_shown() -> None:
    """Not even sealed."""
    assert "sealed" not in repr(wanted(sealed_password=b"sealed"))
