"""One page: its text in reading order, with all that stands on it."""

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from sheaf_orchestrator.extraction.pdf.geometry import View, view
from sheaf_orchestrator.extraction.pdf.lines import (
    Piece,
    Placed,
    make_pieces,
    place_letters,
    place_words,
)
from sheaf_orchestrator.extraction.pdf.ordering import Row, arrange, is_scattered
from sheaf_orchestrator.extraction.pdf.pagetext import drawn_rows
from sheaf_orchestrator.extraction.pdf.pdfium import (
    TEXTLESS,
    OpenPage,
    RawAnnotation,
    RawLink,
    TextLayer,
)
from sheaf_orchestrator.extraction.pdf.values import Slot, insert_values, keep_together, part_values

if TYPE_CHECKING:
    from sheaf_orchestrator.extraction.pdf.forms import Form, Widget

_MAX_ANNOTATIONS = 5_000
_TYPED = frozenset({"text", "choice"})
_MAX_CHARACTERS = 1_000_000
"""Of a page with more (no person reads it), text stays in the order of drawing, without places."""
_SAMPLES = 100


class Reading(NamedTuple):
    """What was read of a page."""

    view: View
    text: str
    """What the words of the rows refer to: the page's text as it was drawn."""
    rows: list[Row]
    """The lines as they are read; empty if there are too many."""
    annotations: list[RawAnnotation]
    links: list[RawLink]
    unmapped: float
    """Share of the letters for which the file does not say what they are."""


def read(page: OpenPage, index: int, form: "Form | None", max_characters: int) -> Reading:
    """Page ``index`` of the document. Raises PdfiumError."""
    shape = view(page)
    annotations: list[RawAnnotation] = []
    links: list[RawLink] = []
    slots: list[Slot] = []
    if page.annotation_count:
        widgets = form.widgets(index) if form else []
        if not widgets or None in widgets:
            annotations = page.annotations(_MAX_ANNOTATIONS)
        if any(each.kind == "link" for each in annotations):
            links = page.links(_MAX_ANNOTATIONS)
        draws, slots = _slots(annotations, widgets, shape)
        if draws:
            page.flatten()
    with page.layer() as layer:
        text = layer.text(max_characters)
        if len(text) > _MAX_CHARACTERS:
            return Reading(shape, text, [], annotations, links, 0.0)
        words = place_words(layer, text, shape)
        unmapped = _unmapped(layer, words)
        values: list[list[Piece]] = []
        if slots:
            letters = partial(place_letters, layer, shape)
            text, words, values = part_values(text, words, slots, letters)
    pieces = make_pieces(text, words)
    rows = drawn_rows(text, pieces)
    firsts = [lines[0] for lines in values]
    if is_scattered(pieces, rows):
        rows = arrange([*pieces, *firsts])
    elif firsts:
        rows = insert_values(text, rows, firsts)
    rows = keep_together(rows, values)
    return Reading(shape, text, rows, annotations, links, unmapped)


def _slots(
    annotations: list[RawAnnotation], widgets: "list[Widget | None]", shape: View
) -> tuple[bool, list[Slot]]:
    """Where annotations show something, in drawing order, and whether anything is to be drawn.

    A form nobody filled in is left as it is: drawing it would cost a third more.
    """
    if annotations and len(annotations) != len(widgets):
        widgets = []  # the two readers disagree: only the drawing is believed
    slots: list[Slot] = []
    draws = False
    for number, widget in enumerate(widgets or [None] * len(annotations)):
        if widget is not None and widget.shows:
            draws = draws or widget.has_drawing
            typed = widget.kind in _TYPED and not widget.hidden
            value = widget.value if typed else None
            slots.append(Slot(shape.box(widget.rect), value, widget.is_up_to_date))
        elif widget is None and annotations[number].kind not in TEXTLESS:
            draws = True
            slots.append(Slot(shape.box(annotations[number].rect)))
    return draws, slots


def _unmapped(layer: TextLayer, words: list[Placed]) -> float:
    """The share among at most 100 words, by the first letter of each."""
    if not words:
        return 0.0
    sample = [word.start for word in words[:: len(words) // _SAMPLES + 1]]
    return layer.unmapped(sample) / len(sample)
