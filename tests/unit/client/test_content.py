"""Originals, taken up where a connection was lost."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sheaf_client import AnswerInvalid, ConnectionFailed, ContentDiffers, NotFoundError
from support.clients import KINDS, Script, Stream

pytestmark = pytest.mark.parametrize("kind", KINDS)

CONTENT = b"0123456789" * 10
ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def whole(*pieces: bytes | Exception) -> httpx.Response:
    """The whole original, or what came of it."""
    headers = {"etag": ETAG, "content-length": str(len(CONTENT))}
    return httpx.Response(200, headers=headers, stream=Stream(*pieces))


def rest(first: int, *pieces: bytes | Exception) -> httpx.Response:
    """What is after the first bytes."""
    headers = {"etag": ETAG, "content-range": f"bytes {first}-99/100"}
    return httpx.Response(206, headers=headers, stream=Stream(*pieces))


def cut() -> list[httpx.Response | Exception]:
    """An original that comes over four connections, of which one is refused."""
    lost = httpx.ReadError("cut")
    return [
        whole(CONTENT[:30], lost),
        httpx.ConnectError("refused"),
        rest(30, CONTENT[30:35], lost),
        rest(35, CONTENT[35:]),
    ]


def test_a_download_is_taken_up_where_it_was(
    kind: str, tmp_path: Path, pauses: list[float]
) -> None:
    """With If-Range, so that it is of the same content; progress says how far it is."""
    script, target = Script(*cut()), tmp_path / "a.pdf"
    target.write_bytes(b"what stood there")
    seen: list[tuple[int, int | None]] = []
    path = script.use(
        kind, lambda sheaf: sheaf.download("d", target, on_progress=lambda *far: seen.append(far))
    )

    assert (path, target.read_bytes()) == (target, CONTENT)
    assert seen == [(30, 100), (35, 100), (100, 100)]
    asked = [(each.headers.get("range"), each.headers.get("if-range")) for each in script.requests]
    assert asked == [(None, None), ("bytes=30-", ETAG), ("bytes=30-", ETAG), ("bytes=35-", ETAG)]
    assert list(tmp_path.iterdir()) == [target]


LOST = httpx.ReadError("cut")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (lambda: [whole(b"other" * 20)], ContentDiffers),
        (lambda: [whole(CONTENT[:30], LOST), whole(CONTENT)], ContentDiffers),
        (
            lambda: [whole(CONTENT[:30], LOST), *[httpx.ConnectError("refused")] * 3],
            ConnectionFailed,
        ),
        (lambda: [httpx.Response(404, json={"code": "DOCUMENT_NOT_FOUND"})], NotFoundError),
        (lambda: [httpx.Response(200, text="a page")], AnswerInvalid),
    ],
    ids=["hash", "changed", "away", "missing", "stranger"],
)
def test_of_a_failed_download_nothing_stays(
    kind: str,
    answers: Callable[[], list[httpx.Response | Exception]],
    error: type[Exception],
    tmp_path: Path,
    pauses: list[float],
) -> None:
    """And what stood there before still does."""
    target = tmp_path / "a.pdf"
    target.write_bytes(b"before")
    with pytest.raises(error):
        Script(*answers()).use(kind, lambda sheaf: sheaf.download("d", target))

    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.pdf", b"before")]
