"""Spreadsheets and presentations: a page for each sheet or slide."""

import pytest
from unit.orchestrator.extraction import officefiles
from unit.orchestrator.extraction.officefiles import shape

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason
from sheaf_orchestrator.extraction.office import odp, ods, ppt, pptx, xls, xlsx
from sheaf_orchestrator.extraction.office.formats import show

STYLES = (
    '<numFmts><numFmt numFmtId="170" formatCode="&quot;$&quot;#,##0.00"/></numFmts><cellXfs>'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="10"/><xf numFmtId="170"/></cellXfs>'
)


@pytest.mark.parametrize(
    ("value", "number_format", "shown"),
    [
        (1234.5, "#,##0.00", "1,234.50"),
        (0.125, "0%", "13%"),
        (-3, "0;(0)", "(3)"),
        (-3.5, "#,##0.0_);[Red]\\(#,##0.0\\)", "(3.5)"),
        (0, '0;-0;"none"', "none"),
        (45000.75, "m/d/yy h:mm", "2023-03-15 18:00:00"),
        (45000, "[$-409]d. mmmm yyyy", "2023-03-15"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (1.5, "[h]:mm", "36:00:00"),
        (0.25, "h:mm AM/PM", "06:00:00"),
        (1234567, "0.0,,", "1.2"),
        (12, "000000", "000012"),
        (9.99, "[$€-407] #,##0.00", "€ 9.99"),
        (0.1 + 0.2, "General", "0.3"),
        (42, '0 "units"', "42 units"),
        (2.5, "@", "2.5"),
    ],
)
def test_numbers_are_shown_by_their_formats(value: float, number_format: str, shown: str) -> None:
    """Separators, signs, literals and sections as in the sheet; dates and times as ISO 8601."""
    assert show(value, number_format) == shown


def test_cells_of_excel() -> None:
    """Shared and inline texts, formats, booleans, errors; of a formula its last value."""
    content = officefiles.xlsx(
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Due</t></is></c>'
        '<c r="C1" t="str"><v>Share</v></c><c r="D1" t="s"><v>0</v></c></row>'
        '<row r="2"><c r="A2" s="3"><f>1+1</f><v>1234.5</v></c><c r="B2" s="1"><v>45000</v></c>'
        '<c r="C2" s="2"><v>0.125</v></c><c r="D2" t="b"><v>1</v></c></row>'
        '<row r="3"><c r="D3" t="e"><v>#N/A</v></c></row>',
        strings="<si><r><t>Co</t></r><r><t>st</t></r><rPh><t>x</t></rPh></si>",
        styles=STYLES,
        state="hidden",
    )
    extracted = xlsx.extract(content, Options(), Limits())
    table = extracted.pages[0].tables[0]
    assert (extracted.unit, extracted.pages[0].name, table.header_rows) == ("sheet", "Costs", 1)
    assert table.rows == [
        ["Cost", "Due", "Share", "Cost"],
        ["$1,234.50", "2023-03-15", "12.50%", "TRUE"],
        ["", "", "", "#N/A"],
    ]
    assert [warning.code for warning in extracted.warnings] == ["HIDDEN_CONTENT"]


def test_a_cell_in_the_last_corner_takes_no_grid() -> None:
    """Empty rows and columns between cells are shown as one."""
    content = officefiles.xlsx(
        '<row r="1"><c r="A1"><v>1</v></c></row>'
        '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
    )
    extracted = xlsx.extract(content, Options(), Limits())
    assert extracted.pages[0].tables[0].rows == [["1", "", ""], ["", "", ""], ["", "", "2"]]


def test_repeated_cells_of_opendocument_are_bounded() -> None:
    """A cell that says it stands there 2^34 times is cut at the limit, and that is noted."""
    content = officefiles.odf(
        "spreadsheet",
        '<table:table table:name="T"><table:table-row table:number-rows-repeated="1048576">'
        '<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
        "<text:p>x</text:p></table:table-cell></table:table-row></table:table>",
    )
    extracted = ods.extract(content, Options(), Limits(table_cells=40_000))
    assert extracted.partial
    assert sum(len(row) for row in extracted.pages[0].tables[0].rows) <= 40_000


def test_values_of_opendocument() -> None:
    """Dates as ISO 8601, numbers as shown, empty rows at the end left out."""
    content = officefiles.odf(
        "spreadsheet",
        '<table:table table:name="T"><table:table-row>'
        '<table:table-cell office:value-type="date" office:date-value="2024-02-29"><text:p>29.2.'
        '</text:p></table:table-cell><table:table-cell office:value-type="percentage" '
        'office:value="0.5"><text:p>50 %</text:p></table:table-cell></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048575"><table:table-cell/>'
        "</table:table-row></table:table>",
    )
    extracted = ods.extract(content, Options(), Limits())
    assert extracted.pages[0].tables[0].rows == [["2024-02-29", "50 %"]]


def test_binary_excel_is_read_and_xlsb_is_not() -> None:
    """BIFF8 in OLE; a binary OOXML workbook is a clear reason."""
    content = officefiles.xls({(0, 0): "Rate", (1, 0): 0.25})
    extracted = xls.extract(content, Options(), Limits())
    assert extracted.pages[0].tables[0].rows == [["Rate"], ["25%"]]
    with pytest.raises(ExtractionError) as caught:
        xlsx.extract(officefiles.zipped({"xl/workbook.bin": b"\x83"}), Options(), Limits())
    assert caught.value.reason is Reason.UNSUPPORTED_FORMAT


def test_slides_are_read_title_first_then_by_place() -> None:
    """Whatever the order in the file; notes are annotations, a slide's number is left out."""
    content = officefiles.pptx(
        shape("right", 900_000, 5_000_000)
        + shape("left", 950_000, 100)
        + shape("7", 0, 0, "sldNum")
        + shape("The title", 4_000_000, 0, "title")
        + shape("point", 2_000_000, 0, "body"),
        shape("second slide", 0, 0),
        notes="say hello",
    )
    extracted = pptx.extract(content, Options(), Limits())
    assert (extracted.unit, extracted.page_count) == ("slide", 2)
    assert [page.text for page in extracted.pages] == [
        "The title\nleft\nright\npoint",
        "second slide",
    ]
    assert extracted.markdown[0] == "# The title\n\nleft\n\nright\n\n- point"
    assert extracted.pages[0].name == "The title"
    assert [(note.kind, note.text) for note in extracted.pages[0].annotations] == [
        ("notes", "say hello")
    ]


def test_slides_of_opendocument_and_powerpoint_97() -> None:
    """The title first, though it stands below."""
    page = (
        '<draw:page draw:name="one"><draw:frame svg:y="9cm"><draw:text-box><text:p>low</text:p>'
        '</draw:text-box></draw:frame><draw:frame svg:y="12cm" presentation:class="title">'
        "<draw:text-box><text:p>Title</text:p></draw:text-box></draw:frame>"
        '<draw:frame svg:y="1in"><draw:text-box><text:p>high</text:p></draw:text-box></draw:frame>'
        "</draw:page>"
    )
    new = odp.extract(officefiles.odf("presentation", page), Options(), Limits())
    assert [each.text for each in new.pages] == ["Title\nhigh\nlow"]
    old = ppt.extract(officefiles.ppt("Titel für alle", "box"), Options(), Limits())
    assert [(each.name, each.text) for each in old.pages] == [
        ("Titel für alle", "Titel für alle\nbox")
    ]
