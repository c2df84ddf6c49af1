"""One file through the sandbox, as the service would put it there."""

import asyncio
import mimetypes
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from sheaf_dev.quality.walking import LabelledFile
from sheaf_orchestrator.extraction import (
    Extraction,
    ExtractionFailed,
    ExtractionPool,
    Limits,
    OcrMode,
    Options,
    Quarantined,
    Request,
    Result,
    decode_result,
    extract_with_retry,
)

UNKNOWN_TYPE: Final = "application/octet-stream"
_MOST_RESULT_BYTES: Final = 512 * 2**20


@dataclass(frozen=True, slots=True)
class End:
    """How a file ended. `cpu_ms` is of the subprocess; only a completed file has the rest."""

    status: str
    """`completed`, `failed` or `quarantined`."""
    wall_s: float
    reason: str | None = None
    result: Result | None = None
    cpu_ms: float | None = None

    @property
    def name(self) -> str:
        """`completed`, or the reason."""
        return self.reason or self.status


class Sandbox:
    """The text lane's subprocesses."""

    def __init__(self, pool: ExtractionPool, limits: Limits) -> None:
        self._pool = pool
        self._limits = limits

    async def extract(self, file: LabelledFile, content: bytes, *, words: bool) -> End:
        """Reads the file; what it must not do to the service is its end, not an error here.

        Raises:
            PoolError: the sandbox itself does not work.
        """
        request = Request(
            document_id=document_id_of(file),
            attempt=1,
            content_type=declared_type(file.path),
            options=Options(words=words, ocr=OcrMode.NEVER),
        )
        began = time.monotonic()
        try:
            extraction = await extract_with_retry(self._pool, request, content)
        except ExtractionFailed as failure:
            return End("failed", time.monotonic() - began, failure.reason.value)
        except Quarantined as failure:
            return End("quarantined", time.monotonic() - began, failure.reason.value)
        wall_s = time.monotonic() - began
        result = await asyncio.to_thread(_decoded, extraction)
        return End("completed", wall_s, result=result, cpu_ms=extraction.cpu_ms)

    def read(self, file: LabelledFile) -> bytes:
        """The file's bytes, no more of them than show that it is too large. Blocks."""
        with file.path.open("rb") as opened:
            return opened.read(self._limits.content_bytes + 1)


def document_id_of(file: LabelledFile) -> str:
    """An id as documents have it; the same in every run."""
    return str(uuid5(NAMESPACE_URL, file.name))


def declared_type(path: Path) -> str:
    """What a sender would declare: the type that goes with the name."""
    return mimetypes.guess_type(path.name)[0] or UNKNOWN_TYPE


def _decoded(extraction: Extraction) -> Result:
    return decode_result(extraction.result, max_bytes=_MOST_RESULT_BYTES)
