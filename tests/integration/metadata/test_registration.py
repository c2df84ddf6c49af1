"""Registering batches, over the contract and in the rows."""

import asyncio
import hashlib
import uuid

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import AlreadyExists, InvalidInput
from sheaf_common.ids import new_id
from support.metadata import Metadata, as_user, new_document
from support.sql_log import statements


def aged_id(age_s: float) -> str:
    """A UUIDv7 that was made so long ago."""
    made = new_id().int - (int(age_s * 1000) << 80)
    return str(uuid.UUID(int=made))


async def test_a_batch_is_recorded_as_queued(metadata: Metadata) -> None:
    """Answer, rows and events say the same."""
    first, second = new_document("a.txt"), new_document("b.txt")
    answer = await metadata.register(second, first, product="tax", user_id="ann")

    assert [document.filename for document in answer.documents] == ["b.txt", "a.txt"]
    assert answer.batch.document_count == 2
    assert [(c.status, c.count) for c in answer.batch.counts] == [
        (document_pb2.DOCUMENT_STATUS_QUEUED, 2)
    ]
    row = await metadata.row(first.document_id)
    assert (row.user_id, row.product, row.status, row.lane, row.attempt, row.row_version) == (
        "ann",
        "tax",
        "queued",
        "text",
        1,
        1,
    )
    assert row.sha256 == first.sha256
    assert await metadata.events(first.document_id) == [("queued", None)]
    with as_user("ann"):
        assert await metadata.document(second.document_id) == answer.documents[0]


async def test_the_same_again_answers_what_is_recorded(metadata: Metadata) -> None:
    """Nothing is added, and the answer is the first one's, later states included."""
    documents, batch_id = [new_document(), new_document()], str(new_id())
    first = await metadata.register(*documents, batch_id=batch_id)
    again = await metadata.register(*documents, batch_id=batch_id)
    assert again == first

    await metadata.claimed()
    later = await metadata.register(*documents, batch_id=batch_id)
    assert {document.status for document in later.documents} == {
        document_pb2.DOCUMENT_STATUS_PROCESSING
    }
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(2,)]
    assert await metadata.sql("SELECT COUNT(*) FROM event WHERE status = 'queued'") == [(2,)]


async def test_two_at_once_record_one(metadata: Metadata) -> None:
    """Racing repeats all get the same answer."""
    documents, batch_id = [new_document() for _ in range(5)], str(new_id())
    answers = await asyncio.gather(
        *(metadata.register(*documents, batch_id=batch_id) for _ in range(12))
    )

    assert all(answer == answers[0] for answer in answers)
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(5,)]
    assert await metadata.sql("SELECT COUNT(*) FROM event") == [(5,)]


@pytest.mark.parametrize("change", ["sha256", "size_bytes", "object_key", "batch", "user"])
async def test_an_id_that_is_another_documents_is_refused(metadata: Metadata, change: str) -> None:
    """Other content, batch or user under a known id: DOCUMENT_EXISTS, and nothing is added."""
    document, batch_id, user_id = new_document(), str(new_id()), "ann"
    await metadata.register(document, batch_id=batch_id)
    other = new_document()
    other.MergeFrom(document)
    match change:
        case "sha256":
            other.sha256 = hashlib.sha256(b"other").digest()
        case "size_bytes":
            other.size_bytes += 1
        case "object_key":
            other.object_key += "x"
        case "batch":
            batch_id = str(new_id())
        case "user":
            user_id = "bob"

    with pytest.raises(AlreadyExists) as refused:
        await metadata.register(new_document(), other, batch_id=batch_id, user_id=user_id)

    assert refused.value.reason == "DOCUMENT_EXISTS"
    assert await metadata.sql("SELECT COUNT(*) FROM event") == [(1,)]
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(1,)]
    assert await metadata.sql("SELECT COUNT(*) FROM batch") == [(1,)]


@pytest.mark.parametrize("user_id", ["ann", "bob"])
async def test_a_batch_never_grows(metadata: Metadata, user_id: str) -> None:
    """A known batch with other documents, or of another user, is refused."""
    batch_id = str(new_id())
    await metadata.register(new_document(), batch_id=batch_id)

    with pytest.raises(AlreadyExists) as refused:
        await metadata.register(new_document(), batch_id=batch_id, user_id=user_id)

    assert refused.value.reason == "BATCH_EXISTS"
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(1,)]


async def test_an_id_over_an_hour_old_is_refused(metadata: Metadata) -> None:
    """A sweep may have removed its object already."""
    document = new_document()
    document.document_id = aged_id(3601)
    with pytest.raises(InvalidInput) as refused:
        await metadata.register(document)
    assert refused.value.reason == "ID_TOO_OLD"

    document.document_id = aged_id(3500)
    assert (await metadata.register(document)).batch.document_count == 1


