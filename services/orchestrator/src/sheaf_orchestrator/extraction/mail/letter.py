"""A message as it is read, and the page that it becomes."""

import msgspec

from sheaf_orchestrator.extraction import markdown
from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.html.extractor import read_html
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.result import AttachedFile, Extracted, Metadata

_MAX_HEADER = 4_096
"""Characters kept of a header; some name thousands of recipients."""


class Letter(msgspec.Struct, kw_only=True):
    """A message. Bodies are in order: each is plain text or HTML."""

    sender: str = ""
    to: str = ""
    cc: str = ""
    subject: str = ""
    date: str = ""
    """As it is written or was put down, for the reader."""
    sent_at: str | None = None
    """As results hold it."""
    creator: str | None = None
    keywords: str | None = None
    bodies: list[tuple[str, bool]] = []
    """Text, and whether it is HTML."""
    attachments: list[AttachedFile] = []
    encrypted: bool = False

    def heads(self) -> list[tuple[str, str]]:
        """The headers that a reader is shown, those that are there."""
        named = (
            ("From", self.sender),
            ("To", self.to),
            ("Cc", self.cc),
            ("Date", self.date),
            ("Subject", self.subject),
        )
        tidied = ((name, tidy(value)) for name, value in named)
        return [(name, value) for name, value in tidied if value]


def tidy(text: str) -> str:
    """A header of one line, cleaned and cut."""
    short = text[:_MAX_HEADER]
    return " ".join(clean_text(short).split()) + ("…" if len(text) > _MAX_HEADER else "")


def compose(letter: Letter, limits: Limits, notes: Notes) -> Extracted:
    """One part: the headers, then the bodies in order."""
    composer = Composer(limits, notes)
    composer.begin(tidy(letter.subject) or None)
    heads = letter.heads()
    composer.paragraph(
        "\n".join(f"{name}: {value}" for name, value in heads),
        "\\\n".join(f"**{name}:** {markdown.escape(value)}" for name, value in heads),
    )
    for body, is_html in letter.bodies:
        if is_html:
            read_html(body, "utf-8", limits, notes).write(composer)
        else:
            composer.paragraph(body.strip("\r\n"))
    pages, marked = composer.finish()
    return Extracted(
        page_count=1,
        pages=pages,
        unit="part",
        markdown=marked,
        metadata=Metadata(
            title=tidy(letter.subject) or None,
            author=tidy(letter.sender) or None,
            keywords=letter.keywords,
            creator=letter.creator,
            created_at=letter.sent_at,
            encrypted=letter.encrypted,
        ),
        attachments=letter.attachments,
        warnings=notes.warnings,
        partial=notes.partial,
    )
