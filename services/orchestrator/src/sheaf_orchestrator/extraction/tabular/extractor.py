"""A table of text in, one sheet out."""

import csv
import io
import re
import time
from collections.abc import Iterator
from typing import Final

from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Metadata
from sheaf_orchestrator.extraction.tabular.dialects import delimiter_of
from sheaf_orchestrator.extraction.text.decoding import Content, decode

_SAMPLE_CHARACTERS: Final = 64 * 1024
_MAX_FIELD_CHARACTERS: Final = 1024 * 1024
_MAX_COLUMNS: Final = 16_384
"""As many as a sheet of Excel has."""
_LOOK_EVERY: Final = 1_024
_VALUE: Final = re.compile(r"[\s$€£¥%()+-]*\d[\d.,:/\s%-]*(?:[eE][+-]?\d+)?\)?")
_HINT: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
"""How Excel is told the delimiter."""


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """The rows as one table of one sheet; the first is its heading when it looks like one.

    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT (the content is binary).
    """
    del options  # a table of text has neither pages to draw nor passwords
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    decoded = decode(content)
    if decoded is None:
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, "The file is binary, not a table.")
    notes = Notes(limits.warnings)
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be read as {decoded.encoding}."
        notes.warn("UNDECODABLE_BYTES", message)
    rows = _read_rows(decoded.text, limits, notes)
    composer = Composer(limits, notes)
    composer.begin()
    composer.table(rows, header_rows=int(_has_heading(rows)))
    pages, markdown = composer.finish()
    if not rows:
        notes.warn("NO_TEXT", "The table has no cell with text.")
    return Extracted(
        page_count=1,
        pages=pages,
        unit="sheet",
        markdown=markdown,
        metadata=Metadata(encoding=decoded.encoding),
        warnings=notes.warnings,
        partial=notes.partial,
    )


def _read_rows(text: str, limits: Limits, notes: Notes) -> list[list[str]]:
    """The rows up to the limits, empty ones left out; what is over them is noted."""
    hint = _HINT.match(text)
    start = hint.end() if hint else 0
    delimiter = hint[1] if hint else delimiter_of(text[:_SAMPLE_CHARACTERS])
    csv.field_size_limit(_MAX_FIELD_CHARACTERS)
    # NUL ends the reader, and a lone CR within a line confuses it.
    source = io.StringIO(text[start:].replace("\0", ""), newline=None)
    rows: list[list[str]] = []
    deadline = time.monotonic() + limits.soft_s
    cells = 0
    widest = 0
    for number, row in enumerate(_rows(source, delimiter, notes)):
        if not any(not cell.isspace() for cell in row if cell):
            continue
        widest = max(widest, len(row))
        cells = widest * (len(rows) + 1)
        if cells > limits.table_cells or len(row) > _MAX_COLUMNS:
            notes.cut(
                Reason.OUTPUT_LIMIT,
                f"Only {len(rows)} rows were kept: at most {limits.table_cells} cells and "
                f"{_MAX_COLUMNS} columns are.",
            )
            break
        if number % _LOOK_EVERY == 0 and time.monotonic() > deadline:
            notes.cut(Reason.TIME_LIMIT, f"Only the first {len(rows)} rows were read.")
            break
        rows.append(row)
    return rows


def _rows(source: io.StringIO, delimiter: str, notes: Notes) -> Iterator[list[str]]:
    """The reader's rows, until one that it cannot read."""
    try:
        yield from csv.reader(source, delimiter=delimiter, skipinitialspace=True)
    except csv.Error:
        notes.cut(
            Reason.OUTPUT_LIMIT,
            f"A field has over {_MAX_FIELD_CHARACTERS} characters; what follows was left out.",
        )


def _has_heading(rows: list[list[str]]) -> bool:
    """Whether the first row names what stands below: all words, all different, over values."""
    if len(rows) < 2:  # noqa: PLR2004 # a heading needs something below it
        return False
    names = [cell.strip() for cell in rows[0]]
    if not all(names) or len(set(names)) < len(names) or any(map(_VALUE.fullmatch, names)):
        return False
    return len(names) > 1 and len(names) >= len(rows[1])
