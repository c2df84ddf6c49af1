"""Files attached to a document: their names, and how many are taken."""

import re
import time
from typing import Final

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.limits import MIB, Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.result import AttachedFile

DECORATION_BYTES: Final = 10 * 1024
"""Pictures that a body shows and that are smaller (logos, spacers) are no documents."""

_MAX_NAME: Final = 200
_UNFIT: Final = re.compile(r"[/\\\x00-\x1f\x7f]+")
_SUFFIXES: Final = {
    "application/pdf": ".pdf",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "message/rfc822": ".eml",
    "text/calendar": ".ics",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/plain": ".txt",
}


class Budget:
    """How much may be taken of a document and of all messages in it, together.

    Nothing is taken after ``deadline``, in the monotonic clock's seconds: ``limits.soft_s`` from
    now unless the document has one already.
    """

    def __init__(self, limits: Limits, deadline: float | None = None) -> None:
        self.limits = limits
        self._files, self._bytes = limits.attachments, limits.attachment_bytes
        self._deadline = time.monotonic() + limits.soft_s if deadline is None else deadline

    @property
    def left_bytes(self) -> int:
        """How many bytes may be taken still."""
        return self._bytes

    def allows(self, size_bytes: int) -> bool:
        """Whether a file of this size may be taken now."""
        fits = self._files > 0 and size_bytes <= self._bytes
        return fits and time.monotonic() < self._deadline

    def spend(self, size_bytes: int) -> None:
        """Note a file that is taken."""
        self._files -= 1
        self._bytes -= size_bytes


class Bag:
    """Attached files as far as the budget goes; the rest is named in one warning."""

    def __init__(self, budget: Budget, notes: Notes) -> None:
        self._budget, self._notes = budget, notes
        self._left_out: list[str] = []
        self._unnamed = 0
        self._count = 0
        self.files: list[AttachedFile] = []

    @property
    def left_bytes(self) -> int:
        """How many bytes may be taken still."""
        return self._budget.left_bytes

    def has_room(self, size_bytes: int) -> bool:
        """Whether a file of this size would be taken."""
        return self._budget.allows(size_bytes)

    def put(self, name: str | None, content: bytes, content_type: str | None) -> None:
        """Take a file, or only its name when the limits are reached."""
        self._count += 1
        filename = file_name(name, content_type, self._count)
        if not content:
            self._notes.warn("ATTACHMENT_EMPTY", f"The attached file {filename!r} has no bytes.")
        elif self.has_room(len(content)):
            self._budget.spend(len(content))
            self.files.append(
                AttachedFile(filename=filename, content=content, content_type=content_type)
            )
        else:
            self.leave_out(filename)

    def leave_out(self, filename: str) -> None:
        """Note a file that is not taken."""
        self._left_out.append(filename)

    def leave_out_more(self, count: int) -> None:
        """Note files that are not taken, and whose names nobody looked at."""
        self._unnamed += count

    def close(self) -> list[AttachedFile]:
        """The files taken, after noting those that were not."""
        named = [repr(name) for name in self._left_out[:10]]
        more = len(self._left_out) - len(named) + self._unnamed
        if named or more:
            limits = self._budget.limits
            mebibytes = limits.attachment_bytes // MIB
            told = [*([", ".join(named)] if named else []), *([f"{more} more"] if more else [])]
            self._notes.cut(
                "ATTACHMENTS_LEFT_OUT",
                f"Of the attached files at most {limits.attachments} with {mebibytes} MiB in "
                f"all are read; left out: {' and '.join(told)}.",
            )
        return self.files


def file_name(name: str | None, content_type: str | None, number: int) -> str:
    """A name without folders and control characters; made up where there is none."""
    cleaned = clean_text(name or "").replace("\n", " ")
    last = _UNFIT.split(cleaned.strip().strip("."))[-1].strip()
    if not last:
        return f"attachment-{number}{_SUFFIXES.get(content_type or '', '')}"
    if len(last) <= _MAX_NAME:
        return last
    stem, dot, suffix = last.rpartition(".")
    short = len(suffix) <= 10 and bool(dot)  # noqa: PLR2004 # a suffix worth keeping
    return f"{stem[: _MAX_NAME - len(suffix)]}.{suffix}" if short else last[:_MAX_NAME]
