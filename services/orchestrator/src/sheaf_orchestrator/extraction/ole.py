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


def root_names(content: bytes | bytearray) -> frozenset[str]:
    """The names at the container's root, in lower case. Raises ExtractionError: DAMAGED."""
    with open_ole(content) as container:
        return frozenset(entry.name.lower() for entry in container.root.kids)
