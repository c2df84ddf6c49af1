"""The filled values of a PDF's form, as its fields hold them, and whether a text has them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pikepdf

from sheaf_dev.quality.scoring import squeezed, tokens

_MOST_PAGES: Final = 500
_MOST_VALUES: Final = 20_000
_DEEPEST: Final = 32
_UNSEEN: Final = 0b10_0010
"""Flags of a widget that is hidden, or not shown on a screen."""
_PASSWORD: Final = 1 << 13
_SHOWN_KINDS: Final = frozenset({"/Tx", "/Ch"})
_SURE_CHARACTERS: Final = 4
"""A value as long as this is found in a text without spaces by more than chance."""


@dataclass(frozen=True, slots=True)
class FilledValue:
    """What stands in one field."""

    field: str
    value: str


def filled_values(path: Path) -> list[FilledValue]:
    """The values of text and choice fields that are shown on a page, one for each field.

    None of a file that qpdf cannot open: that one says nothing about forms. Blocks.
    """
    try:
        with pikepdf.open(path) as pdf:
            return list(_values(pdf).values())
    except (pikepdf.PdfError, RuntimeError, ValueError, TypeError, RecursionError):
        return []


def is_found(value: str, words: Counter[str], text: str) -> bool:
    """Whether a text has the value: all its words, or all its characters in a row.

    `words` are those of the text and `text` is it squeezed. The second is for fields that set
    each character apart.
    """
    wanted = Counter(tokens(value))
    if wanted and wanted <= words:
        return True
    packed = squeezed(value)
    return len(packed) >= _SURE_CHARACTERS and packed in text


def _values(pdf: pikepdf.Pdf) -> dict[tuple[int, int], FilledValue]:
    found: dict[tuple[int, int], FilledValue] = {}
    for page in list(pdf.pages)[:_MOST_PAGES]:
        annotations = page.obj.get("/Annots", None)
        if not isinstance(annotations, pikepdf.Array):
            continue
        for annotation in annotations:
            if len(found) >= _MOST_VALUES:
                return found
            if isinstance(annotation, pikepdf.Dictionary):
                _add(annotation, found)
    return found


def _add(widget: Any, found: dict[tuple[int, int], FilledValue]) -> None:
    if widget.get("/Subtype") != "/Widget" or int(widget.get("/F", 0)) & _UNSEEN:
        return
    kind, _ = _inherited(widget, "/FT")
    flags, _ = _inherited(widget, "/Ff")
    if str(kind) not in _SHOWN_KINDS or int(flags or 0) & _PASSWORD:
        return
    value, holder = _inherited(widget, "/V")
    text = str(value) if isinstance(value, pikepdf.String) else ""
    if tokens(text):
        name, _ = _inherited(widget, "/T")
        key = holder.objgen if holder.is_indirect else (-len(found), 0)
        found.setdefault(key, FilledValue(str(name or ""), text))


def _inherited(field: Any, key: str) -> tuple[Any, Any]:
    """What a field or one above it says, and which one does."""
    holder = field
    for _ in range(_DEEPEST):
        if key in holder:
            return holder[key], holder
        above = holder.get("/Parent")
        if not isinstance(above, pikepdf.Dictionary):
            break
        holder = above
    return None, field
