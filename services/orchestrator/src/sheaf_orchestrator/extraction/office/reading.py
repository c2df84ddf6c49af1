"""What every reader of an Office format carries through one document."""

import time
from typing import Final

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import (
    AttachedFile,
    Extracted,
    Metadata,
    OutlineEntry,
    Unit,
)
from sheaf_orchestrator.extraction.wanted import PageRanges, is_wanted

HIDDEN: Final = "HIDDEN_CONTENT"
_TITLE_CHARACTERS: Final = 1_000
_NAME_CHARACTERS: Final = 255


class Reading:
    """One document being read: its limits, warnings, blocks and attachments."""

    def __init__(self, limits: Limits, pages: PageRanges = ()) -> None:
        self.limits = limits
        self._wanted = pages
        self.notes = Notes(limits.warnings)
        self.composer = Composer(limits, self.notes)
        self._deadline = time.monotonic() + limits.soft_s
        self._outline: list[OutlineEntry] = []
        self._attachments: list[AttachedFile] = []
        self._attached_bytes = 0
        self._late = False
        self._said: set[str] = set()

    @property
    def done(self) -> bool:
        """Whether to stop: no text is kept any more, or the time is over (noted once)."""
        if self.composer.full or self._late:
            return True
        if time.monotonic() > self._deadline:
            self._late = True
            self.notes.cut(Reason.TIME_LIMIT, "The time ended before the whole document was read.")
        return self._late

    def passes_over(self) -> bool:
        """Whether the next page is not wanted: it is counted, and nothing of it is to be read."""
        if is_wanted(self.composer.next_number, self._wanted):
            return False
        self.composer.skip()
        return True

    def once(self, code: str, message: str) -> None:
        """Warn of something that is said once for a document."""
        if code + message not in self._said:
            self._said.add(code + message)
            self.notes.warn(code, message)

    def short(self, message: str) -> None:
        """Note once that more than the limits allow was left out."""
        if message not in self._said:
            self._said.add(message)
            self.notes.cut(Reason.OUTPUT_LIMIT, message)

    def damaged(self, part: str) -> None:
        """Note that a part other than the main one cannot be read and was left out."""
        message = f"The part {clean_text(part[:200])!r} is damaged and was left out."
        if message not in self._said:
            self._said.add(message)
            self.notes.cut("PART_DAMAGED", message)

    def heading(self, level: int, text: str, page: int = 1) -> None:
        """A heading, which is a line of the outline as well."""
        self.composer.heading(level, text)
        title = " ".join(clean_text(text[:_TITLE_CHARACTERS]).split())
        if title and len(self._outline) < self.limits.outline_entries:
            self._outline.append(OutlineEntry(title=title, level=max(level - 1, 0), page=page))

    def attach(self, filename: str, content: bytes, content_type: str | None = None) -> None:
        """Keep a file of the document, while their number and bytes allow."""
        over = self._attached_bytes + len(content) > self.limits.attachment_bytes
        if over or len(self._attachments) >= self.limits.attachments:
            self.once("ATTACHMENTS_LEFT_OUT", "Not all files inside the document were kept.")
            return
        self._attached_bytes += len(content)
        name = clean_text(filename[-_NAME_CHARACTERS:]).replace("\n", " ").strip() or "attachment"
        self._attachments.append(
            AttachedFile(filename=name, content=content, content_type=content_type)
        )

    def check_pages(self, count: int, what: str) -> None:
        """Raises ExtractionError: TOO_MANY_PAGES."""
        if count > self.limits.pages:
            message = f"The document has {count} {what}; at most {self.limits.pages} are read."
            raise ExtractionError(Reason.TOO_MANY_PAGES, message)

    def finish(self, unit: Unit, metadata: Metadata, page_count: int | None = None) -> Extracted:
        """What was read."""
        pages, marked = self.composer.finish()
        if not any(page.characters or page.annotations for page in pages):
            self.notes.warn("NO_TEXT", "The document holds no text.")
        return Extracted(
            page_count=len(pages) if page_count is None else page_count,
            pages=pages,
            metadata=metadata,
            unit=unit,
            markdown=marked,
            outline=self._outline,
            attachments=self._attachments,
            warnings=self.notes.warnings,
            partial=self.notes.partial,
        )
