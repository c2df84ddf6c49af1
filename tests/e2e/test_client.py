"""The client against the real system, over connections that are lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from uuid import uuid4

import pytest

from sheaf_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    DocumentStatus,
    Event,
    IdempotencyKeyReused,
    NotFoundError,
    Upload,
)
from sheaf_dev.samples.generator import text_pdf
from support.system import System
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until


@pytest.fixture
async def proxy(system: System) -> AsyncIterator[TcpProxy]:
    """What stands between the client and the gateway."""
    host, port = system.stack.address("gateway").split(":")
    async with tcp_proxy(host, int(port)) as proxy:
        yield proxy


@pytest.fixture
async def sheaf(system: System, proxy: TcpProxy) -> AsyncIterator[AsyncClient]:
    """The client, through the proxy."""
    key = system.stack.env["SHEAF_API_KEY"]
    async with AsyncClient(f"http://127.0.0.1:{proxy.port}", key) as sheaf:
        yield sheaf


def files(count: int) -> list[tuple[str, bytes]]:
    """Texts that nobody has sent before."""
    return [(f"{uuid4()}.txt", f"a text of its own: {uuid4()}".encode()) for _ in range(count)]


async def answer_lost(proxy: TcpProxy, send: Callable[[], Upload]) -> Upload:
    """What a blocking upload returns whose first answer was cut off."""
    proxy.stall()
    sending = asyncio.create_task(asyncio.to_thread(send))
    await until(lambda: proxy.stalled)
    proxy.cut()
    proxy.flow()
    return await sending


async def test_an_upload_whose_answer_is_lost_gives_one_batch(
    system: System, proxy: TcpProxy, sheaf: AsyncClient
) -> None:
    """The client sends it again under its key, and is answered as the first time."""
    product = f"cut-{uuid4()}"
    sent = files(3)
    key = system.stack.env["SHEAF_API_KEY"]
    with Client(f"http://127.0.0.1:{proxy.port}", key) as blocking:
        upload = await answer_lost(proxy, lambda: blocking.upload(*sent, product=product))
    listed = [document async for document in sheaf.documents(product=product)]

    assert upload.is_replayed
    assert {document.id for document in listed} == {file.id for file in upload.accepted}
    assert {document.batch_id for document in listed} == {upload.batch_id}
    assert len(listed) == 3
    with pytest.raises(IdempotencyKeyReused):
        await sheaf.upload(*files(1), idempotency_key=await used_key(sheaf))


async def used_key(sheaf: AsyncClient) -> str:
    """An idempotency key under which something else was sent."""
    key = str(uuid4())
    first = await sheaf.upload(("a.txt", b"the same"), idempotency_key=key)
    again = await sheaf.upload(("a.txt", b"the same"), idempotency_key=key)
    assert (first.batch_id, first.is_replayed, again.is_replayed) == (again.batch_id, False, True)
    return key


async def test_events_come_once_over_lost_connections(proxy: TcpProxy, sheaf: AsyncClient) -> None:
    """In order, though the connection is cut; then the stream ends by itself."""
    upload = await sheaf.upload(*files(4))
    seen: list[Event] = []
    async with aclosing(sheaf.events_of_batch(upload.batch_id, timeout_s=60)) as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 3:
                proxy.cut()
    whole = [event async for event in sheaf.events_of_batch(upload.batch_id, timeout_s=60)]

    assert seen == whole
    assert [event.position for event in seen] == sorted({event.position for event in seen})
    assert seen[-1].ends_batch
    assert sum(event.ends_document for event in seen) == 4
    assert proxy.accepted > 1


async def test_documents_are_watched_as_they_end(system: System, sheaf: AsyncClient) -> None:
    """Those of a batch, and all of the user's; the blocking client sees the same."""
    first = asyncio.get_running_loop().create_future()

    async def watch_all(wanted: int) -> list[str]:
        ids: list[str] = []
        async with aclosing(sheaf.events_of_all(after=await position(sheaf), timeout_s=60)) as all_:
            first.set_result(None)
            async for event in all_:
                if event.ends_document and event.batch_id == (await sent).batch_id:
                    ids.append(str(event.document_id))
                if len(ids) == wanted:
                    break
        return ids

    sent: asyncio.Future[Upload] = asyncio.get_running_loop().create_future()
    watching = asyncio.create_task(watch_all(2))
    await first
    upload = await sheaf.upload(*files(1), ("damaged.pdf", b"%PDF-1.4 not one"))
    sent.set_result(upload)
    ended = {each.id: each async for each in sheaf.watch_batch(upload.batch_id, timeout_s=60)}
    key = system.stack.env["SHEAF_API_KEY"]
    with Client(system.stack.env["SHEAF_URL"], key) as blocking:
        again = await asyncio.to_thread(lambda: list(blocking.watch_batch(upload.batch_id)))

    good, bad = upload.accepted
    assert ended[str(good.id)].status is DocumentStatus.COMPLETED
    assert ended[str(bad.id)].status is DocumentStatus.FAILED
    assert {document.id for document in again} == set(ended)
    assert set(await watching) == set(ended)


