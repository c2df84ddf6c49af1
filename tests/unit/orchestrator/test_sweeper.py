"""The sweep removes what nothing will ever name, and nothing else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sheaf_common.ids import new_id
from sheaf_orchestrator.domain import DocumentReferences, SweepReport
from sheaf_orchestrator.service.sweeper import Sweeper, document_id_of
from support.orchestrator_fakes import FakeListing, FakeReferences

DAY = 86_400.0


def old_id() -> str:
    """An id made two days ago."""
    made = datetime.now(UTC) - timedelta(days=2)
    low = new_id().int & ((1 << 80) - 1)
    return str(UUID(int=(int(made.timestamp() * 1000) << 80) | low))


def row(document_id: str, *keys: str, terminal: bool = True) -> dict[str, DocumentReferences]:
    """That document's row."""
    return {document_id: DocumentReferences(document_id, terminal, frozenset(keys))}


async def sweep(listing: FakeListing, references: FakeReferences) -> SweepReport:
    """Sweeps what is older than a day."""
    return await Sweeper(listing, references, DAY).sweep(
        min_age_s=DAY, after_key="", report=SweepReport(), progress=lambda _key, _report: None
    )


async def test_an_object_without_a_row_goes() -> None:
    """Put, but never registered, and too late to be."""
    key = f"documents/{old_id()}/original"
    listing = FakeListing({key: 2 * DAY})

    report = await sweep(listing, FakeReferences())

    assert (listing.deleted, report.orphans_deleted) == ([key], 1)


async def test_an_upload_in_progress_stays() -> None:
    """A young object without a row may be registered yet; so may one with a young id."""
    young_object = f"documents/{old_id()}/original"
    young_id = f"documents/{new_id()}/original"
    listing = FakeListing({young_object: 60.0, young_id: 2 * DAY})

    await sweep(listing, FakeReferences())

    assert listing.deleted == []


async def test_a_losing_result_goes_and_the_winner_stays() -> None:
    """The row names the winner; what a zombie or an earlier attempt left is removed."""
    document_id = old_id()
    original = f"documents/{document_id}/original"
    winner = f"documents/{document_id}/2-w2/result.json.zst"
    loser = f"documents/{document_id}/1-w1/result.json.zst"
    thumbnail = f"documents/{document_id}/thumb-1-256.webp"
    listing = FakeListing(dict.fromkeys((original, winner, loser, thumbnail), 2 * DAY))

    report = await sweep(listing, FakeReferences(row(document_id, original, winner)))

    assert (listing.deleted, report.losing_results_deleted) == ([loser], 1)


PARTS = ("result.json.zst", "base.msgpack.zst", "pages-5-8.msgpack.zst")


async def test_results_of_a_document_at_work_stay() -> None:
    """Its row does not name the result yet, but may at any moment; its parts are needed."""
    document_id = old_id()
    listing = FakeListing({f"documents/{document_id}/1-w1/{name}": 2 * DAY for name in PARTS})

    await sweep(listing, FakeReferences(row(document_id, terminal=False)))

    assert listing.deleted == []


async def test_parts_that_nobody_puts_together_go() -> None:
    """Of a document that was cancelled, or ended in another workflow."""
    document_id = old_id()
    keys = {f"documents/{document_id}/1-w1/{name}": 2 * DAY for name in PARTS}
    listing = FakeListing(dict(keys))

    await sweep(listing, FakeReferences(row(document_id)))

    assert set(listing.deleted) == set(keys)


async def test_what_is_not_understood_is_left_and_counted() -> None:
    """A key that Sheaf did not make is not Sheaf's to delete."""
    listing = FakeListing({"documents/readme.txt": 2 * DAY, "documents/x/original": 2 * DAY})

    report = await sweep(listing, FakeReferences())

    assert (listing.deleted, report.unknown_keys) == ([], 2)


async def test_every_page_is_swept_and_reported() -> None:
    """Pages follow each other by key, and progress names the last one dealt with."""
    keys = sorted(f"documents/{old_id()}/original" for _ in range(25))
    listing = FakeListing(dict.fromkeys(keys, 2 * DAY), page=10)
    seen: list[str] = []

    report = await Sweeper(listing, FakeReferences(old_events=250), DAY).sweep(
        min_age_s=DAY,
        after_key="",
        report=SweepReport(),
        progress=lambda key, _report: seen.append(key),
    )

    assert (report.objects_examined, report.orphans_deleted) == (25, 25)
    assert (report.uploads_aborted, report.events_deleted) == (2, 250)
    assert seen[:3] == [keys[9], keys[19], keys[24]]


async def test_a_sweep_goes_on_where_it_was() -> None:
    """A retried sweep does not begin anew."""
    keys = sorted(f"documents/{old_id()}/original" for _ in range(4))
    listing = FakeListing(dict.fromkeys(keys, 2 * DAY))

    await Sweeper(listing, FakeReferences(), DAY).sweep(
        min_age_s=DAY, after_key=keys[1], report=SweepReport(), progress=lambda _k, _r: None
    )

    assert listing.deleted == keys[2:]


def test_only_keys_of_the_layout_name_a_document() -> None:
    """The layout of the design, section 3, and nothing near it."""
    document_id = str(new_id())
    named = [
        f"documents/{document_id}/original",
        f"documents/{document_id}/1-w/result.json.zst",
        f"documents/{document_id}/1-w/base.msgpack.zst",
        f"documents/{document_id}/1-w/pages-1-4.msgpack.zst",
        f"documents/{document_id}/thumb-1-256.webp",
    ]
    foreign = [
        f"documents/{document_id}",
        f"documents/{document_id}/other",
        f"documents/{document_id.upper()}/original",
        f"archive/{document_id}/original",
        f"documents/{document_id}/1-w/deep/result.json.zst",
    ]

    assert {document_id_of(key) for key in named} == {document_id}
    assert {document_id_of(key) for key in foreign} == {None}
