"""The clients, sync and async, against the real gateway in process and against stubs."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import zstandard

from sheaf_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConflictError,
    ConnectionFailed,
    DocumentStatus,
    Duplicates,
    InvalidRequestError,
    NotFoundError,
    OcrMode,
    Options,
    OverCapacityError,
    Priority,
    Progress,
    Replayed,
    ServerError,
    WaitTimeout,
)
from sheaf_client.errors import ProblemError
from sheaf_common.ids import new_id
from sheaf_common.sealing import SealingKeys
from sheaf_gateway.domain.documents import DocumentStatus as RecordedStatus
from sheaf_gateway.domain.listing import ListFilter
from support.gateway import PASSWORD_KEYS, PDF, Gateway, build_gateway
from support.gateway_fakes.common import KEY

Answer = httpx.Response | Exception


@pytest.fixture
def gateway() -> Gateway:
    """The real gateway over fakes."""
    return build_gateway()


def connected(gateway: Gateway, key: str = KEY) -> AsyncClient:
    """An async client of it."""
    transport = httpx.ASGITransport(gateway.app)  # type: ignore[arg-type]
    return AsyncClient("http://gateway", key, transport=transport)


class Script:
    """Answers in turn; counts."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        self.requests.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Pauses are recorded, not slept."""
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("sheaf_client.driver.time.sleep", pauses.append)
    monkeypatch.setattr("sheaf_client.async_driver.asyncio.sleep", pause)
    return iter([pauses])


def document_json(**changes: Any) -> dict[str, Any]:
    """A document as a newer server might answer it."""
    return {
        "id": "d",
        "batch_id": "b",
        "filename": "a.pdf",
        "status": "queued",
        "attempt": 1,
        "content_type": "application/pdf",
        "size_bytes": 1,
        "sha256": "00",
        "a_new_field": [1],
    } | changes


async def test_files_from_everywhere_are_uploaded(gateway: Gateway, tmp_path: Path) -> None:
    """Paths, bytes and open files, each with its outcome."""
    path = tmp_path / "path.txt"
    path.write_bytes(b"text from a path")
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(
            path, ("bytes.pdf", PDF), ("open.txt", io.BytesIO(b"open")), ("bad", b"\x00"),
            product="tax",
        )  # fmt: skip
        batch = await sheaf.get_batch(upload.batch_id)

    assert [file.filename for file in upload.accepted] == ["path.txt", "bytes.pdf", "open.txt"]
    (rejected,) = upload.rejected
    assert rejected.problem is not None
    assert (rejected.filename, rejected.problem.code) == ("bad", "UNSUPPORTED_FORMAT")
    assert (batch.product, batch.counts) == ("tax", {"queued": 3})
    assert sorted(gateway.store.objects.values()) == sorted([b"text from a path", PDF, b"open"])


async def test_what_was_sent_comes_back(gateway: Gateway) -> None:
    """Document, listing, wait and content."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(("a.pdf", PDF), ("b.txt", b"b" * 200_000))
        ids = [file.id for file in upload.documents if file.id]
        gateway.records.end(ids[0], RecordedStatus.COMPLETED, page_count=2, character_count=9)
        ended = await sheaf.wait_for_document(ids[0], timeout_s=5)
        listed = [item.id async for item in sheaf.documents(page_size=1)]
        async with sheaf.content(ids[1]) as chunks:
            content = b"".join([chunk async for chunk in chunks])

    assert (ended.status, ended.pages, ended.characters) == (DocumentStatus.COMPLETED, 2, 9)
    assert listed == ids[::-1]
    assert content == b"b" * 200_000


async def test_a_listing_is_filtered(gateway: Gateway) -> None:
    """By all that the API knows; empty pages are passed over."""
    moment = datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    async with connected(gateway) as sheaf:
        listed = [
            item
            async for item in sheaf.documents(
                status=DocumentStatus.QUEUED, product="tax", batch_id=str(UUID(int=7)),
                workflow_id="w", document_class="invoice", content_type="image/*",
                uploaded_from=moment, uploaded_before=moment,
            )
        ]  # fmt: skip
        with pytest.raises(ValueError, match="no time zone"):
            await anext(sheaf.documents(uploaded_from=moment.replace(tzinfo=None)))
    assert listed == []
    assert gateway.records.lists == [
        ListFilter(
            RecordedStatus.QUEUED, "tax", UUID(int=7), "w", "invoice", "image/*",
            moment, moment,
        )
    ]  # fmt: skip


async def test_a_workflow_is_read(gateway: Gateway) -> None:
    """With its documents; none of that id is an error."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(("a.pdf", PDF))
        ended = RecordedStatus.COMPLETED
        gateway.records.end(upload.accepted[0].id or "", ended, workflow_id="w", document_class="x")
        workflow = await sheaf.get_workflow("w")
        with pytest.raises(NotFoundError, match="WORKFLOW_NOT_FOUND"):
            await sheaf.get_workflow("no-such")

    assert (workflow.id, workflow.counts) == ("w", {"completed": 1})
    assert (workflow.documents[0].workflow_id, workflow.documents[0].document_class) == ("w", "x")


