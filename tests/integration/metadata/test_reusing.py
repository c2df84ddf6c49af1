"""Finding results that can be reused, and registering documents with a copy of one."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import InvalidInput
from sheaf_common.ids import new_id
from sheaf_common.pools.database import database_pool
from sheaf_metadata.adapters.mysql.database import Database
from sheaf_metadata.adapters.mysql.pipelines import MysqlPipelines
from support.metadata import (
    Metadata,
    as_user,
    attachment,
    completed,
    failed,
    holding,
    new_document,
)

_CONTENT = hashlib.sha256(b"the same").digest()
_WORDS = document_pb2.DocumentOptions(words=True)
_COMPLETED = document_pb2.DOCUMENT_STATUS_COMPLETED
_QUEUED = document_pb2.DOCUMENT_STATUS_QUEUED


def same(name: str = "a.txt", **fields: object) -> metadata_pb2.NewDocument:
    """A document with the content that all have here."""
    document = new_document(name, **fields)  # type: ignore[arg-type]
    document.sha256 = _CONTENT
    return document


async def done(
    metadata: Metadata,
    source: metadata_pb2.NewDocument,
    *,
    outcome: metadata_pb2.Outcome | None = None,
    version: str = "1",
) -> str:
    """Registers a document and records its outcome, of that version; its id."""
    await metadata.register(source)
    group = await metadata.claimed(pipeline_version="1")
    outcome = outcome or completed(source.document_id, pages=7)
    outcome.pipeline_version = version
    await metadata.record(group.workflow_id, outcome)
    return source.document_id


async def found(
    metadata: Metadata, *documents: metadata_pb2.NewDocument, user_id: str = "ann"
) -> Sequence[metadata_pb2.ReusableResult]:
    """What can be reused for documents; where nothing can, they are registered."""
    answer = await metadata.register(*documents, user_id=user_id, find_reusable=True)
    assert bool(answer.documents) is not bool(answer.reusable)
    return answer.reusable


def copied(
    new: metadata_pb2.NewDocument, reusable: metadata_pb2.ReusableResult
) -> metadata_pb2.NewDocument:
    """A document with a copy of what was found for it."""
    assert new.document_id == reusable.document_id
    new.reused.source_document_id = reusable.source_document_id
    new.reused.source_result_key = reusable.source_result_key
    new.reused.result_key = f"documents/{new.document_id}/1-{new_id()}/result.json.zst"
    return new


async def test_the_same_content_is_found_and_nothing_is_registered(metadata: Metadata) -> None:
    """For each document that can have it, whatever its name; not for what is unknown."""
    source = await done(metadata, same())
    first, second, other = same("b.txt"), same("c.txt"), new_document()
    reusable = await found(metadata, first, other, second)
    assert {each.document_id for each in reusable} == {first.document_id, second.document_id}
    assert {each.source_document_id for each in reusable} == {source}
    key = (await metadata.row(source)).result_key
    assert {each.source_result_key for each in reusable} == {key}
    assert await metadata.sql("SELECT COUNT(*) FROM document") == [(1,)]


@pytest.mark.parametrize(
    "change", ["user", "options", "password", "size", "type", "version", "failed", "again", "depth"]
)
async def test_what_is_not_the_same_is_not_found(metadata: Metadata, change: str) -> None:
    """Then the document is registered by that same call, as queued."""
    new, user_id = same(), "ann"
    source, outcome, version = same(), None, "1"
    match change:
        case "user":
            user_id = "bob"
        case "options":
            new.options.CopyFrom(_WORDS)
        case "password":
            new.sealed_password = b"sealed"
        case "size":
            new.size_bytes += 1
        case "type":
            new.filename, new.content_type = "a.csv", "text/csv"
        case "version":
            version = "0"
        case "failed":
            outcome = failed(source.document_id)
    await done(metadata, source, outcome=outcome, version=version)
    if change == "again":
        await metadata.reprocess(source.document_id)
    if change == "depth":
        await metadata.sql("UPDATE document SET depth = 1")
    assert await found(metadata, new, user_id=user_id) == []
    assert (await metadata.row(new.document_id)).status == "queued"


async def test_a_mail_whose_attachments_are_documents_is_not_found(metadata: Metadata) -> None:
    """Its copy would name documents that are another's; what it holds is found as any other."""
    mail = same("a.eml")
    inside = attachment(mail.document_id, "inside.txt")
    await done(metadata, mail, outcome=holding(mail.document_id, inside))
    assert await found(metadata, same("b.eml")) == []


