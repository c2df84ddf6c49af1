"""The original of a document as it arrives, taken up again where a connection was lost."""

import errno
import hashlib
import re
import secrets
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, Final

from sheaf_client.calls import document_path
from sheaf_client.config import Config
from sheaf_client.errors import AnswerInvalid, ConnectionFailed, ContentDiffers
from sheaf_client.form import OnProgress
from sheaf_client.retrying import Attempts, Failure, error_of
from sheaf_client.steps import Answer, Emit, Flow, Request, do, opened, pause, read

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Original:
    """One download. What is read is hashed; at its end the hash is that of the ETag, or it fails.

    Raises ConnectionFailed or a ProblemError where the rest cannot be had, ContentDiffers if
    what came is not what the server names.
    """

    def __init__(self, document_id: str, config: Config) -> None:
        self._path = document_path(document_id, "content")
        self._config = config
        self._attempts = Attempts.of(config)
        self._etag: str | None = None
        self._hash = hashlib.sha256()
        self.read_bytes = 0
        self.size_bytes: int | None = None

    @property
    def sha256(self) -> str | None:
        """The hash that the server names, in hexadecimal; None if it names none."""
        named = (self._etag or "").strip('"')
        return named if _SHA256.fullmatch(named) else None

    def open(self) -> Flow[None]:
        """Asks for what is not read yet, as often as it may."""
        while True:
            failure: Failure | None
            try:
                answer = yield from opened(self._request())
            except ConnectionFailed as error:
                failure = error
            else:
                failure = error_of(answer)
                if failure is None:
                    return self._opened(answer)
            yield from self._wait_after(failure)

    def next(self) -> Flow[bytes]:
        """The next bytes, empty at the end. It is open."""
        while True:
            try:
                data = yield from read(self._config.timeout_s)
            except ConnectionFailed as error:
                yield from self._wait_after(error)
                yield from self.open()
                continue
            if not data:
                self._check()
                return data
            self._attempts = Attempts.of(self._config)
            self.read_bytes += len(data)
            self._hash.update(data)
            return data

    def _request(self) -> Request:
        headers = {"Accept-Encoding": "identity"}
        if self.read_bytes and self._etag is not None:
            headers |= {"Range": f"bytes={self.read_bytes}-", "If-Range": self._etag}
        return Request("GET", self._path, self._config.timeout_s, headers=headers)

    def _opened(self, answer: Answer) -> None:
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            first = f"bytes {self.read_bytes}-"
            if not answer.headers.get("content-range", "").startswith(first):
                raise AnswerInvalid("the server answered another range than was asked for")
        elif answer.status != HTTPStatus.OK:
            raise AnswerInvalid(f"the answer is {answer.status}: is the address that of Sheaf?")
        elif self.read_bytes:
            raise ContentDiffers("the content changed while it was read")
        else:
            length = answer.headers.get("content-length", "")
            self.size_bytes = int(length) if length.isdigit() else None
            self._etag = answer.headers.get("etag")

    def _wait_after(self, failure: Failure) -> Flow[None]:
        pause_s = self._attempts.pause_s(failure)
        if pause_s is None:
            raise failure
        yield from pause(pause_s)

    def _check(self) -> None:
        if self.sha256 not in {None, self._hash.hexdigest()}:
            raise ContentDiffers(f"the SHA-256 of what came is not {self.sha256}")


def pieces(original: Original) -> Flow[None]:
    """Emits what is open, to its end."""
    while data := (yield from original.next()):
        yield Emit(data)


def download(
    document_id: str, target: Path, on_progress: OnProgress | None, config: Config
) -> Flow[Path]:
    """Writes an original to a file, which is there only once it is whole.

    What stood there is replaced; of a download that fails nothing stays.
    """
    original = Original(document_id, config)
    yield from do(lambda: _check_place(target))
    yield from original.open()
    if original.sha256 is None:
        raise AnswerInvalid("the server names no SHA-256: is the address that of Sheaf?")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    file: BinaryIO = yield from do(lambda: part.open("xb"))
    try:
        with file:
            while data := (yield from original.next()):
                yield from do(_writing(file, data))
                if on_progress is not None:
                    on_progress(original.read_bytes, original.size_bytes)
        yield from do(lambda: part.replace(target))
    finally:
        part.unlink(missing_ok=True)
    return target


def _check_place(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(target.parent))


def _writing(file: BinaryIO, data: bytes) -> Callable[[], int]:
    return lambda: file.write(data)