async def test_what_is_asked_arrives(gateway: Gateway) -> None:
    """At the upload and again at a reprocess, where what is not given stays."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(
            ("a.pdf", PDF), priority=Priority.LOW, words=True, ocr=OcrMode.NEVER,
            ocr_languages=("deu", "eng"), password="secret", pages="7,1-3",
            metadata={"case": 7, "name": "Straße"},
        )  # fmt: skip
        (document_id,) = (file.id for file in upload.documents if file.id)
        asked = await sheaf.get_document(document_id)
        gateway.records.end(document_id, RecordedStatus.FAILED, reason="ENCRYPTED")
        again = await sheaf.reprocess(
            document_id, words=False, ocr_languages=[], pages="", password="other", after_attempt=1
        )
        with pytest.raises(ConflictError, match="DOCUMENT_NOT_TERMINAL"):
            await sheaf.reprocess(document_id)
        cancelled = [await sheaf.cancel(document_id) for _ in range(2)]

    assert asked.priority is Priority.LOW
    assert asked.options == Options(
        words=True, ocr=OcrMode.NEVER, ocr_languages=("deu", "eng"), pages="1-3,7"
    )
    assert asked.metadata == again.metadata == {"case": 7, "name": "Straße"}
    assert (again.attempt, again.options) == (2, Options(ocr=OcrMode.NEVER))
    assert {document.status for document in cancelled} == {DocumentStatus.CANCELLED}
    sealed = gateway.records.sealed[document_id]
    keys = SealingKeys.parse(PASSWORD_KEYS)
    assert keys.open(sealed, belongs_to=document_id) == b"other"


async def test_metadata_that_is_no_json_is_not_sent(gateway: Gateway) -> None:
    """It is told where it was written."""
    async with connected(gateway) as sheaf:
        with pytest.raises(ValueError, match="not JSON compliant"):
            await sheaf.upload(("a.pdf", PDF), metadata={"n": float("nan")})
    assert gateway.nothing_left


async def test_a_copy_of_a_result_is_shown_and_may_be_declined(gateway: Gateway) -> None:
    """In the upload's answer and in the document."""
    source, content = new_id(), b"text that is known"
    key = f"documents/{source}/1-w/result.json.zst"
    gateway.records.sources[sha256(content).digest()] = (source, key)
    result = {"schema": "sheaf.result/1", "document_id": str(source), "metadata": {}}
    gateway.store.objects[key] = zstandard.compress(json.dumps(result).encode())
    async with connected(gateway) as sheaf:
        (copied,) = (await sheaf.upload(("a.txt", content))).documents
        declined = await sheaf.upload(("a.txt", content), duplicates=Duplicates.PROCESS)
        document = await sheaf.get_document(copied.id or "")
    assert (copied.status, copied.duplicate_of) == ("completed", str(source))
    assert (document.status, document.duplicate_of) == (DocumentStatus.COMPLETED, str(source))
    assert declined.documents[0].duplicate_of is None


