"""What the PDF extractor promises of tables, Markdown, links and notes."""

from reportlab.pdfgen.canvas import Canvas
from unit.orchestrator.extraction import layouts, pdfs

from sheaf_orchestrator.extraction import Limits, Options, pdf
from sheaf_orchestrator.extraction.result import Annotation, Extracted, Link

ROWS = [
    ["Item", "Pieces", "Price"],
    ["Bolts", "12", "3.50"],
    ["Steel nuts", "7", "1,204.00"],
    ["Washers", "", "0.20"],
    ["Rivets", "90", "9.99"],
]


def extract(content: bytes, limits: Limits | None = None) -> Extracted:
    """What is in the document."""
    return pdf.extract(content, Options(), limits or Limits())


def with_table() -> bytes:
    """A heading, a table with an empty cell, and a paragraph."""
    cells = [
        (60 + 150 * column, 700 - 16 * row, text)
        for row, texts in enumerate(ROWS)
        for column, text in enumerate(texts)
        if text
    ]
    return layouts.spots([(60, 740, "Prices"), *cells, (60, 600, "All of them without tax.")])


def report(canvas: Canvas) -> None:
    """A title, a heading, a paragraph of two lines, and a list."""
    canvas.setFont("Helvetica-Bold", 24)
    canvas.drawString(50, 740, "Annual report")
    canvas.setFont("Helvetica", 14)
    canvas.drawString(50, 700, "What we did")
    canvas.setFont("Helvetica", 10)
    for row, line in enumerate(["We wrote a * program that reads", "what others have written."]):
        canvas.drawString(50, 680 - 12 * row, line)
    for row, line in enumerate(["\u2022 fast", "\u2022 safe, and so that", "1. one", "2. two"]):
        canvas.drawString(50, 640 - 12 * row, line)


def test_a_table_has_rows_and_cells() -> None:
    """Columns are told by where things stand; an empty cell is empty; the box is around all."""
    (table,) = extract(with_table()).pages[0].tables
    assert table.rows == ROWS
    assert table.header_rows == 1
    assert table.box is not None
    left, top, right, bottom = table.box
    assert (round(left), round(right)) == (60, 399)
    assert 85 < top < 100
    assert 160 < bottom < 170


def test_a_table_is_one_in_markdown() -> None:
    """It stands between what is above and below it."""
    assert extract(with_table()).markdown[0].split("\n\n") == [
        "Prices",
        (
            "| Item | Pieces | Price |\n| --- | --- | --- |\n| Bolts | 12 | 3.50 |\n"
            "| Steel nuts | 7 | 1,204.00 |\n| Washers |  | 0.20 |\n| Rivets | 90 | 9.99 |"
        ),
        "All of them without tax.",
    ]


def test_columns_of_prose_are_no_table() -> None:
    """Neither columns of prose nor labels before values are tables."""
    assert extract(layouts.two_columns(by_rows=True)).pages[0].tables == []
    labels = [("Name", "Ada"), ("Born in", "London"), ("Job", "Analyst"), ("Likes", "Engines")]
    content = layouts.spots(
        [
            spot
            for row, (label, value) in enumerate(labels)
            for spot in ((50, 700 - 14 * row, label), (200, 700 - 14 * row, value))
        ]
    )
    assert extract(content).pages[0].tables == []


def test_cells_are_bounded() -> None:
    """A table over the limit is left out, and the result says so."""
    extracted = extract(with_table(), Limits(table_cells=10))
    assert extracted.pages[0].tables == []
    assert [warning.code for warning in extracted.warnings] == ["OUTPUT_LIMIT"]


def test_markdown_has_headings_and_lists() -> None:
    """Larger text is a heading, bullets and numbers make lists, the rest is escaped."""
    assert extract(layouts.drawn(report)).markdown[0].split("\n\n") == [
        "# Annual report",
        "## What we did",
        "We wrote a \\* program that reads\nwhat others have written.",
        "- fast\n- safe, and so that\n1. one\n2. two",
    ]


def test_lists_lie_in_one_another() -> None:
    """An item further in lies in the one above it; the next one further out does not."""
    items = [(50, "\u2022 one"), (70, "\u2022 inner"), (50, "\u2022 two"), (70, "goes on")]
    content = layouts.spots((left, 700 - 12 * row, text) for row, (left, text) in enumerate(items))
    assert extract(content).markdown == ["- one\n    - inner\n- two goes on"]


def test_lines_of_the_outline_are_headings() -> None:
    """A line that the outline names is a heading of the level that it has there."""
    markdown = extract(pdfs.with_outline()).markdown
    assert [page.split("\n\n")[0] for page in markdown] == ["# One", "# Two"]


def test_links_lead_somewhere() -> None:
    """A link has its address or page, the words it stands on, and its place."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(50, 700, "See the manual for more.")
        canvas.linkURL("https://example.org/?a=1", (85, 698, 122, 710))
        canvas.bookmarkPage("here")
        canvas.linkRect("", "here", (50, 698, 66, 710))

    assert extract(layouts.drawn(draw)).pages[0].links == [
        Link(url="https://example.org/?a=1", text="manual", box=(85, 90, 122, 102)),
        Link(page=1, text="See", box=(50, 90, 66, 102)),
    ]


def test_notes_are_kept_apart() -> None:
    """Comments have their text and author; a highlight without words has those it marks."""
    content = pdfs.one_page(
        b"BT /F 10 Tf 20 700 Td (a marked word) Tj ET",
        page=b"/Annots [20 0 R 21 0 R]",
        more={
            20: b"<</Type /Annot /Subtype /Text /Rect [0 0 9 9]"
            b" /Contents (Is this right?) /T (Eve)>>",
            21: b"<</Type /Annot /Subtype /Highlight /Rect [27 698 62 710]"
            b" /QuadPoints [27 710 62 710 27 698 62 698]>>",
        },
    )
    page = extract(content).pages[0]
    assert page.text == "a marked word"
    assert page.annotations == [
        Annotation(kind="comment", text="Is this right?", author="Eve", box=(0, 791, 9, 800)),
        Annotation(kind="highlight", text="marked", box=(27, 90, 62, 102)),
    ]
