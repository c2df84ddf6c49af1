"""`demo` and `process` over the real gateway in process."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from sheaf_client import AsyncClient, OcrMode, Priority
from sheaf_common.errors import Unavailable
from sheaf_common.ids import new_id
from sheaf_dev import demo, following, sending
from sheaf_dev.connection import Connection
from sheaf_dev.demo import run_demo
from sheaf_dev.errors import DevError
from sheaf_dev.samples import Sample
from sheaf_dev.sending import Asked, files_under, send
from sheaf_dev.sent_files import SentFile
from sheaf_gateway import options
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.options import Options
from support.gateway import PDF, Gateway, build_gateway
from support.gateway_fakes.common import KEY

HERE = Connection("http://gateway", KEY)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway that the commands reach."""
    gateway = build_gateway()

    def client(url: str, key: str, **_patience: float) -> AsyncClient:
        transport = httpx.ASGITransport(gateway.app)  # type: ignore[arg-type]
        return AsyncClient(url, key, transport=transport, max_tries=1)

    monkeypatch.setattr(demo, "AsyncClient", client)
    monkeypatch.setattr(sending, "AsyncClient", client)
    monkeypatch.setattr(following, "LOOK_S", 0.05)
    return gateway


async def ending(gateway: Gateway, outcomes: dict[str, dict[str, Any]]) -> None:
    """Ends each document as its file's name says, for ever."""
    while True:
        for row in list(gateway.records.rows.values()):
            changes = outcomes.get(row.filename)
            if changes is not None and not row.has_ended:
                gateway.records.end(row.document_id, **changes)
        await asyncio.sleep(0.005)


def completed(gateway: Gateway, pages: int = 1) -> dict[str, Any]:
    """A completed outcome whose text is "hello world"."""
    import zstandard  # noqa: PLC0415 - only this fake needs it

    text = b'{"schema":"sheaf.result/1","pages":[{"text":"hello\\nworld"}]}'
    gateway.store.objects["result"] = zstandard.compress(text)
    return {
        "status": DocumentStatus.COMPLETED,
        "result_key": "result",
        "page_count": pages,
        "character_count": 11,
    }


async def test_the_demo_compares_what_comes_out(gateway: Gateway) -> None:
    """Status, reason, pages and text; a difference is a fault."""
    samples = (
        Sample("good.pdf", PDF, expected_pages=1, expected_phrases=("hello world",)),
        Sample("other-text.pdf", PDF, expected_pages=1, expected_phrases=("goodbye",)),
        Sample("other-pages.pdf", PDF, expected_pages=2),
        Sample("bad.pdf", PDF, expected_status="failed", expected_reason="DAMAGED"),
        Sample("other-reason.pdf", PDF, expected_status="failed", expected_reason="ENCRYPTED"),
        Sample("no.bin", b"\x00", expected_status="rejected",
               expected_reason="UNSUPPORTED_FORMAT"),
    )  # fmt: skip
    damaged = {"status": DocumentStatus.FAILED, "reason": "DAMAGED"}
    outcomes = {sample.filename: completed(gateway) for sample in samples[:3]}
    outcomes |= {sample.filename: damaged for sample in samples[3:]}
    worker = asyncio.create_task(ending(gateway, outcomes))
    seen: list[str] = []
    results = await run_demo(HERE, samples, lambda result: seen.append(result.sample.filename))
    worker.cancel()

    assert sorted(seen) == sorted(sample.filename for sample in samples)
    assert [len(result.faults) for result in results] == [0, 1, 1, 0, 1, 0]
    assert set(results[0].as_json()) == {
        "filename", "status", "expected_status", "reason", "pages", "characters", "accept_ms",
        "result_ms",
    }  # fmt: skip


async def test_the_demo_without_a_working_system_has_faults(gateway: Gateway) -> None:
    """No exception: each document says what went wrong."""

    async def away(_filename: str) -> None:
        raise Unavailable("PEER_UNAVAILABLE", "storage is away")

    gateway.store.before_put = away
    (result,) = await run_demo(HERE, [Sample("a.pdf", PDF)], lambda _: None)

    assert (result.status, len(result.faults)) == ("error", 1)


def tree(root: Path, *names: str, content: bytes = PDF) -> None:
    """Files under a folder."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_folders_are_walked_in_order(tmp_path: Path) -> None:
    """Hidden files are left out, a named file is not."""
    tree(tmp_path, "b/2.pdf", "b/1.pdf", "a/z.pdf", ".git/x", "c.pdf", "b/.hidden")
    found = files_under([tmp_path, tmp_path / "b/.hidden"])

    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "c.pdf", "a/z.pdf", "b/1.pdf", "b/2.pdf", "b/.hidden",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["not-there", "empty"])
def test_without_files_there_is_nothing_to_do(tmp_path: Path, name: str) -> None:
    """A path that is not there is named."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(DevError):
        files_under([tmp_path / name])