async def test_the_quarantine_is_listed_and_replayed(gateway: Gateway) -> None:
    """Page by page; as many as are wanted."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(*((f"{n}.pdf", PDF) for n in range(3)), product="tax")
        ids = [str(file.id) for file in upload.documents]
        for each in ids:
            gateway.records.end(each, RecordedStatus.QUARANTINED, reason="CRASHED")
        listed = [item.id async for item in sheaf.quarantined(page_size=2)]
        replayed = await sheaf.replay_quarantined(reason="CRASHED", product="tax", limit=2)

    assert listed == ids[::-1]
    assert replayed == Replayed(tuple(ids[:2]), more=True)


async def test_pictures_and_markdown_are_read(gateway: Gateway) -> None:
    """As bytes and as text."""
    gateway.store.objects["result"] = zstandard.compress(
        b'{"schema":"sheaf.result/1","markdown":"# hello"}'
    )
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(("a.pdf", PDF))
        (document_id,) = (file.id for file in upload.documents if file.id)
        gateway.records.end(
            document_id, RecordedStatus.COMPLETED, page_count=2, result_key="result"
        )
        picture = await sheaf.thumbnail(document_id, page=2, width=512)
        markdown = await sheaf.markdown(document_id)

    assert (picture, markdown) == (b"RIFF WEBP 2 512", "# hello")


async def test_problems_are_errors_of_their_kind(gateway: Gateway) -> None:
    """With the server's code."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(("a.pdf", PDF))
        (document_id,) = (file.id for file in upload.documents if file.id)
        with pytest.raises(NotFoundError, match="DOCUMENT_NOT_FOUND"):
            await sheaf.get_document(str(new_id()))
        with pytest.raises(ConflictError, match="NOT_READY"):
            await sheaf.text(document_id)
        with pytest.raises(InvalidRequestError, match="FILE_EMPTY") as caught:
            await sheaf.upload(("empty", b""))
        with pytest.raises(NotFoundError):
            async with sheaf.content(str(new_id())):
                pass
    async with connected(gateway, "sk_unknown_key_01") as stranger:
        with pytest.raises(AuthenticationError, match="API_KEY_UNKNOWN"):
            await stranger.upload(("a.pdf", PDF))

    assert caught.value.problem.errors[0]["filename"] == "empty"


async def test_a_wait_ends_at_its_deadline(gateway: Gateway) -> None:
    """Though the batch has not ended."""
    async with connected(gateway) as sheaf:
        upload = await sheaf.upload(("a.pdf", PDF))
        with pytest.raises(WaitTimeout):
            await sheaf.wait_for_batch(upload.batch_id, timeout_s=0.05)


_BUSY = {"code": "UPLOADS_IN_FLIGHT", "status": 429, "detail": "busy"}


def _fetch_sync(script: Script) -> Any:
    with Client("http://x", "sk_k", transport=httpx.MockTransport(script)) as sheaf:
        return sheaf.get_document("d", wait_s=3)


def _fetch_async(script: Script) -> Any:
    async def fetch() -> Any:
        transport = httpx.MockTransport(script)
        async with AsyncClient("http://x", "sk_k", transport=transport) as sheaf:
            return await sheaf.get_document("d", wait_s=3)

    with asyncio.Runner() as runner:
        return runner.run(fetch())


@pytest.mark.parametrize("fetch", [_fetch_sync, _fetch_async])
def test_a_read_is_sent_again_when_it_may(
    fetch: Callable[[Script], Any], no_sleep: Iterator[list[float]]
) -> None:
    """After the pause that the server asks for."""
    script = Script(
        httpx.Response(429, json=_BUSY, headers={"retry-after": "7"}),
        httpx.ConnectError("refused"),
        httpx.Response(503, text="a proxy's own page"),
        httpx.Response(200, json=document_json()),
    )
    document = fetch(script)
    pauses = next(no_sleep)

    assert document.status is DocumentStatus.QUEUED
    assert 7 <= pauses[0] < 8
    assert all(pause < 1 for pause in pauses[1:])
    assert [request.url.params["wait"] for request in script.requests] == ["3"] * 4


@pytest.mark.parametrize("fetch", [_fetch_sync, _fetch_async])
@pytest.mark.parametrize(
    ("answer", "error", "tries"),
    [
        (lambda: httpx.Response(429, json=_BUSY), OverCapacityError, 4),
        (lambda: httpx.Response(503, text="?"), ServerError, 4),
        (lambda: httpx.ReadTimeout("slow"), ConnectionFailed, 4),
        (lambda: httpx.Response(500, json={"code": "INTERNAL"}), ServerError, 1),
        (lambda: httpx.Response(404, json={"code": "DOCUMENT_NOT_FOUND"}), NotFoundError, 1),
    ],
)
def test_what_does_not_pass_is_raised(
    fetch: Callable[[Script], Any],
    no_sleep: Iterator[list[float]],
    answer: Callable[[], Answer],
    error: type[Exception],
    tries: int,
) -> None:
    """After four tries, or at once where trying again cannot help."""
    script = Script(*[answer() for _ in range(10)])
    with pytest.raises(error):
        fetch(script)

    assert len(script.requests) == tries


