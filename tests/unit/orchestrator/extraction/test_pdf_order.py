"""What the PDF extractor promises of places: the order of reading, and boxes of words."""

import pytest
from unit.orchestrator.extraction import layouts, pdfs

from sheaf_orchestrator.extraction import Limits, Options, pdf
from sheaf_orchestrator.extraction.result import Page


def page_of(content: bytes, *, words: bool = False) -> Page:
    """The first page of the document."""
    return pdf.extract(content, Options(words=words), Limits()).pages[0]


@pytest.mark.parametrize("by_rows", [True, False])
def test_columns_are_read_one_after_the_other(*, by_rows: bool) -> None:
    """However two columns of prose were drawn, the left one is read first."""
    left, right = layouts.columns()
    lines = page_of(layouts.two_columns(by_rows=by_rows)).text.split("\n")
    assert lines[1:] == left + right


def test_what_was_drawn_in_disorder_is_read_from_top_to_bottom() -> None:
    """A footer that was drawn first comes last, and a row is read from left to right."""
    content = layouts.spots(
        [(50, 40, "footer"), (50, 600, "last line"), (200, 700, "right"), (50, 700, "left")]
    )
    assert page_of(content).text == "left right\nlast line\nfooter"


def test_labels_and_values_stay_together() -> None:
    """Short texts beside one another are rows, not columns of prose."""
    rows = [("Name", "Ada"), ("Born", "1815"), ("Town", "London"), ("Job", "Analyst")]
    content = layouts.spots(
        [(50, 700 - 20 * row, label) for row, (label, _) in enumerate(rows)]
        + [(200, 700 - 20 * row, value) for row, (_, value) in enumerate(rows)]
        + [(50, 760, "drawn last, stands first")]
    )
    assert page_of(content).text.split("\n")[1:] == [" ".join(row) for row in rows]


def test_cells_of_a_wide_table_are_no_columns_of_prose() -> None:
    """Rows stay rows, though several cells beside a gap hold as many letters as a line."""
    rows = [[f"06:00 to {row}:00", *(f"Name{row}{day}" for day in range(7))] for row in range(6)]
    cells = [
        (40.0 + 110 * (cell > 0) + 62 * max(cell - 1, 0), 700.0 - 20 * number, text)
        for number, row in enumerate(rows)
        for cell, text in enumerate(row)
    ]
    lines = page_of(layouts.spots([(40, 30, "the footer, drawn first"), *cells])).text.split("\n")
    assert lines[:6] == [" ".join(row) for row in rows]


def test_words_have_boxes_when_asked_for() -> None:
    """A word's box is as wide as its letters and as high as its font, from the top left."""
    content = layouts.spots([(100, 700, "Hello there")], size=20)
    assert page_of(content).words is None
    words = page_of(content, words=True).words
    assert words is not None
    assert [word.text for word in words] == ["Hello", "there"]
    left, top, right, bottom = words[0].box
    assert left == pytest.approx(100, abs=0.5)
    assert right == pytest.approx(145.6, abs=0.5)
    assert top < 100 < bottom
    assert bottom - top == pytest.approx(20, abs=4)


@pytest.mark.parametrize(
    ("turn", "box"),
    [(0, (72, 100)), (90, (700, 72)), (180, (128, 700)), (270, (100, 128))],
)
def test_boxes_are_as_displayed(turn: int, box: tuple[float, float]) -> None:
    """On a turned page a box stands where the word is seen (left and baseline given)."""
    page = page_of(pdfs.one_page(page=b"/Rotate %d" % turn), words=True)
    assert page.words is not None
    left, top, right, bottom = page.words[0].box
    x, y = box
    assert left - 12 <= x <= right + 12
    assert top - 12 <= y <= bottom + 12
    assert page.width is not None
    assert page.height is not None
    assert 0 <= left < right <= page.width
    assert 0 <= top < bottom <= page.height


def test_boxes_are_counted_from_the_crop() -> None:
    """What is cropped away does not count."""
    page = page_of(pdfs.one_page(page=b"/CropBox [50 600 200 750]"), words=True)
    assert (page.width, page.height) == (150, 150)
    assert page.words is not None
    assert page.words[0].box[0] == pytest.approx(22, abs=0.5)
    assert page.words[0].box[3] == pytest.approx(52, abs=4)


def test_words_are_bounded() -> None:
    """Over the limit no more words are kept, and the result says so."""
    content = layouts.spots([(50, 700, "one two three")])
    extracted = pdf.extract(content, Options(words=True), Limits(words=2))
    assert [word.text for word in extracted.pages[0].words or ()] == ["one", "two"]
    assert [warning.code for warning in extracted.warnings] == ["OUTPUT_LIMIT"]
    assert extracted.partial
