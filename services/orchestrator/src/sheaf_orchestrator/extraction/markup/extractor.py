"""Markdown in, one part out: text and Markdown are what the author wrote."""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Link, Metadata, OutlineEntry, Page
from sheaf_orchestrator.extraction.text.decoding import Content, decode

_FRONT: Final = re.compile(r"---[ \t]*\n(.{0,65536}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_PAIR: Final = re.compile(r"([A-Za-z][\w-]{0,63})[ \t]*:[ \t]+(\S.*)")
_FENCE: Final = re.compile(r" {0,3}(```+|~~~+)")
_HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*)")
_CLOSING: Final = re.compile(r"[ \t]+#+[ \t]*$")
_UNDERLINE: Final = re.compile(r" {0,3}(?:(=+)|-+)[ \t]*")
_LINK: Final = re.compile(
    r"\[([^\[\]\n]{1,1000})\]\(<?((?:https?|mailto|ftp):[^\s()<>]{1,4096})|<(https?:[^\s<>]{1,4096})>"
)
_KNOWN: Final = {"title": "title", "author": "author", "description": "subject",
                 "subject": "subject", "keywords": "keywords", "tags": "keywords",
                 "lang": "language", "language": "language", "date": "created_at"}  # fmt: skip
_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?")
_MAX_VALUE: Final = 4_096
_MAX_TITLE: Final = 1_000


def extract(content: Content, options: Options, limits: Limits) -> Extracted:
    """The source as text and as Markdown.

    Raises ExtractionError: EMPTY, UNSUPPORTED_FORMAT (the content is binary).
    """
    del options  # Markdown has neither pages to draw nor passwords
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    decoded = decode(content)
    if decoded is None:
        raise ExtractionError(Reason.UNSUPPORTED_FORMAT, "The file is binary, not Markdown.")
    notes = Notes(limits.warnings)
    if decoded.replaced:
        message = f"{decoded.replaced} characters could not be read as {decoded.encoding}."
        notes.warn("UNDECODABLE_BYTES", message)
    text = decoded.text
    if len(text) > limits.characters:
        text = text[: limits.characters]
        notes.cut(Reason.OUTPUT_LIMIT, f"Only {limits.characters} characters were kept.")
    text = clean_text(text)
    if not text.strip():
        notes.warn("NO_TEXT", "The text holds nothing but white space.")
    front = _FRONT.match(text)
    start = front.end() if front else 0
    outline = _headings(text[start:], limits.outline_entries)
    said = _front_matter(front[1]) if front else {}
    if "title" not in said and outline and outline[0].level == 0:
        said["title"] = outline[0].title
    return Extracted(
        page_count=1,
        pages=[
            Page(
                number=1, width=None, height=None, rotation=0, text=text, characters=len(text),
                links=_links(text, limits.links),
            )
        ],
        unit="part",
        markdown=[text],
        metadata=msgspec.structs.replace(Metadata(encoding=decoded.encoding), **said),
        outline=outline,
        warnings=notes.warnings,
        partial=notes.partial,
    )  # fmt: skip


def _front_matter(block: str) -> dict[str, str]:
    """The simple pairs of a YAML front matter that results have a place for."""
    said: dict[str, str] = {}
    for line in block.split("\n"):
        pair = _PAIR.match(line)
        field = pair and _KNOWN.get(pair[1].lower())
        if not pair or not field or field in said:
            continue
        value = pair[2].strip().strip("\"'[]").strip()[:_MAX_VALUE]
        if field == "created_at":
            date = _ISO_DATE.match(value)
            value = date[0].replace(" ", "T") if date else ""
        if value:
            said[field] = value
    return said


def _headings(text: str, most: int) -> list[OutlineEntry]:
    """Headings in both of Markdown's styles, outside of fenced code."""
    entries: list[OutlineEntry] = []
    fence = before = ""
    for line in _lines(text):
        if len(entries) >= most:
            break
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
            continue
        if mark:
            fence, before = mark[1], ""
            continue
        level, title = -1, ""
        if (heading := _HEADING.match(line)) is not None:
            level, title = len(heading[1]) - 1, _CLOSING.sub("", heading[2])
        elif before and (under := _UNDERLINE.fullmatch(line)) is not None:
            level, title = (0 if under[1] else 1), before
        if title.strip():
            entries.append(OutlineEntry(title=title.strip()[:_MAX_TITLE], level=level, page=1))
        is_text = level < 0 and not line.startswith(("    ", "\t", "|", ">", "- ", "* "))
        before = line.strip() if is_text else ""
    return entries


def _lines(text: str) -> Iterator[str]:
    """One after the other: millions at once would take many times the memory of the text."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _links(text: str, most: int) -> list[Link]:
    found: list[Link] = []
    for match in _LINK.finditer(text):
        if len(found) >= most:
            break
        found.append(Link(url=match[2] or match[3], text=match[1]))
    return found
