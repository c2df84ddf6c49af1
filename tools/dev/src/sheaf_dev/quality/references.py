"""What a PDF's text should be: as poppler's pdftotext reads it, where that is installed."""

import asyncio
import contextlib
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sheaf_dev.quality.scoring import tokens
from sheaf_dev.quality.walking import LabelledFile

NOT_INSTALLED: Final = "pdftotext is not installed"
NO_TEXT: Final = "pdftotext finds no text"
REFUSED: Final = "pdftotext refuses it"
TOO_SLOW: Final = "pdftotext takes too long"
TOO_LONG: Final = "its text is too long"

_PROGRAM: Final = "pdftotext"
_DEADLINE_S: Final = 60.0
_MOST_BYTES: Final = 64 * 2**20
_CHUNK_BYTES: Final = 2**20
_FEWEST_TOKENS: Final = 5
"""Below it a file counts as one without text: a scan has a stamp at most."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A text that is taken for right, by page; or why there is none."""

    pages: tuple[str, ...] = ()
    missing: str | None = None

    @property
    def text(self) -> str:
        """The whole."""
        return "\n".join(self.pages)


def find_pdftotext() -> str | None:
    """Where poppler's program is."""
    return shutil.which(_PROGRAM)


async def reference_of(file: LabelledFile, pdftotext: str | None) -> Reference:
    """The text beside the PDF if there is one, else pdftotext's."""
    if file.truth is not None:
        return Reference(tuple(read_truth(file.truth).split("\f")))
    if pdftotext is None:
        return Reference(missing=NOT_INSTALLED)
    return await _read_by_poppler(pdftotext, file.path)


def read_truth(path: Path) -> str:
    """The text that somebody wrote down, bounded."""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", errors="replace")


async def _read_by_poppler(program: str, path: Path) -> Reference:
    process = await asyncio.create_subprocess_exec(
        program,
        *("-q", "-enc", "UTF-8", "--", str(path), "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_DEADLINE_S):
            output = await _bounded_output(process)
            code = await process.wait() if output is not None else None
    except TimeoutError:
        return Reference(missing=TOO_SLOW)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if output is None:
        return Reference(missing=TOO_LONG)
    if code:
        return Reference(missing=REFUSED)
    text = output.decode("utf-8", errors="replace")
    if len(tokens(text[:100_000])) < _FEWEST_TOKENS:
        return Reference(missing=NO_TEXT)
    return Reference(tuple(text.removesuffix("\f").split("\f")))


async def _bounded_output(process: asyncio.subprocess.Process) -> bytes | None:
    """All that it writes; None if that is too much."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    output = bytearray()
    while chunk := await process.stdout.read(_CHUNK_BYTES):
        output += chunk
        if len(output) > _MOST_BYTES:
            return None
    return bytes(output)
