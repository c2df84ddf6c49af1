"""What is read of tables of text."""

import pytest

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason, Table, tabular
from sheaf_orchestrator.extraction.result import Extracted


def extract(content: bytes, limits: Limits | None = None) -> Extracted:
    """What is in the table."""
    return tabular.extract(content, Options(), limits or Limits())


def table_of(text: str) -> Table:
    """The one table of the one sheet."""
    extracted = extract(text.encode())
    (page,) = extracted.pages
    (table,) = page.tables
    assert (extracted.unit, page.characters) == ("sheet", len(page.text))
    return table


@pytest.mark.parametrize(
    "text",
    [
        "name,sum\nAnn,1.5\nBen,2\n",
        "name;sum\r\nAnn;1.5\r\nBen;2",
        "name\tsum\rAnn\t1.5\rBen\t2",
        "name|sum\n\nAnn|1.5\n  \nBen|2\n",
        '"name", "sum"\n"Ann", "1.5"\n"Ben", "2"\n',
        "sep=;\nname;sum\nAnn;1.5\nBen;2\n",
    ],
)
def test_the_delimiter_is_found(text: str) -> None:
    """Comma, semicolon, tab or bar, any line end, quoted or not; empty lines are left out."""
    table = table_of(text)
    assert table.rows == [["name", "sum"], ["Ann", "1.5"], ["Ben", "2"]]
    assert table.header_rows == 1


def test_quotes_hold_delimiters_and_lines() -> None:
    """RFC 4180; a comma of a number does not win over the semicolon between fields."""
    assert table_of('a,b\n"x, ""y""","two\nlines"\n').rows[1] == ['x, "y"', "two\nlines"]
    assert table_of("a;b\n1,5;2,5\n3,5;4,5\n").rows[2] == ["3,5", "4,5"]


@pytest.mark.parametrize("first", ["1,2", "a,a", "a,", "2024,b"])
def test_a_first_row_of_values_is_no_heading(first: str) -> None:
    """Nor is one with names that are missing or the same."""
    assert table_of(f"{first}\n3,4\n").header_rows == 0


def test_rows_are_padded() -> None:
    """Every row has as many cells; the text has none too many."""
    extracted = extract("a,b,c\n1\n2,3\n".encode("utf-16"))
    assert extracted.pages[0].tables[0].rows[1:] == [["1", "", ""], ["2", "3", ""]]
    assert extracted.pages[0].text == "a\tb\tc\n1\n2\t3"
    assert extracted.markdown[0].startswith("| a | b | c |\n| --- |")
    assert extracted.metadata.encoding == "utf-16-le"


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"a,b\n" * 100, 50),
        (b"a,b\n" + b"x," * 20_000, 1),
        (b'a,b\n1,2\n3,"' + b"x" * 2_000_000, 2),
    ],
    ids=["cells", "columns", "field"],
)
def test_over_the_limits_the_table_is_partial(content: bytes, rows: int) -> None:
    """What came before is kept."""
    extracted = extract(content, Limits(table_cells=100))
    assert (len(extracted.pages[0].tables[0].rows), extracted.partial) == (rows, True)
    assert [warning.code for warning in extracted.warnings] == ["OUTPUT_LIMIT"]


def test_nothing_binary_and_blank() -> None:
    """An empty file, a binary one, and one of empty cells."""
    with pytest.raises(ExtractionError) as empty:
        extract(b"")
    with pytest.raises(ExtractionError) as binary:
        extract(bytes(range(256)))
    assert (empty.value.reason, binary.value.reason) == (Reason.EMPTY, Reason.UNSUPPORTED_FORMAT)
    assert [warning.code for warning in extract(b",,\n , \n").warnings] == ["NO_TEXT"]
