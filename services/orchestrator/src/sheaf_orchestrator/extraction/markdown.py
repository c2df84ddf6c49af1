"""Markdown as results hold it: CommonMark with tables (GFM), text escaped."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

_INLINE: Final = re.compile(r"([\\`*_\[\]<])")
_LINE_START: Final = re.compile(
    r"^([^\S\n]{0,3})(#{1,6}(?=\s|$)|[-+](?=\s|$)|>|~~~|={2,}[^\S\n]*$|-{2,}[^\S\n]*$)",
    re.MULTILINE,
)
_NUMBERED: Final = re.compile(r"^([^\S\n]{0,3}\d{1,9})([.)])(?=\s|$)", re.MULTILINE)
_MARKED: Final = re.compile(r"[\\`*_\[\]<|\n]")
_BREAKS: Final = re.compile(r"\s*\n\s*")
_MAX_LEVEL: Final = 6


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is, line by line."""
    text = _INLINE.sub(r"\\\1", text)
    text = _LINE_START.sub(r"\1\\\2", text)
    return _NUMBERED.sub(r"\1\\\2", text)


def heading(level: int, text: str) -> str:
    """A heading of ``level`` from 1; deeper than 6 is 6. Empty for empty text."""
    line = _INLINE.sub(r"\\\1", _BREAKS.sub(" ", text).strip())
    return f"{'#' * max(1, min(level, _MAX_LEVEL))} {line}" if line else ""


def item(text: str, *, depth: int = 0, number: int | None = None) -> str:
    """A list item at ``depth`` from 0, numbered or with a dash."""
    mark = "-" if number is None else f"{number}."
    return f"{'    ' * depth}{mark} {escape(_BREAKS.sub(' ', text).strip())}"


def link(text: str, url: str) -> str:
    """A link; only its text when the address is of no use to a reader."""
    if not url or any(sign in url for sign in " \n<>"):
        return escape(text)
    target = url.replace("(", "%28").replace(")", "%29")
    label = _INLINE.sub(r"\\\1", _BREAKS.sub(" ", text))
    return f"[{label}]({target})"


def table(rows: Sequence[Sequence[str]], header_rows: int = 1) -> str:
    """A table. Markdown has one heading row: the first, or an empty one when there is none."""
    if not rows:
        return ""
    width = max(len(row) for row in rows)
    heads, body = (rows[0], rows[1:]) if header_rows else ([""] * width, rows)
    lines = [_row(heads, width), "|" + " --- |" * width]
    lines += [_row(row, width) for row in body]
    return "\n".join(lines)


def _row(cells: Sequence[str], width: int) -> str:
    padded = [*cells, *[""] * (width - len(cells))]
    return "| " + " | ".join(_cell(cell) for cell in padded) + " |"


def _cell(text: str) -> str:
    if not _MARKED.search(text):
        return text.strip()  # most cells
    flat = _INLINE.sub(r"\\\1", text.strip()).replace("|", "\\|")
    return _BREAKS.sub("<br>", flat)


def join(blocks: Iterable[str]) -> str:
    """Blocks one after the other with a blank line between, empty ones left out."""
    return "\n\n".join(block for block in blocks if block)


def join_pages(parts: Sequence[str]) -> tuple[str, list[int]]:
    """The Markdown of pages as that of the whole, and where each page's begins in it."""
    whole: list[str] = []
    starts: list[int] = []
    length = 0
    for part in parts:
        gap = "\n\n" if part and length else ""
        starts.append(length + len(gap))
        whole += [gap, part]
        length += len(gap) + len(part)
    return "".join(whole), starts


def split_pages(whole: str, starts: Sequence[int]) -> list[str]:
    """What ``join_pages`` joined."""
    ends = [*starts[1:], len(whole)] if starts else []
    return [whole[start:end].removesuffix("\n\n") for start, end in zip(starts, ends, strict=True)]
