"""Uploads as they are put on the wire."""

import asyncio
import inspect
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from sheaf_client import (
    AsyncClient,
    Client,
    Duplicates,
    File,
    FileChanged,
    InvalidRequestError,
    OcrMode,
    batched,
)
from sheaf_client.sources import PIECE_BYTES
from support.clients import KINDS, Script

pytestmark = pytest.mark.parametrize("kind", KINDS)


def taken(*names: str, batch_id: str = "b") -> httpx.Response:
    """An answer to an upload of these."""
    documents = [{"id": f"id-{name}", "filename": name, "status": "queued"} for name in names]
    return httpx.Response(202, json={"batch_id": batch_id, "documents": documents})


def test_the_length_is_told_and_progress_is_of_the_files(kind: str, tmp_path: Path) -> None:
    """Whatever the names are; framing and fields do not count."""
    path = tmp_path / 'ü "quoted"\n.txt'
    path.write_bytes(b"p" * (PIECE_BYTES + 1))
    seen: list[tuple[int, int | None]] = []
    script = Script(taken("a", "b"))
    files = (path, ("b", memoryview(b"m" * 10)))
    script.use(
        kind,
        lambda sheaf: sheaf.upload(
            *files, metadata={"a": ["ü"]}, on_progress=lambda *far: seen.append(far)
        ),
    )
    (request,), (body,) = script.requests, script.bodies

    assert int(request.headers["content-length"]) == len(body)
    assert 'filename="ü %22quoted%22%0A.txt"'.encode() in body
    total = PIECE_BYTES + 11
    assert seen == [(PIECE_BYTES, total), (PIECE_BYTES + 1, total), (total, total)]


def test_every_option_is_sent_as_the_api_names_it(kind: str) -> None:
    """What is None is left out."""
    script = Script(taken("a"))
    script.use(
        kind,
        lambda sheaf: sheaf.upload(
            ("a", b"a"), words=False, ocr=OcrMode.NEVER, ocr_languages=["deu", "eng"], pages="1-3",
            password=None, metadata={"case": 7}, duplicates=Duplicates.PROCESS,
        ),
    )  # fmt: skip
    fields = dict(
        part.split(b'name="', 1)[1].split(b'"\r\n\r\n')
        for part in script.bodies[0].split(b"\r\n--")
        if b"filename" not in part and b"name=" in part
    )

    assert fields == {
        b"words": b"false", b"ocr": b"never", b"ocr_language": b"deu,eng", b"pages": b"1-3",
        b"metadata": b'{"case":7}', b"duplicates": b"process",
    }  # fmt: skip


@pytest.mark.parametrize(
    "use",
    [
        lambda sheaf: sheaf.upload(("a", b"a"), prioritty="high"),
        lambda sheaf: sheaf.reprocess("d", prioritty="high"),
        lambda sheaf: sheaf.documents(prioritty="high"),
    ],
    ids=["upload", "reprocess", "documents"],
)
def test_an_option_that_is_none_is_named(kind: str, use: Callable[[Any], Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(TypeError, match="'prioritty' is none of"):
        Script().use(kind, use)


def test_a_file_that_shrinks_is_an_error_and_one_that_grows_is_cut(kind: str) -> None:
    """What was announced is sent, or nothing."""

    class Changing(io.BytesIO):
        def __init__(self, by: int) -> None:
            super().__init__(b"0123456789")
            self._by = by

        def read(self, size: int | None = -1, /) -> bytes:
            self.seek(0)
            self.truncate(max(0, 10 + self._by))
            self.write((b"0123456789" + b"x" * 10)[: 10 + self._by])
            self.seek(0)
            self.read = super().read  # type: ignore[method-assign]
            return super().read(size)

    with pytest.raises(FileChanged, match="became shorter"):
        Script(taken("a")).use(kind, lambda sheaf: sheaf.upload(("a", Changing(-3))))
    script = Script(taken("a"))
    script.use(kind, lambda sheaf: sheaf.upload(("a", Changing(5))))
    assert b"\r\n0123456789\r\n" in script.bodies[0]


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("/not/there", FileNotFoundError),
        ("/", IsADirectoryError),
        (("a", "text"), TypeError),
        (("a", 7), TypeError),
        (("a", io.StringIO("text")), TypeError),
        (("a", ["text"]), TypeError),
    ],
)
def test_what_cannot_be_sent_is_told_before_or_while(
    kind: str, file: Any, error: type[Exception]
) -> None:
    """As what it is, naming the file."""
    with pytest.raises(error):
        Script().use(kind, lambda sheaf: sheaf.upload(file))
    with pytest.raises(ValueError, match="no file"):
        Script().use(kind, lambda sheaf: sheaf.upload())