async def test_a_copied_result_completes_a_document_at_once(metadata: Metadata) -> None:
    """With the numbers of its source, its own key, one terminal event; and its batch with it."""
    source = await done(metadata, same())
    new = same("again.txt")
    (reusable,) = await found(metadata, new)
    answer = await metadata.register(
        copied(new, reusable), product="tax", metadata_json='{"claim":7}'
    )

    (document,) = answer.documents
    assert document.status == _COMPLETED
    assert document.duplicate_of == source
    assert document.result_key == new.reused.result_key
    assert (document.page_count, document.character_count, document.attempt) == (7, 42, 1)
    assert (document.filename, document.product) == ("again.txt", "tax")
    assert (document.pipeline_version, document.workflow_id) == ("1", "")
    assert document.finished_at == document.uploaded_at == answer.batch.finished_at
    assert await metadata.events(new.document_id) == [("completed", None)]
    assert await metadata.batch_finished_events(answer.batch.batch_id) == 1
    assert [(each.status, each.count) for each in answer.batch.counts] == [(_COMPLETED, 1)]
    with as_user("ann"):
        assert await metadata.document(new.document_id, wait_s=5) == document
        read = (await metadata.batch(answer.batch.batch_id, wait_s=5)).batch
    assert read.metadata_json == document.metadata_json == '{"claim":7}'
    read.ClearField("metadata_json")  # which a registration says with each document
    assert read == answer.batch
    assert await metadata.claim() is None


async def test_the_rest_of_its_batch_is_queued(metadata: Metadata) -> None:
    """And finishes it; the same registration again answers what is recorded."""
    await done(metadata, same())
    new, other, batch_id = same(), new_document(), str(new_id())
    (reusable,) = await found(metadata, new, other)
    documents = (other, copied(new, reusable))
    answer = await metadata.register(*documents, batch_id=batch_id)
    assert [each.status for each in answer.documents] == [_QUEUED, _COMPLETED]
    assert not answer.batch.HasField("finished_at")
    assert await metadata.register(*documents, batch_id=batch_id) == answer

    await metadata.complete(await metadata.claimed())
    assert await metadata.batch_finished_events(batch_id) == 1
    assert set((await metadata.terminal_events()).values()) == {1}


@pytest.mark.parametrize(
    "change", ["reprocessed", "gone", "other result", "options", "password", "user"]
)
async def test_a_source_that_changed_meanwhile_is_not_reused(
    metadata: Metadata, change: str
) -> None:
    """The document is queued then, and completes as any other."""
    source = await done(metadata, same())
    new = same()
    (reusable,) = await found(metadata, new)
    match change:
        case "reprocessed":
            await metadata.reprocess(source)
        case "gone":
            await metadata.sql("DELETE FROM document")
        case "other result":
            await metadata.sql("UPDATE document SET result_key = 'documents/x/2-w'")
        case "options":
            new.options.CopyFrom(_WORDS)
        case "password":
            new.sealed_password = b"sealed"
        case "user":
            await metadata.sql("UPDATE document SET user_id = 'bob'")
    (document,) = (await metadata.register(copied(new, reusable))).documents
    assert (document.status, document.duplicate_of) == (_QUEUED, "")
    assert document.result_key == ""
    await metadata.complete(await metadata.claimed())
    assert (await metadata.row(new.document_id)).result_key != new.reused.result_key


