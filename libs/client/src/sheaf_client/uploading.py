"""Uploads: sent again under one idempotency key, so that one batch comes of each."""

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec

from sheaf_client.calls import decoded, known
from sheaf_client.config import Config
from sheaf_client.errors import InvalidRequestError
from sheaf_client.form import Form, OnProgress
from sheaf_client.models import Problem, Upload, UploadedFile
from sheaf_client.options import UploadOptions
from sheaf_client.retrying import Attempts, tried
from sheaf_client.sources import AsyncFile, source_of
from sheaf_client.steps import Emit, Flow, Request, do

MAX_BATCH_FILES: Final = 50
MAX_BATCH_BYTES: Final = 64 * 2**20
_MAX_KEY_CHARACTERS: Final = 255
_PRINTABLE: Final = range(0x20, 0x7F)

FileT = TypeVar("FileT", bound=AsyncFile)
_decode_upload = msgspec.json.Decoder(Upload).decode


@dataclass(frozen=True, slots=True)
class Sent(Generic[FileT]):
    """What became of one file of many. `batch_id` is None if its whole batch was rejected."""

    file: FileT
    batch_id: str | None
    outcome: UploadedFile


def upload(
    files: Sequence[AsyncFile],
    asked: UploadOptions,
    *,
    idempotency_key: str | None,
    on_progress: OnProgress | None,
    config: Config,
) -> Flow[Upload]:
    """Sends files as one batch.

    Raises OSError, FileChanged or TypeError for a file that cannot be sent, ValueError if there
    is none, a ProblemError or ConnectionFailed as the last try ended.
    """
    if not files:
        raise ValueError("there is no file to upload")
    key = _checked_key(idempotency_key) if idempotency_key is not None else str(uuid.uuid4())
    fields = _fields(asked)
    sources = yield from do(lambda: [source_of(file) for file in files])
    form = Form(fields, sources, on_progress)
    headers = {"Idempotency-Key": _quoted(key)}
    request = Request("POST", "/v1/documents", config.upload_timeout_s, headers=headers, form=form)
    answer = yield from tried(request, Attempts.of(config))
    taken = decoded(answer, _decode_upload)
    is_replayed = answer.headers.get("idempotency-replayed", "").lower() in {"true", "?1"}
    return msgspec.structs.replace(taken, is_replayed=is_replayed)


def upload_many(
    files: Iterable[FileT],
    asked: UploadOptions,
    *,
    max_files: int,
    max_bytes: int,
    config: Config,
) -> Flow[None]:
    """Emits what became of each file, in order; they go up in batches of bounded size.

    A batch of which every file is rejected is no error here: each has its own outcome.
    """
    batches = batched(files, max_files=max_files, max_bytes=max_bytes)
    while batch := (yield from do(lambda: next(batches, None))):
        try:
            taken = yield from upload(
                batch, asked, idempotency_key=None, on_progress=None, config=config
            )
        except InvalidRequestError as error:
            for file, outcome in zip(batch, _rejections(error, len(batch)), strict=True):
                yield Emit(Sent(file, None, outcome))
            continue
        for file, outcome in zip(batch, taken.documents, strict=True):
            yield Emit(Sent(file, taken.batch_id, outcome))


def batched(
    files: Iterable[FileT], *, max_files: int = MAX_BATCH_FILES, max_bytes: int = MAX_BATCH_BYTES
) -> Iterator[list[FileT]]:
    """The files in batches, none larger than that unless one file is.

    Folders are replaced by the files under them. What does not tell its size is a batch alone.
    Raises OSError for a folder that cannot be read.
    """
    batch: list[Any] = []
    size = 0
    for file in _unfolded(files):
        known = _size_bytes(file)
        length = max_bytes if known is None else known
        if batch and (len(batch) >= max_files or size + length > max_bytes):
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += length
    if batch:
        yield batch


def files_under(folder: Path) -> Iterator[Path]:
    """The files under a folder in sorted order; hidden ones not."""
    for parent, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file():
                yield path


def _raise(error: OSError) -> None:
    raise error


def _unfolded(files: Iterable[Any]) -> Iterator[Any]:
    for file in files:
        if isinstance(file, str | os.PathLike) and Path(file).is_dir():
            yield from files_under(Path(file))
        else:
            yield file


def _size_bytes(file: Any) -> int | None:
    content = file if isinstance(file, str | os.PathLike) else file[1]
    if isinstance(content, bytes | bytearray | memoryview):
        return len(content)
    if isinstance(content, str | os.PathLike):
        try:
            return Path(content).stat().st_size
        except OSError:  # it is told when it is its turn
            return None
    return None


def _rejections(error: InvalidRequestError, count: int) -> list[UploadedFile]:
    """Each file's own outcome where all were rejected; raises the error if it is about no file."""
    errors = error.problem.errors
    if len(errors) != count or not all("problem" in each for each in errors):
        raise error
    return [
        UploadedFile(
            str(each.get("filename", "")),
            "rejected",
            problem=msgspec.convert(each["problem"], Problem, strict=False),
        )
        for each in errors
    ]


def _fields(asked: UploadOptions) -> dict[str, str]:
    """The text fields of an upload; None is left out, and the server's default holds."""
    wanted = known(asked, UploadOptions)
    fields = {name: str(value) for name, value in wanted.items()}
    if "words" in wanted:
        fields["words"] = str(bool(wanted["words"])).lower()
    if "ocr_languages" in wanted:
        fields["ocr_language"] = ",".join(wanted["ocr_languages"])
        del fields["ocr_languages"]
    if "metadata" in wanted:
        fields["metadata"] = json.dumps(
            dict(wanted["metadata"]), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
    return fields


def _checked_key(key: str) -> str:
    if not 0 < len(key) <= _MAX_KEY_CHARACTERS or not all(ord(each) in _PRINTABLE for each in key):
        raise ValueError("an idempotency key has 1 to 255 printable ASCII characters")
    return key


def _quoted(key: str) -> str:
    """As a structured-field string (RFC 9651)."""
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