def test_a_cancel_may_be_sent_again(no_sleep: Iterator[list[float]]) -> None:
    """It does nothing more."""
    cancelled = httpx.Response(200, json=document_json(status="cancelled"))
    script = Script(httpx.ReadError("lost"), cancelled)
    with Client("http://x", "sk_k", transport=httpx.MockTransport(script)) as sheaf:
        assert sheaf.cancel("d").status is DocumentStatus.CANCELLED


def test_the_sync_client_does_the_same(tmp_path: Path) -> None:
    """Upload, list, text, result, content."""
    upload_json = {"batch_id": "b", "documents": [{"id": "d", "filename": "a", "status": "queued"}]}
    script = Script(
        httpx.Response(202, json=upload_json),
        httpx.Response(200, json={"documents": [document_json()], "next_cursor": "b"}),
        httpx.Response(200, json={"documents": [], "next_cursor": "c"}),
        httpx.Response(200, json={"documents": [document_json(id="e")], "next_cursor": None}),
        httpx.Response(200, text="text"),
        httpx.Response(200, json={"pages": []}),
        httpx.Response(200, content=b"content"),
        httpx.Response(200, json={"id": "b", "counts": {}, "documents": [], "finished_at": None}),
        httpx.Response(
            200,
            json={"id": "b", "counts": {}, "documents": [], "finished_at": "2026-01-01T00:00:00Z"},
        ),
        httpx.Response(200, json={"id": "w", "counts": {}, "documents": []}),
        httpx.Response(200, text="# text"),
        httpx.Response(200, content=b"webp"),
        httpx.Response(202, json=document_json(progress={"pages_done": 1, "pages_total": 2})),
        httpx.Response(200, json={"documents": [document_json()], "next_cursor": None}),
        httpx.Response(202, json={"document_ids": ["d"], "more": False}),
    )
    path = tmp_path / "a.txt"
    path.write_bytes(b"a")
    with Client("http://x/", "sk_k", transport=httpx.MockTransport(script)) as sheaf:
        upload = sheaf.upload(str(path))
        listed = [item.id for item in sheaf.documents(status=DocumentStatus.QUEUED)]
        text, result = sheaf.text("d"), sheaf.result("d")
        with sheaf.content("d") as chunks:
            content = b"".join(chunks)
        batch = sheaf.wait_for_batch("b", timeout_s=9)
        workflow = sheaf.get_workflow("w")
        markdown, picture = sheaf.markdown("d"), sheaf.thumbnail("d", width=128)
        again = sheaf.reprocess("d", words=True, ocr_languages=("eng",))
        quarantined = [item.id for item in sheaf.quarantined(product="tax")]
        replayed = sheaf.replay_quarantined(reason="CRASHED")

    assert upload.accepted[0].id == "d"
    assert (markdown, picture, quarantined) == ("# text", b"webp", ["d"])
    assert (again.progress, replayed.document_ids) == (Progress(1, 2), ("d",))
    bodies = [
        json.loads(request.content) for request in script.requests if request.content[:1] == b"{"
    ]
    assert bodies == [
        {"words": True, "ocr_language": ["eng"]}, {"reason": "CRASHED", "limit": 100},
    ]  # fmt: skip
    assert listed == ["d", "e"]
    assert (text, result, content) == ("text", {"pages": []}, b"content")
    assert batch.finished_at is not None
    assert {request.headers["authorization"] for request in script.requests} == {"Bearer sk_k"}
    assert script.requests[3].url.params["cursor"] == "c"
    assert workflow.id == "w"


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one of them must be there."""
    monkeypatch.delenv("SHEAF_URL", raising=False)
    monkeypatch.delenv("SHEAF_API_KEY", raising=False)
    with pytest.raises(ValueError, match="SHEAF_URL"):
        Client()
    monkeypatch.setenv("SHEAF_URL", "http://x")
    monkeypatch.setenv("SHEAF_API_KEY", "sk_k")
    Client().close()


def test_an_answer_of_a_stranger_is_still_an_error() -> None:
    """A proxy's page has no problem in it."""
    script = Script(httpx.Response(413, content=b"<html>\xff"))
    with (
        Client("http://x", "sk_k", transport=httpx.MockTransport(script)) as sheaf,
        pytest.raises(InvalidRequestError) as caught,
    ):
        sheaf.upload(("a", b"a"))

    assert isinstance(caught.value, ProblemError)
    assert (caught.value.status, "<html>" in caught.value.problem.detail) == (413, True)