async def test_what_was_registered_in_time_may_be_asked_again_later(metadata: Metadata) -> None:
    """A repeat is answered even if the id has become too old meanwhile."""
    document, batch_id = new_document(), str(new_id())
    await metadata.register(document, batch_id=batch_id)
    old = aged_id(7200)
    await metadata.sql("UPDATE document SET id = :id", id=uuid.UUID(old).bytes)
    document.document_id = old

    assert (await metadata.register(document, batch_id=batch_id)).documents[0].document_id == old


async def test_an_id_from_the_future_is_refused(metadata: Metadata) -> None:
    """A few minutes are a clock's error; more is not."""
    document = new_document()
    document.document_id = aged_id(-600)
    with pytest.raises(InvalidInput) as refused:
        await metadata.register(document)
    assert refused.value.reason == "ID_INVALID"

    document.document_id = aged_id(-60)
    await metadata.register(document)


async def test_a_thousand_documents_take_one_statement_a_table(metadata: Metadata) -> None:
    """However many documents, one INSERT for each table."""
    documents = [new_document(f"{number}.txt") for number in range(1000)]
    async with statements(metadata.engine, "INSERT INTO") as inserts:
        answer = await metadata.register(*documents)

    assert [d.document_id for d in answer.documents] == [d.document_id for d in documents]
    assert [insert.split()[2] for insert in inserts] == ["batch", "document", "event"]
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(1000,)]
    assert await metadata.sql("SELECT COUNT(DISTINCT document_id) FROM event") == [(1000,)]
    with pytest.raises(InvalidInput) as refused:
        await metadata.register(*documents, new_document())
    assert (refused.value.reason, refused.value.http_status) == ("BATCH_TOO_LARGE", 413)


async def test_batches_that_race_for_an_id_leave_nothing_half_written(metadata: Metadata) -> None:
    """One has it; the other is refused with the id's reason, and none of it is there."""
    shared = new_document("shared")
    answers = await asyncio.gather(
        *(metadata.register(*(new_document() for _ in range(9)), shared) for _ in range(8)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, AlreadyExists)]
    assert {(each.reason, each.evidence["document_id"]) for each in refused} == {
        ("DOCUMENT_EXISTS", shared.document_id)
    }
    assert len(refused) == len(answers) - 1
    for table, count in {"batch": 1, "document": 10, "event": 10}.items():
        assert await metadata.sql(f"SELECT COUNT(*) FROM {table}") == [(count,)]  # noqa: S608 - our own names


async def test_a_call_without_a_user_is_refused(metadata: Metadata) -> None:
    """Every document has an owner."""
    request = metadata_pb2.RegisterBatchRequest(batch_id=str(new_id()), documents=[new_document()])
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("RegisterBatch", request)
    assert refused.value.reason == "USER_MISSING"


async def test_names_in_every_script_are_kept(metadata: Metadata) -> None:
    """Four-byte characters, quotes and percent signs come back as they were."""
    name = "Ünïcode 文書 🧾 %s 'quoted' \\ :id.pdf"
    answer = await metadata.register(new_document(name))
    with as_user("ann"):
        found = await metadata.document(answer.documents[0].document_id)
    assert found.filename == name


async def test_what_its_owner_wrote_on_a_document_comes_back(metadata: Metadata) -> None:
    """With every field, alone, and in lists; on many documents of a batch it is said once."""
    written = '{"z":"Straße 🧾","a":[1.50,{"b":null}],"n":12345678901234567890}'
    batch_id, documents = str(new_id()), [new_document(), new_document()]
    await metadata.register(*documents, batch_id=batch_id, metadata_json=written)
    await metadata.register(*documents, batch_id=batch_id, metadata_json=written)
    (document_id, _) = (document.document_id for document in documents)

    with as_user("ann"):
        assert (await metadata.document(document_id)).metadata_json == written
        alone = await metadata.document(document_id, fields=["metadata_json"])
        listed = await metadata.call("ListDocuments", metadata_pb2.ListDocumentsRequest())
    assert alone == document_pb2.Document(metadata_json=written)
    assert [each.metadata_json for each in listed.documents] == [written] * 2
    view = await metadata.batch(batch_id)
    assert view.batch.metadata_json == written
    assert [each.metadata_json for each in view.documents] == ["", ""]
    assert (await metadata.claimed()).documents[0].document_id == document_id


async def test_registered_again_with_other_metadata_is_another_document(
    metadata: Metadata,
) -> None:
    """As with the other fields."""
    document, batch_id = new_document(), str(new_id())
    await metadata.register(document, batch_id=batch_id, metadata_json='{"a":1}')
    with pytest.raises(AlreadyExists) as refused:
        await metadata.register(document, batch_id=batch_id, metadata_json='{"a":2}')
    assert refused.value.reason == "DOCUMENT_EXISTS"
