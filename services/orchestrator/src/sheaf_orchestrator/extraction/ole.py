"""OLE compound files (legacy Office, MSG): what stands at their root, without a copy of them."""

import io
from typing import Final

import olefile

from sheaf_orchestrator.extraction.bytefile import ByteFile
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.reasons import Reason

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def open_ole(content: bytes | bytearray) -> olefile.OleFileIO:
    """The container; the caller closes it. Raises ExtractionError: DAMAGED."""
    try:
        return olefile.OleFileIO(io.BufferedReader(ByteFile(content)))
    except (OSError, ValueError, IndexError, RecursionError, OverflowError) as error:
        raise ExtractionError(
            Reason.DAMAGED, "The container of the file (OLE) is damaged and cannot be opened."
        ) from error


def read_stream(container: olefile.OleFileIO, content: bytes | bytearray, name: str) -> bytearray:
    """A stream at the root, whose bytes are held once: olefile holds a large one three times.

    Raises ExtractionError: DAMAGED (there is none, or not all of it).
    """
    entry = next((each for each in container.root.kids if each.name.lower() == name.lower()), None)
    if entry is None or not 0 <= entry.size <= len(content):
        raise _no_stream(name)
    if entry.size < container.minisectorcutoff:
        with container.openstream(entry.name) as stream:
            return bytearray(stream.read())
    out, at, sector, size = bytearray(entry.size), 0, entry.isectStart, container.sectorsize
    with memoryview(content) as view:
        while at < len(out):
            begin, end = (sector + 1) * size, (sector + 1) * size + min(size, len(out) - at)
            if sector >= len(container.fat) or end > len(view):
                raise _no_stream(name)
            out[at : at + end - begin] = view[begin:end]
            at, sector = at + end - begin, container.fat[sector]
    return out


def _no_stream(name: str) -> ExtractionError:
    return ExtractionError(
        Reason.DAMAGED, f"The file is damaged: its stream {name!r} is not whole."
    )


def root_names(content: bytes | bytearray) -> frozenset[str]:
    """The names at the container's root, in lower case. Raises ExtractionError: DAMAGED."""
    with open_ole(content) as container:
        return frozenset(entry.name.lower() for entry in container.root.kids)
