"""How much work a document is: coarse estimates that order the queue and size the groups.

Measured on one core of the reference machine (facts: a page of PDF text costs 4 ms at the
median, a page of OCR 640 ms). A wrong estimate costs a little fairness or a group that is a
little too large, never a document.
"""

from datetime import timedelta
from typing import Final

from sheaf_metadata.domain.documents import Lane, Priority

_KIB: Final = 1024
_DOCUMENT_MS: Final = 6.0
"""What a document of the text lane costs its group besides its extraction: fetch, put, outcome."""
_PDF_BASE_MS: Final = 4.0
_PDF_MS_A_KIB: Final = 0.05
_TEXT_BASE_MS: Final = 0.5
_TEXT_MS_A_KIB: Final = 0.01
_OTHER_BASE_MS: Final = 5.0
_OTHER_MS_A_KIB: Final = 0.05
_OCR_BASE_MS: Final = 700.0
"""A page: what costs most of the scans that are one page, and keeps OCR groups small."""
_OCR_MS_A_KIB: Final = 5.0
"""A scanned page has some 130 KiB."""

PRIORITY_SHIFT: Final = timedelta(seconds=30)
"""How much earlier a document of high priority is in line than a normal one, and a low later."""

MAX_LAG: Final = timedelta(hours=1)
"""However much a user has queued, a new document is not put further behind than this."""


def estimated_work_ms(content_type: str, size_bytes: int, lane: Lane) -> float:
    """The estimated time to process a document, in milliseconds of one core."""
    kib = size_bytes / _KIB
    if lane is Lane.OCR:
        return _OCR_BASE_MS + _OCR_MS_A_KIB * kib
    if content_type == "application/pdf":
        return _DOCUMENT_MS + _PDF_BASE_MS + _PDF_MS_A_KIB * kib
    if content_type.startswith("text/"):
        return _DOCUMENT_MS + _TEXT_BASE_MS + _TEXT_MS_A_KIB * kib
    return _DOCUMENT_MS + _OTHER_BASE_MS + _OTHER_MS_A_KIB * kib


def priority_shift(priority: Priority) -> timedelta:
    """What a priority adds to `claim_at`."""
    if priority is Priority.HIGH:
        return -PRIORITY_SHIFT
    return PRIORITY_SHIFT if priority is Priority.LOW else timedelta()
