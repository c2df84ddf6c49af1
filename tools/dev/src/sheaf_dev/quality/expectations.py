"""How a file should end, by its label and its kind. What is not named here should complete."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import pikepdf

from sheaf_dev.quality.walking import LabelledFile
from sheaf_orchestrator.extraction import Reason

COMPLETED: Final = "completed"
LONGEST_S: Final = 30.0
"""Within which every file must have ended, whatever is in it."""

_BLAMELESS: Final = frozenset(
    {COMPLETED, *Reason} - {Reason.CRASHED, Reason.TIME_LIMIT, Reason.EXTRACTOR_ERROR}
)
"""Ends that a broken or malicious file may have: no crash, no hang, nothing unforeseen."""
_UNREAD: Final = frozenset({".heic", ".psd", ".svg", ".tsd", ".xlsb"})
"""Kinds of files that Sheaf does not read."""
_MARKED_TEXT: Final = frozenset({".json", ".xml"})
"""Text to some and data to others: either is a clear end."""
_LOCKED_MARKS: Final = ("password", "protected")
_LOCKABLE: Final = frozenset({".doc", ".docx", ".ppt", ".pptx", ".xls", ".xlsx"})


def expected_ends(file: LabelledFile) -> frozenset[str]:
    """`completed`, or the reasons, with which the file may end."""
    by_label = _BY_LABEL.get(file.folder)
    if by_label is not None:
        return by_label(file.path)
    suffix, name = file.path.suffix.lower(), file.path.name.lower()
    if suffix in _UNREAD:
        return frozenset({Reason.UNSUPPORTED_FORMAT})
    if suffix in _MARKED_TEXT:
        return frozenset({COMPLETED, Reason.UNSUPPORTED_FORMAT})
    if suffix in _LOCKABLE and any(mark in name for mark in _LOCKED_MARKS):
        return frozenset({Reason.ENCRYPTED})
    return frozenset({COMPLETED})


def _encrypted(path: Path) -> frozenset[str]:
    """Some need no password to be read; qpdf says which do."""
    try:
        pikepdf.open(path).close()
    except pikepdf.PasswordError:
        return frozenset({Reason.ENCRYPTED})
    except pikepdf.PdfError:
        return frozenset({COMPLETED, Reason.ENCRYPTED, Reason.DAMAGED})
    return frozenset({COMPLETED})


def _broken(_path: Path) -> frozenset[str]:
    return _BLAMELESS


_BY_LABEL: Final[dict[str, Callable[[Path], frozenset[str]]]] = {
    "pdf-encrypted": _encrypted,
    "pdf-broken-or-malicious": _broken,
}
