"""Files of known content: their result is copied, or they are processed, and never refused."""

import asyncio
import hashlib
import json
from typing import Any

import pytest
import zstandard
from prometheus_client import REGISTRY

from sheaf_common.errors import InvalidInput, SheafError, Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway.domain.documents import DocumentStatus
from support.gateway import PDF, Gateway, build_gateway
from support.waiting import until

SOURCE = new_id()
SOURCE_KEY = f"documents/{SOURCE}/3-w/result.json.zst"
RESULT: dict[str, Any] = {
    "schema": "sheaf.result/1",
    "document_id": str(SOURCE),
    "attempt": 3,
    "metadata": {"title": "ü \U0001f9fe", "encrypted": False},
    "pages": [{"number": 1, "text": "first\n", "width": 612.0}],
    "warnings": [],
    "attachments": [{"filename": "a.txt", "size_bytes": 1, "document_id": None}],
    "of_a_later_release": [1, {"x": None}],
}


def packed(result: dict[str, Any], **changes: Any) -> bytes:
    """A result as it is stored."""
    return zstandard.compress(json.dumps({**result, **changes}, ensure_ascii=False).encode())


def known(gateway: Gateway, content: bytes = PDF, result: bytes | None = None) -> Gateway:
    """The gateway, where that content is known with a result."""
    gateway.records.sources[hashlib.sha256(content).digest()] = (SOURCE, SOURCE_KEY)
    gateway.store.objects[SOURCE_KEY] = packed(RESULT) if result is None else result
    return gateway


async def sent(gateway: Gateway, *contents: bytes, **fields: str) -> list[dict[str, Any]]:
    """What an upload is answered of its files."""
    files = [("files", (f"{n}.pdf", content)) for n, content in enumerate(contents or (PDF,))]
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=files, data=fields)
    assert answer.status_code == 202, answer.text
    documents: list[dict[str, Any]] = answer.json()["documents"]
    return documents


def counted(outcome: str) -> float:
    """How many files came to that."""
    value = REGISTRY.get_sample_value("sheaf_duplicates_total", {"outcome": outcome})
    return 0.0 if value is None else value


async def test_a_known_file_completes_with_its_own_copy() -> None:
    """The copy names the new document and is otherwise the same, in the same order."""
    gateway, before = known(build_gateway()), counted("reused")
    (file,) = await sent(gateway)
    assert (file["status"], file["duplicate_of"]) == ("completed", str(SOURCE))

    row = gateway.records.rows[file["id"]]
    folder, _, name = row.result_key.rpartition("/")
    assert folder.startswith(f"documents/{file['id']}/1-")
    assert name == "result.json.zst"
    del gateway.store.objects[SOURCE_KEY]
    async with gateway.http() as http:
        result = (await http.get(f"/v1/documents/{file['id']}/result")).json()
        document = (await http.get(f"/v1/documents/{file['id']}")).json()
    assert list(result) == list(RESULT)
    assert result == {**RESULT, "document_id": file["id"], "attempt": 1}
    assert document["duplicate_of"] == str(SOURCE)
    assert counted("reused") == before + 1
    assert gateway.records.registrations == 2


async def test_an_unknown_file_is_registered_by_the_first_call(gateway: Gateway) -> None:
    """Beside a known one it is queued; alone it costs no further call."""
    (file,) = await sent(gateway)
    assert (file["status"], file["duplicate_of"]) == ("queued", None)
    assert gateway.records.registrations == 1
    both = await sent(known(gateway), b"unknown text", PDF)
    assert [each["status"] for each in both] == ["queued", "completed"]


@pytest.mark.parametrize("field", ["duplicates", "password"])
async def test_who_does_not_want_a_copy_gets_none(field: str) -> None:
    """Nor does who sends a password: what it opens is not for who sends none."""
    gateway = known(build_gateway())
    values = {"duplicates": "process", "password": "secret"}
    (file,) = await sent(gateway, **{field: values[field]})
    assert (file["status"], file["duplicate_of"]) == ("queued", None)
    assert (await sent(gateway, duplicates="reuse"))[0]["status"] == "completed"


async def test_another_wish_is_refused(gateway: Gateway) -> None:
    """OPTION_INVALID, and what it may be."""
    async with gateway.http() as http:
        answer = await http.post(
            "/v1/documents", files={"file": ("a.pdf", PDF)}, data={"duplicates": "Reuse"}
        )
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "OPTION_INVALID")
    assert (problem["field"], problem["allowed"]) == ("duplicates", "reuse or process")
    assert gateway.nothing_left


