"""What may be asked of a subprocess besides a result, and what comes with a result."""

import asyncio
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from integration.orchestrator.extraction.claims import alive, request
from integration.orchestrator.extraction.conftest import PoolFactory

from sheaf_common.ids import derived_id, new_id
from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    Limits,
    Options,
    Quarantined,
    Reason,
    RecogniseRequest,
    Request,
    ThumbnailRequest,
    decode_result,
    once_more_alone,
)
from sheaf_orchestrator.extraction.options import OcrMode
from support.waiting import until


def pages(*numbers: int) -> RecogniseRequest:
    """A request for those pages."""
    return RecogniseRequest(document_id="x", content_type="test/any", pages=numbers)


def mail(document_id: str, depth: int = 0, ocr: OcrMode = OcrMode.AUTO) -> Request:
    """A request for a document with attached files."""
    return Request(
        document_id=document_id,
        attempt=1,
        content_type="test/attach",
        depth=depth,
        options=Options(ocr=ocr),
    )


def began(notes: Path) -> int:
    """The pid of the subprocess that noted its beginning."""
    return int(next(notes.glob("began-*")).name.partition("-")[2])


def niceness_of_group(pid: int) -> int | None:
    """That of its session; None where the kernel does not schedule by sessions."""
    group = Path(f"/proc/{pid}/autogroup")
    return int(group.read_text().split()[-1]) if group.exists() else None


async def test_attached_files_come_with_the_result(pool: PoolFactory) -> None:
    """Their bytes beside it, in order; the result names the documents that they become."""
    parent = new_id()
    async with pool() as opened:
        extraction = await opened.extract(mail(str(parent)), b"")
    result = decode_result(extraction.result)

    assert [file.content for file in extraction.attachments] == [b"first", b"second"]
    assert [len(file.filename) for file in extraction.attachments] == [7, 255]
    first, empty, second = result.attachments
    assert empty.document_id is None
    for index, (named, file) in enumerate(
        zip((first, second), extraction.attachments, strict=True)
    ):
        digest = sha256(file.content).hexdigest()
        assert named.document_id == str(derived_id(parent, f"{index}:{digest}"))
        assert UUID(named.document_id).version == 7
    assert [warning.code for warning in result.warnings] == ["FINISHED", "ATTACHMENT_EMPTY"]


async def test_files_too_deep_or_too_many_are_only_named(pool: PoolFactory) -> None:
    """They stand in the result without a document, and a warning says why."""
    async with pool(Limits(attachments=1)) as opened:
        deep = await opened.extract(mail(str(new_id()), depth=3), b"")
        many = await opened.extract(mail(str(new_id())), b"")

    assert (len(deep.attachments), len(many.attachments)) == (0, 1)
    named = decode_result(deep.result)
    assert [each.document_id for each in named.attachments] == [None, None, None]
    assert "ATTACHMENT_DEPTH" in {warning.code for warning in named.warnings}
    assert "ATTACHMENT_LIMIT" in {warning.code for warning in decode_result(many.result).warnings}


async def test_without_ids_attached_files_come_all_the_same(pool: PoolFactory) -> None:
    """A document whose id is no UUID has files, and nothing to derive their ids from."""
    async with pool() as opened:
        extraction = await opened.extract(mail("some file"), b"")

    assert len(extraction.attachments) == 2
    named = decode_result(extraction.result).attachments
    assert [each.document_id for each in named] == [None, None, None]


async def test_pages_without_text_are_named_unless_nobody_wants_them(pool: PoolFactory) -> None:
    """As the extractor says; none at all if the client wants no recognition."""
    async with pool() as opened:
        scanned = await opened.extract(mail(str(new_id())), b"")
        unwanted = await opened.extract(mail(str(new_id()), ocr=OcrMode.NEVER), b"")

    assert (scanned.content_type, scanned.ocr_pages) == ("test/attach", (1, 3))
    assert unwanted.ocr_pages == ()


async def test_pages_are_recognised_and_drawn(pool: PoolFactory) -> None:
    """One request for some pages, one for a picture; a reason of the document's ends only it."""
    async with pool() as opened:
        recognised = await opened.recognise(pages(1, 3), b"one\ntwo\nthree")
        picture = await opened.thumbnail(
            ThumbnailRequest(document_id="x", content_type="test/any", page=2, width_px=256), b""
        )
        with pytest.raises(ExtractionFailed) as caught:
            await opened.recognise(pages(1), b"fail")
        assert not opened.stats().restarts

    assert [(page.number, page.text) for page in recognised.pages] == [(1, "one"), (3, "three")]
    assert recognised.engine == "misbehaving 1"
    assert picture == b"page 2 at 256"
    assert caught.value.reason is Reason.PAGE_NOT_FOUND


async def test_a_page_that_kills_twice_is_set_apart(pool: PoolFactory) -> None:
    """Once more alone, then no more; other pages of the document are read."""
    content = b"fine\ncrash"
    async with pool() as opened:
        with pytest.raises(Quarantined):
            await once_more_alone(lambda fresh: opened.recognise(pages(2), content, fresh=fresh))
        assert (await opened.recognise(pages(1), content)).pages[0].text == "fine"
        assert opened.stats().restarts == {"CRASHED": 2}


async def test_cancelling_ends_the_page_that_is_read(pool: PoolFactory, tmp_path: Path) -> None:
    """Its subprocess is gone at once, though the engine never looks up."""
    async with pool() as opened:
        reading = asyncio.create_task(opened.recognise(pages(1), f"wait {tmp_path}".encode()))
        await until(lambda: list(tmp_path.glob("began-*")))
        pid = began(tmp_path)
        reading.cancel()
        await asyncio.wait([reading])
        await until(lambda: not alive(pid), timeout_s=0.5)


async def test_a_lazy_pool_starts_at_need_and_rests(pool: PoolFactory) -> None:
    """No subprocess before the first request, none after a while without any, and so again."""
    async with pool(spares=0, idle_s=0.1) as opened:
        assert opened.stats().pids == ()
        for _ in range(2):
            await opened.extract(request("test/echo"), b"")
            await until(lambda: opened.stats().pids == (), timeout_s=5)
        assert opened.stats().restarts == {"rest": 2}


async def test_low_priority_reaches_the_subprocess(pool: PoolFactory) -> None:
    """Nice 19, and the session's group as well where the kernel schedules by sessions."""
    async with pool(Limits(niceness=19, processes=64)) as opened:
        (pid, *_) = opened.stats().pids
        assert psutil.Process(pid).nice() == 19
        assert opened.stats().priority in {"low", "normal group"}
        if opened.stats().priority == "low":
            assert niceness_of_group(pid) in {None, 19}
