"""What a sample is: a document together with what must come out of it."""

from dataclasses import dataclass
from typing import Final, Literal

PDF: Final = "application/pdf"
PLAIN_TEXT: Final = "text/plain"
CSV: Final = "text/csv"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT: Final = "application/vnd.oasis.opendocument.text"
HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
RTF: Final = "application/rtf"
EML: Final = "message/rfc822"
PNG: Final = "image/png"
TIFF: Final = "image/tiff"

Status = Literal["completed", "failed", "quarantined", "rejected"]


@dataclass(frozen=True)
class Sample:
    """A document and its expected outcome. Two runs give equal bytes.

    ``content_type`` is what its sender declares. ``expected_reason`` is the stable reason code
    of an outcome that isn't a plain success. ``expected_pages`` is None when no page is read.
    """

    filename: str
    content: bytes
    content_type: str = PDF
    expected_status: Status = "completed"
    expected_reason: str | None = None
    expected_pages: int | None = None
    expected_phrases: tuple[str, ...] = ()
    needs_ocr: bool = False
    """Whether its text is only in pictures."""

    def missing_phrases(self, text: str) -> tuple[str, ...]:
        """The expected phrases that ``text`` does not hold; empty when all of it is right.

        Runs of white space count as one space: a phrase may go over the end of a line.
        """
        flat = " ".join(text.split())
        return tuple(phrase for phrase in self.expected_phrases if phrase not in flat)