def test_many_files_go_up_in_bounded_batches(kind: str, tmp_path: Path) -> None:
    """Of folders, too; a batch that is rejected whole leaves the others."""
    (tmp_path / "sub").mkdir()
    for name in ("a", "b", "sub/c", "sub/d", ".hidden"):
        (tmp_path / name).write_bytes(b"xx")
    rejected = [
        {"filename": name, "status": "rejected", "problem": {"code": "FILE_EMPTY", "status": 422}}
        for name in ("c", "d")
    ]
    script = Script(
        taken("a", "b"),
        httpx.Response(422, json={"code": "FILE_EMPTY", "status": 422, "errors": rejected}),
        taken("e", batch_id="b2"),
    )
    sent = script.use(
        kind, lambda sheaf: sheaf.upload_many([tmp_path, ("e", b"e")], max_files=2, product="tax")
    )

    assert [(each.batch_id, each.outcome.filename, each.outcome.status) for each in sent] == [
        ("b", "a", "queued"), ("b", "b", "queued"), (None, "c", "rejected"),
        (None, "d", "rejected"), ("b2", "e", "queued"),
    ]  # fmt: skip
    assert sent[2].file == tmp_path / "sub/c"
    assert len({request.headers["idempotency-key"] for request in script.requests}) == 3
    about_all = httpx.Response(422, json={"code": "OPTION_INVALID", "status": 422})
    with pytest.raises(InvalidRequestError):
        Script(about_all).use(kind, lambda sheaf: sheaf.upload_many([("a", b"a")]))


def test_batches_are_bounded_in_bytes(kind: str) -> None:
    """A file above the bound, or of unknown size, goes alone."""
    sizes = {"a": 5, "b": 5, "c": 1, "d": 50}
    files: list[File] = [(name, b"x" * size) for name, size in sizes.items()]
    files.append(("e", iter([b"x"])))
    batches = list(batched(files, max_bytes=10))

    assert batches == [files[:2], files[2:3], files[3:4], files[4:]]
    assert [len(batch) for batch in batched(files, max_files=1)] == [1] * 5


class Swallowing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Takes an upload as it comes and keeps nothing of it."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """For the synchronous client."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        for piece in request.stream:
            self.taken_bytes += len(piece)
        return taken("big")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """For the asynchronous client."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        async for piece in request.stream:
            self.taken_bytes += len(piece)
        return taken("big")


def test_a_large_file_is_never_held_in_memory(kind: str, tmp_path: Path) -> None:
    """What is held at once is a few pieces, however large it is."""
    path, size = tmp_path / "big", 64 * 2**20
    with path.open("wb") as file:
        file.truncate(size)
    swallowing = Swallowing()
    tracemalloc.start()
    try:
        if kind == "sync":
            with Client("http://x", "sk_key", transport=swallowing) as sheaf:
                sheaf.upload(path)
        else:
            asyncio.run(uploaded(swallowing, path))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert swallowing.taken_bytes > size
    assert peak_bytes < 8 * PIECE_BYTES


async def uploaded(transport: httpx.AsyncBaseTransport, path: Path) -> None:
    """Sends a file."""
    async with AsyncClient("http://x", "sk_key", transport=transport) as sheaf:
        await sheaf.upload(path)


def test_both_clients_have_the_same_surface(kind: str) -> None:
    """Names and arguments; what differs is only that one is awaited."""

    def surface(client: type) -> dict[str, list[tuple[str, object, object]]]:
        return {
            name: [
                (each.name, each.kind, each.default)
                for each in inspect.signature(method).parameters.values()
            ]
            for name, method in vars(client).items()
            if not name.startswith("_")
        }

    assert surface(Client) == surface(AsyncClient)
    assert len(surface(Client)) > 25
