"""HTML in, one page out."""

import time
from typing import NamedTuple

from resiliparse.parse.html import HTMLTree

from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.html.blocks import Heading, Seen
from sheaf_orchestrator.extraction.html.encoding import decode_html
from sheaf_orchestrator.extraction.html.guarding import MAX_BYTES, guarded
from sheaf_orchestrator.extraction.html.metadata import read_head
from sheaf_orchestrator.extraction.html.walking import Walk
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Metadata, OutlineEntry

Content = bytes | bytearray


class Read(NamedTuple):
    """A page of HTML, read but not yet composed."""

    metadata: Metadata
    seen: Seen

    def write(self, composer: Composer) -> None:
        """Give all of it to the page that is open."""
        for block in self.seen.blocks:
            block.write(composer)
            if composer.full:
                break
        for url, text in self.seen.links:
            composer.link(url, text or None)


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """What a reader of the page sees, as one part; of a frame what the page itself holds.

    Left out are scripts, styles, hidden elements, comments and what only other files show.
    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT (the content is binary).
    """
    del options  # HTML has neither pages to draw nor passwords
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    notes = Notes(limits.warnings)
    if len(content) > MAX_BYTES:
        content = content[:MAX_BYTES]
        notes.cut(Reason.OUTPUT_LIMIT, f"Only the first {MAX_BYTES} bytes were read.")
    decoded = decode_html(content)
    if decoded is None:
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, "The file is binary, not HTML.")
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be read as {decoded.encoding}."
        notes.warn("UNDECODABLE_BYTES", message)
    read = read_html(decoded.text, decoded.encoding, limits, notes)
    composer = Composer(limits, notes)
    composer.begin(read.metadata.title)
    read.write(composer)
    pages, markdown = composer.finish()
    if not pages[0].text.strip():
        notes.warn("NO_TEXT", "The page shows no text of its own.")
    headings = [block for block in read.seen.blocks if isinstance(block, Heading)]
    return Extracted(
        page_count=1,
        pages=pages,
        unit="part",
        markdown=markdown,
        metadata=read.metadata,
        outline=[
            OutlineEntry(title=each.text[:1_000], level=each.level - 1, page=1)
            for each in headings[: limits.outline_entries]
        ],
        warnings=notes.warnings,
        partial=notes.partial,
    )


def read_html(text: str, encoding: str, limits: Limits, notes: Notes) -> Read:
    """The blocks and metadata of a text of HTML; what had to be left out is noted."""
    text, trouble = guarded(text[:MAX_BYTES])
    if trouble:
        notes.cut(Reason.OUTPUT_LIMIT, trouble)
    tree = HTMLTree.parse(text)
    metadata, base = read_head(tree, encoding)
    seen = Seen()
    if tree.body is not None:
        seen = Walk(limits, time.monotonic() + limits.soft_s, base).run(tree.body)
    if seen.late:
        notes.cut(Reason.TIME_LIMIT, f"Only what could be read in {limits.soft_s:g} s was kept.")
    if seen.cut:
        notes.cut(Reason.OUTPUT_LIMIT, f"Only {limits.table_cells} cells of tables were kept.")
    return Read(metadata, seen)