_LARGE = packed(RESULT, pages=[{"text": "x" * 4096}])


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (_LARGE, "too_large"),
        (packed(RESULT, metadata={"encrypted": True}), "encrypted"),
        (packed(RESULT, warnings=[{"code": "REPAIRED", "message": ""}]), "encrypted"),
        (packed(RESULT, attachments=[{"document_id": str(new_id())}]), "attachments"),
        (packed(RESULT, document_id=str(new_id())), "invalid"),
        (packed(RESULT, schema="sheaf.result/2"), "invalid"),
        (zstandard.compress(b"[]"), "invalid"),
        (packed(RESULT)[:-5], "invalid"),
        (b"no zstd", "invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_result_that_cannot_be_copied_is_made_anew(result: bytes, cause: str) -> None:
    """The upload is answered as any other, and the cause is counted."""
    gateway, before = known(build_gateway(reuse_max_bytes=4096), result=result), counted(cause)
    (file,) = await sent(gateway)
    assert (file["status"], file["duplicate_of"]) == ("queued", None)
    assert counted(cause) == before + 1
    assert len(gateway.store.objects) == 2


async def test_a_large_result_is_copied_whole() -> None:
    """In a thread, and as a stream where it does not fit a message."""
    pages = [{"number": n, "text": f"page {n} " * 500} for n in range(200)]
    gateway = known(build_gateway(), result=packed(RESULT, pages=pages))
    (file,) = await sent(gateway)
    key = gateway.records.rows[file["id"]].result_key
    copy = json.loads(zstandard.decompress(gateway.store.objects[key]))
    assert copy["pages"] == pages


async def test_a_result_that_is_gone_is_made_anew() -> None:
    """Its source was deleted between the two calls."""
    gateway, before = known(build_gateway()), counted("gone")
    del gateway.store.objects[SOURCE_KEY]
    assert (await sent(gateway))[0]["status"] == "queued"
    assert counted("gone") == before + 1


async def test_a_source_that_changed_meanwhile_leaves_a_losing_copy() -> None:
    """Metadata does not take it; the sweep finds it as any losing result."""
    gateway, before = known(build_gateway()), counted("changed")

    async def reprocessed(filename: str) -> None:
        if filename.endswith(".zst"):
            gateway.records.sources.clear()

    gateway.store.before_put = reprocessed
    (file,) = await sent(gateway)
    assert (file["status"], file["duplicate_of"]) == ("queued", None)
    assert counted("changed") == before + 1
    assert len(gateway.store.objects) == 3


@pytest.mark.parametrize(
    ("trouble", "cause"),
    [
        (None, "late"),
        (Unavailable("S3_UNAVAILABLE", "it is down"), "failed"),
        (RuntimeError("a bug"), "failed"),
    ],
    ids=["hangs", "down", "bug"],
)
async def test_storage_that_fails_costs_no_upload(trouble: Exception | None, cause: str) -> None:
    """Nor does it when it hangs: after the time for copies the documents are processed."""
    gateway = known(build_gateway(reuse_timeout_s=0.05 if trouble is None else 30))
    before = counted(cause)

    async def no_copies(filename: str) -> None:
        if filename.endswith(".zst"):
            if trouble is None:
                await asyncio.Event().wait()
            else:
                raise trouble

    gateway.store.before_put = no_copies
    files = await sent(gateway, *[PDF] * 20)
    assert {each["status"] for each in files} == {"queued"}
    assert counted(cause) == before + 20


async def test_only_so_many_results_are_copied_at_once() -> None:
    """Over all uploads; the others wait for their turn."""
    gateway, open_gate = known(build_gateway(reuse_copies=3)), asyncio.Event()
    copying: set[str] = set()

    async def gate(filename: str) -> None:
        if filename.endswith(".zst"):
            copying.add(filename)
            await open_gate.wait()

    gateway.store.before_put = gate
    uploads = [asyncio.create_task(sent(gateway, PDF, PDF)) for _ in range(4)]
    await until(lambda: len(copying) >= 3)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(copying) == 3
    open_gate.set()
    files = [file for upload in uploads for file in await upload]
    assert {each["status"] for each in files} == {"completed"}


async def test_none_at_once_reuses_nothing() -> None:
    """And is not even asked about."""
    gateway = known(build_gateway(reuse_copies=0))
    assert (await sent(gateway))[0]["status"] == "queued"
    assert gateway.records.registrations == 1


async def test_a_refused_registration_leaves_no_copy() -> None:
    """Neither object of a document that does not come to be."""
    gateway = known(build_gateway())
    refusal: SheafError = InvalidInput("ID_TOO_OLD", "the id was made over an hour ago")

    async def refused(filename: str) -> None:
        if filename.endswith(".zst"):
            gateway.records.answers.append(refusal)

    gateway.store.before_put = refused
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files={"file": ("a.pdf", PDF)})
    assert answer.status_code == 400
    assert set(gateway.store.objects) == {SOURCE_KEY}
    assert not gateway.records.rows


async def test_a_copy_is_one_in_lists_too() -> None:
    """`duplicate_of` may be asked for alone."""
    gateway = known(build_gateway())
    await sent(gateway)
    async with gateway.http() as http:
        answer = await http.get("/v1/documents", params={"fields": "duplicate_of,status"})
    (document,) = answer.json()["documents"]
    assert document["duplicate_of"] == str(SOURCE)
    assert document["status"] == DocumentStatus.COMPLETED
