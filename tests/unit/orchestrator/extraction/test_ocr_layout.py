"""What the order of recognised lines promises."""

from sheaf_orchestrator.extraction.ocr.engine import Line
from sheaf_orchestrator.extraction.ocr.layout import markdown_of, rows_in_order, text_of


def line(text: str, left: float, top: float, width: float = 300, height: float = 20) -> Line:
    """A line of text."""
    return Line(text, (left, top, left + width, top + height), 0.9)


def text(*lines: Line) -> str:
    """The lines in order, whatever order they come in."""
    return text_of(rows_in_order(lines[::-1]))


def test_pieces_of_a_row_are_read_across() -> None:
    """A form is read line by line, though its pieces are not quite level."""
    assert (
        text(
            line("Wages", 0, 0, 80),
            line("1,000.00", 400, 4, 90),
            line("Tax", 0, 30, 50),
            line("200.00", 400, 27, 70),
        )
        == "Wages 1,000.00\nTax 200.00"
    )


def test_columns_are_read_one_after_the_other() -> None:
    """Under a title that spans them, and above a note that does."""
    left = [line(f"left {number}", 0, 60 + 25 * number) for number in range(5)]
    right = [line(f"right {number}", 340, 62 + 25 * number) for number in range(5)]
    title, note = line("title", 100, 0, 400), line("note", 0, 220, 640)
    assert text(title, *left, *right, note).split("\n") == [
        "title",
        *(f"left {number}" for number in range(5)),
        *(f"right {number}" for number in range(5)),
        "note",
    ]


def test_three_columns_are_columns() -> None:
    """A gutter on each side of the middle one."""
    columns = [
        [line(f"{name}{number}", 340 * at, 25 * number) for number in range(5)]
        for at, name in enumerate("abc")
    ]
    assert text(*columns[0], *columns[1], *columns[2]).split("\n") == [
        f"{name}{number}" for name in "abc" for number in range(5)
    ]


def test_markdown_has_headings_and_paragraphs() -> None:
    """Large letters are a heading; a gap parts paragraphs; what is special is escaped."""
    rows = rows_in_order(
        [
            line("A title", 0, 0, height=40),
            line("one", 0, 60),
            line("two *", 0, 85),
            line("three", 0, 150),
        ]
    )
    assert markdown_of(rows) == "## A title\n\none\ntwo \\*\n\nthree"


def test_nothing_is_nothing() -> None:
    """A blank page has no text and no Markdown."""
    assert (text(), markdown_of([])) == ("", "")