async def position(sheaf: AsyncClient) -> int:
    """Where the events are by now."""
    upload = await sheaf.upload(*files(1))
    events = [event async for event in sheaf.events_of_batch(upload.batch_id, timeout_s=60)]
    return events[-1].position


async def test_a_download_goes_on_where_the_connection_was_cut(
    proxy: TcpProxy, sheaf: AsyncClient, tmp_path: Path
) -> None:
    """By range; what is in the end is the original, and the file is whole or not there."""
    content = text_pdf(9, 1) + bytes(6_000_000)
    upload = await sheaf.upload(("big.pdf", content))
    seen: list[int] = []
    proxy.cut_after_bytes = [1_000_000, 2_000_000]
    path = await sheaf.download(
        str(upload.accepted[0].id),
        tmp_path / "big.pdf",
        on_progress=lambda far, _: seen.append(far),
    )

    assert await asyncio.to_thread(path.read_bytes) == content
    assert proxy.cut_after_bytes == []
    assert seen == sorted(seen)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == [path]


async def test_what_streams_in_comes_back(sheaf: AsyncClient) -> None:
    """An async iterable of unknown length, with progress; many files, in batches."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(2000):
            yield f"line {number} of a text that is made as it is sent\n".encode()

    seen: list[tuple[int, int | None]] = []
    upload = await sheaf.upload(
        ("lines.txt", lines()), on_progress=lambda far, total: seen.append((far, total))
    )
    (file,) = upload.accepted
    async with sheaf.content(str(file.id)) as pieces:
        content = b"".join([piece async for piece in pieces])
    sent_files = files(5)
    many = [sent async for sent in sheaf.upload_many(sent_files, max_files=2)]

    assert content == b"".join([line async for line in lines()])
    assert seen[-1] == (len(content), None)
    assert [sent.outcome.filename for sent in many] == [name for name, _ in sent_files]
    assert len({sent.batch_id for sent in many}) == 3


async def test_what_is_deleted_is_gone(sheaf: AsyncClient) -> None:
    """A document, and a batch."""
    upload = await sheaf.upload(*files(2))
    first, second = (str(file.id) for file in upload.accepted)
    await sheaf.delete_document(first)
    with pytest.raises(NotFoundError):
        await sheaf.get_document(first)
    await sheaf.delete_batch(upload.batch_id)
    for gone in (sheaf.get_document(second), sheaf.delete_batch(upload.batch_id)):
        with pytest.raises(NotFoundError):
            await gone


async def test_a_key_is_made_used_and_revoked(proxy: TcpProxy, sheaf: AsyncClient) -> None:
    """It is told once, shown by its beginning, and refused as soon as it is revoked."""
    made = await sheaf.create_key("e2e", ["documents:read"], rate_limit_per_s=50)
    url = f"http://127.0.0.1:{proxy.port}"
    async with AsyncClient(url, made.key) as reader:
        assert [document async for document in reader.documents(product="none of it")] == []
        listed = {key.id: key async for key in sheaf.keys(page_size=2)}
        await sheaf.revoke_key(made.id)
        with pytest.raises(AuthenticationError, match="API_KEY_REVOKED"):
            await reader.get_document(str(uuid4()))
    await sheaf.revoke_key(made.id)

    assert made.key.startswith(listed[made.id].prefix)
    assert listed[made.id].scopes == ("documents:read",)
