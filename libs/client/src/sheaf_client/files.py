"""The files of an upload, streamed from where they are."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

File = str | os.PathLike[str] | tuple[str, bytes | BinaryIO]
"""A path, or a name with the content or an open binary file (which stays the caller's)."""

Parts = list[tuple[str, tuple[str, bytes | BinaryIO]]]


@contextmanager
def opened(files: Iterable[File]) -> Iterator[Parts]:
    """The files as parts of a form. Paths are open for the block; they are read as they go."""
    with ExitStack() as stack:
        parts: Parts = []
        for file in files:
            if isinstance(file, tuple):
                parts.append(("files", file))
            else:
                path = Path(file)
                parts.append(("files", (path.name, stack.enter_context(path.open("rb")))))
        yield parts
