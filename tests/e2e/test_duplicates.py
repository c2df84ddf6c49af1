"""The same content again, on the real system: its result is copied, and the copy is its own."""

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import text

from sheaf_dev.samples.generator import text_pdf
from support.system import System


async def erase(system: System, document_id: str) -> None:
    """Removes a document with everything of its own: row, events, objects."""
    async with system.engine.begin() as connection:
        for table, column in (("document", "id"), ("event", "document_id")):
            statement = f"DELETE FROM {table} WHERE {column} = :id"  # noqa: S608 - our own names
            await connection.execute(text(statement), {"id": UUID(document_id).bytes})
    for key in await system.keys():
        if document_id in key:
            bucket = system.stack.env["S3_BUCKET"]
            await asyncio.to_thread(system.s3.delete_object, Bucket=bucket, Key=key)


async def result_of(system: System, document_id: str) -> dict[str, Any]:
    """A document's result."""
    answer = await system.http.get(f"/v1/documents/{document_id}/result")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_duplicate_completes_at_once_and_shares_nothing(system: System) -> None:
    """Its source is deleted, and it is read whole; reprocessed, it is extracted itself."""
    content = text_pdf(7001, 2)
    (source,) = await system.accepted({"first.pdf": content}, words="true")
    (original,) = await system.finished([source])
    expected = await result_of(system, source)
    assert original["duplicate_of"] is None

    answer = await system.upload({"again.pdf": content}, words="true", metadata='{"claim": 7}')
    (uploaded,) = answer.json()["documents"]
    batch = (await system.http.get(answer.headers["location"])).json()
    assert (uploaded["status"], uploaded["duplicate_of"]) == ("completed", source)
    assert batch["finished_at"] is not None
    copy = await system.document(uploaded["id"])
    assert (copy["metadata"], original["metadata"]) == ({"claim": 7}, None)
    assert batch["documents"][0]["metadata"] == {"claim": 7}
    same = ("pages", "characters", "partial", "document_class", "content_type", "sha256", "options")
    assert {name: copy[name] for name in same} == {name: original[name] for name in same}
    assert await system.events(copy["id"]) == ["completed"]
    assert len([key for key in await system.keys() if copy["id"] in key]) == 2

    await erase(system, source)
    result = await result_of(system, copy["id"])
    assert list(result) == list(expected)
    assert result == {**expected, "document_id": copy["id"], "attempt": 1}
    path = f"/v1/documents/{copy['id']}"
    assert (await system.http.get(f"{path}/content")).content == content
    assert (await system.http.get(f"{path}/text")).text == "\f".join(
        page["text"] for page in expected["pages"]
    )

    again = (await system.http.post(f"{path}/reprocess")).json()
    assert (again["status"], again["duplicate_of"], again["attempt"]) == ("queued", None, 2)
    (extracted,) = await system.finished([copy["id"]])
    assert (extracted["duplicate_of"], extracted["attempt"]) == (None, 2)
    assert extracted["workflow_id"]
    assert await result_of(system, copy["id"]) == {**result, "attempt": 2}
    await erase(system, copy["id"])


async def test_what_is_not_known_yet_or_asked_otherwise_is_processed(system: System) -> None:
    """Two equal files of one upload; later the same with other options, or on demand."""
    content = text_pdf(7002, 1)
    both = await system.accepted({"one.pdf": content, "two.pdf": content})
    documents = await system.finished(both)
    assert [each["duplicate_of"] for each in documents] == [None, None]
    others = await system.accepted({"words.pdf": content}, words="true")
    others += await system.processed({"process.pdf": content})
    documents = await system.finished(others)
    assert [each["duplicate_of"] for each in documents] == [None, None]
    for document in documents:
        assert document["status"] == "completed"
        assert await system.events(document["id"]) == ["queued", "processing", "completed"]
    await system.assert_nothing_lost_or_doubled()