async def test_every_file_is_followed_to_its_end(gateway: Gateway, tmp_path: Path) -> None:
    """In batches; files of one name in two folders are told apart."""
    tree(tmp_path, *(f"{folder}/{n:02}.pdf" for folder in "ab" for n in range(30)))
    tree(tmp_path, "a/bad.pdf")
    tree(tmp_path, "b/no.bin", content=b"\x00")
    outcomes = {f"{n:02}.pdf": completed(gateway, pages=n) for n in range(30)}
    outcomes["bad.pdf"] = {"status": DocumentStatus.FAILED, "reason": "DAMAGED"}
    worker = asyncio.create_task(ending(gateway, outcomes))
    told: list[int] = []

    def on_change(settled: Sequence[SentFile]) -> None:
        told.append(len(settled))

    paths = files_under([tmp_path])
    sent = await send(HERE, paths, on_change)
    worker.cancel()
    by_name = {str(file.path.relative_to(tmp_path)): file for file in sent}

    assert [file.path for file in sent] == paths
    assert all(by_name[f"{folder}/{n:02}.pdf"].pages == n for folder in "ab" for n in range(30))
    assert (by_name["a/bad.pdf"].status, by_name["a/bad.pdf"].reason) == ("failed", "DAMAGED")
    assert by_name["b/no.bin"].reason == "UNSUPPORTED_FORMAT"
    assert len({file.document_id for file in sent if file.document_id}) == 61
    assert max(told) <= 20


async def test_what_is_found_in_a_file_is_followed_too(gateway: Gateway, tmp_path: Path) -> None:
    """To its end, and stands after that file: a batch is finished when its attachments are."""
    tree(tmp_path, "a.eml", "b.pdf")
    found = {"a.eml": ["inner.eml", "a.csv"], "inner.eml": ["deep.pdf"]}
    outcomes: dict[str, dict[str, Any]] = {"b.pdf": completed(gateway)}
    outcomes |= {name: completed(gateway) for name in ("a.eml", "inner.eml", "a.csv")}
    outcomes["deep.pdf"] = {
        "status": DocumentStatus.COMPLETED, "partial": True, "pages_done": 4, "pages_total": 4,
    }  # fmt: skip

    async def unfolding() -> None:
        """Ends documents; what is found in one is there when it has ended, and ends later."""
        while True:
            rows = gateway.records.rows
            for row in [row for row in rows.values() if not row.has_ended]:
                for name in found.get(row.filename, ()):
                    child = replace(
                        row, document_id=str(new_id()), parent_id=row.document_id,
                        depth=row.depth + 1, filename=name,
                    )  # fmt: skip
                    rows[child.document_id] = child
                gateway.records.end(row.document_id, **outcomes[row.filename])
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.005)

    worker = asyncio.create_task(unfolding())
    sent = await send(HERE, files_under([tmp_path]), lambda _: None)
    worker.cancel()

    assert [file.name.removeprefix(f"{tmp_path}/") for file in sent] == [
        "a.eml", "  > inner.eml", "  > inner.eml > deep.pdf", "  > a.csv", "b.pdf",
    ]  # fmt: skip
    assert {file.status for file in sent} == {"completed"}
    deep = sent[2].as_json()
    assert (deep["inside"], deep["partial"], deep["ocr_pages"]) == ("inner.eml > deep.pdf", True, 4)
    assert deep["parent_id"] == sent[1].document_id


async def test_what_is_asked_goes_with_every_file(gateway: Gateway, tmp_path: Path) -> None:
    """The password is not shown."""
    tree(tmp_path, "a.pdf", "b.pdf")
    asked = Asked(Priority.HIGH, words=True, ocr=OcrMode.NEVER, ocr_languages=("deu",),
                  password="secret")  # fmt: skip
    outcomes = {name: completed(gateway) for name in ("a.pdf", "b.pdf")}
    worker = asyncio.create_task(ending(gateway, outcomes))
    await send(HERE, files_under([tmp_path]), lambda _: None, asked)
    worker.cancel()
    rows = list(gateway.records.rows.values())

    assert len(gateway.records.sealed) == len(rows) == 2
    for row in rows:
        assert row.priority == "high"
        assert row.options == Options(words=True, ocr=options.OcrMode.NEVER, ocr_languages=("deu",))
    assert "secret" not in repr(asked)


async def test_files_that_are_all_rejected_each_have_a_reason(
    gateway: Gateway, tmp_path: Path
) -> None:
    """From the one problem that stands for all."""
    tree(tmp_path, "a.bin", "b.bin", content=b"\x00")
    tree(tmp_path, "c.txt", content=b"")
    sent = await send(HERE, files_under([tmp_path]), lambda _: None)

    assert [(file.status, file.reason) for file in sent] == [
        ("rejected", "UNSUPPORTED_FORMAT"),
        ("rejected", "UNSUPPORTED_FORMAT"),
        ("rejected", "FILE_EMPTY"),
    ]


async def test_what_cannot_be_sent_is_an_error(gateway: Gateway, tmp_path: Path) -> None:
    """Nothing is known of what became of it."""

    async def away(_filename: str) -> None:
        raise Unavailable("PEER_UNAVAILABLE", "storage is away")

    gateway.store.before_put = away
    tree(tmp_path, "a.pdf")
    (file,) = await send(HERE, files_under([tmp_path]), lambda _: None)

    assert file.status == "error"
    assert "503" in str(file.reason)


async def test_a_batch_without_progress_is_given_up(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an error."""
    monkeypatch.setattr(sending, "_STALL_S", 0.05)
    monkeypatch.setattr(following, "POLL_S", 0.02)
    tree(tmp_path, "a.pdf")
    (file,) = await send(HERE, files_under([tmp_path]), lambda _: None)

    assert file.status == "error"