async def test_a_key_that_is_another_documents_is_refused(metadata: Metadata) -> None:
    """Whoever deletes that one would delete this one's result."""
    source = await done(metadata, same())
    new = same()
    (reusable,) = await found(metadata, new)
    copied(new, reusable).reused.result_key = f"documents/{source}/1-x/result.json.zst"
    with pytest.raises(InvalidInput) as refused:
        await metadata.register(new)
    assert refused.value.evidence["field"] == "documents[0].reused.result_key"


async def test_a_duplicate_that_is_reprocessed_is_one_no_longer(metadata: Metadata) -> None:
    """It is worked on, and what it ends with is its own."""
    await done(metadata, same())
    new = same()
    (reusable,) = await found(metadata, new)
    await metadata.register(copied(new, reusable))
    again = await metadata.reprocess(new.document_id)
    assert (again.status, again.duplicate_of, again.attempt) == (_QUEUED, "", 2)
    await metadata.complete(await metadata.claimed())
    row = await metadata.row(new.document_id)
    assert (row.status, row.duplicate_of) == ("completed", None)
    assert row.result_key != new.reused.result_key


async def test_an_original_is_preferred_and_a_copy_serves_as_well(metadata: Metadata) -> None:
    """`duplicate_of` names whose result was copied; it need not be there for ever."""
    source = await done(metadata, same())
    copies = []
    for _ in range(2):
        new = same()
        (reusable,) = await found(metadata, new)
        assert reusable.source_document_id == source
        await metadata.register(copied(new, reusable))
        copies.append(new.document_id)
    await metadata.sql("DELETE FROM document WHERE id = :id", id=UUID(source).bytes)
    (reusable,) = await found(metadata, same())
    assert reusable.source_document_id == copies[-1]


async def test_many_contents_are_looked_for_at_once(metadata: Metadata) -> None:
    """More than one question asks for, each with its own source."""
    names = [f"{number}.txt" for number in range(120)]
    sources = [new_document(name) for name in names]
    await metadata.register(*sources)
    group = await metadata.claimed(max_documents=500, pipeline_version="1")
    await metadata.complete(group)
    again = [new_document(name) for name in names]
    for new, source in zip(again, sources, strict=True):
        new.sha256 = source.sha256
    reusable = {each.document_id: each for each in await found(metadata, *again)}
    assert [reusable[new.document_id].source_document_id for new in again] == [
        source.document_id for source in sources
    ]


@pytest.fixture
async def no_pipelines(metadata: Metadata) -> AsyncIterator[Metadata]:
    """No version is known; afterwards the one that the other tests claim with is again."""
    await metadata.sql("DELETE FROM pipeline")
    yield metadata
    await metadata.sql("REPLACE INTO pipeline VALUES ('1', UTC_TIMESTAMP(6))")


async def test_versions_in_use_are_those_that_claimed_last(no_pipelines: Metadata) -> None:
    """Two during an upgrade; the last stays though none claims; each is written each 30 s."""
    sql, now = no_pipelines.sql, 1000.0
    ages = "SELECT version FROM pipeline WHERE seen_at > UTC_TIMESTAMP() - INTERVAL 1 HOUR"
    async with database_pool(no_pipelines.settings.database) as pool:
        pipelines = MysqlPipelines(Database(pool, transaction_s=5), lambda: now)
        assert await pipelines.current() == frozenset()
        await pipelines.note("7")
        await pipelines.note("8")
        assert await pipelines.current() == {"7", "8"}

        await sql("UPDATE pipeline SET seen_at = seen_at - INTERVAL 1 DAY WHERE version = '7'")
        assert await pipelines.current() == {"7", "8"}
        now += 10
        assert await pipelines.current() == {"8"}
        await sql("UPDATE pipeline SET seen_at = seen_at - INTERVAL 1 DAY")
        now += 10
        assert await pipelines.current() == {"8"}

        await pipelines.note("8")
        assert await sql(ages) == []
        now += 10
        await pipelines.note("8")
        assert await sql(ages) == [("8",)]
