"""Pages put together from blocks."""

from sheaf_orchestrator.extraction import Limits, markdown
from sheaf_orchestrator.extraction.composing import Composer
from sheaf_orchestrator.extraction.notes import Notes


def composer(limits: Limits | None = None) -> tuple[Composer, Notes]:
    """A composer and its notes, under these limits."""
    notes = Notes(10)
    return Composer(limits or Limits(), notes), notes


def test_text_markdown_and_tables_come_from_the_same_blocks() -> None:
    """A heading, a paragraph, a list and a table, as text and as Markdown."""
    pages_of, _ = composer()
    pages_of.begin("One")
    pages_of.heading(2, "Totals")
    pages_of.paragraph("2 * 3 = 6")
    pages_of.item("first")
    pages_of.item("second", depth=1)
    pages_of.table([["a", "b"], ["1", "x|y"]], header_rows=1)
    pages, marked = pages_of.finish()
    assert [(page.number, page.name) for page in pages] == [(1, "One")]
    assert pages[0].text == "Totals\n2 * 3 = 6\nfirst\nsecond\na\tb\n1\tx|y"
    assert markdown.join(marked).split("\n\n") == [
        "## Totals",
        "2 \\* 3 = 6",
        "- first\n    - second",
        "| a | b |\n| --- | --- |\n| 1 | x\\|y |",
    ]
    assert pages[0].tables[0].rows == [["a", "b"], ["1", "x|y"]]


def test_a_list_may_begin_anywhere() -> None:
    """An item numbered 3 opens a list of its own, also after a paragraph and on a new page."""
    pages_of, _ = composer()
    pages_of.begin()
    pages_of.item("first here", number=3)
    pages_of.paragraph("between")
    pages_of.item("second here", number=4)
    _, marked = pages_of.finish()
    assert marked == ["3. first here\n\nbetween\n\n4. second here"]


def test_characters_are_bounded_over_all_pages() -> None:
    """What is over the limit is left out, noted once."""
    pages_of, notes = composer(Limits(characters=10))
    for _ in range(3):
        pages_of.begin()
        pages_of.paragraph("12345678")
    pages, _ = pages_of.finish()
    assert [page.text for page in pages] == ["12345678", "1", ""]
    assert pages_of.full
    assert notes.partial
    assert [warning.code for warning in notes.warnings] == ["OUTPUT_LIMIT"]


def test_cells_are_bounded() -> None:
    """A table is cut after the row that still fits."""
    pages_of, notes = composer(Limits(table_cells=5))
    pages_of.begin()
    pages_of.table([["a", "b"]] * 4)
    pages, _ = pages_of.finish()
    assert len(pages[0].tables[0].rows) == 2
    assert notes.partial


def test_a_ragged_table_is_padded() -> None:
    """Every row has as many cells."""
    pages_of, _ = composer()
    pages_of.begin()
    pages_of.table([["a"], ["1", "2"]])
    assert pages_of.finish()[0][0].tables[0].rows == [["a", ""], ["1", "2"]]


def test_marks_in_text_are_escaped() -> None:
    """What looks like Markdown in a document is shown as it is."""
    assert markdown.escape("# no\n- no\n1. no\n*x* <b>") == (
        "\\# no\n\\- no\n1\\. no\n\\*x\\* \\<b>"
    )


def test_numbered_items_stay_one_list() -> None:
    """The second number does not begin a list of its own."""
    pages_of, _ = composer()
    pages_of.begin()
    pages_of.item("a", number=1)
    pages_of.item("b", number=2)
    assert pages_of.finish()[1] == ["1. a\n2. b"]
