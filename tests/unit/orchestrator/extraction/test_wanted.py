"""Only the pages that are wanted are read, in every format."""

from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from unit.orchestrator.extraction import officefiles, pdfs, pictures
from unit.orchestrator.extraction.officefiles import relationships, shape, zipped

from sheaf_orchestrator.extraction import Limits, OcrMode, Options, Reason, pdf, registry
from sheaf_orchestrator.extraction.result import Result, decode_result
from sheaf_orchestrator.extraction.sandbox.answering import Answered, Refused, answer
from sheaf_orchestrator.extraction.sandbox.protocol import Request
from sheaf_orchestrator.extraction.wanted import (
    PageRanges,
    is_wanted,
    ranges_text,
    wanted_numbers,
)

LIMITS = Limits(detect_language=False)
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RANGES = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 30)), max_size=6).map(tuple)


def answered(
    content: bytes | bytearray, pages: PageRanges, ocr: OcrMode = OcrMode.AUTO, kind: str = ""
) -> Answered | Refused:
    """What the subprocess answers."""
    options = Options(pages=pages, ocr=ocr)
    request = Request(document_id="d", attempt=1, content_type=kind, options=options)
    return answer(registry, LIMITS, request, lambda: bytearray(content))


def read(content: bytes | bytearray, pages: PageRanges, kind: str = "") -> Result:
    """The result as it is stored."""
    found = answered(content, pages, kind=kind)
    assert isinstance(found, Answered), found
    return decode_result(found.body[0])


def five_sheets() -> bytearray:
    """A workbook, each sheet with its number in a cell; the third is hidden."""
    numbers = range(1, 6)
    states = {3: "hidden"}
    listed = "".join(
        f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}" state="{states.get(n, "visible")}"/>'
        for n in numbers
    )
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>sheet {}</t></is></c></row>'
    return zipped(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": (
                f'<workbook xmlns="{_S}" xmlns:r="{_R}"><sheets>{listed}</sheets></workbook>'
            ),
            "xl/_rels/workbook.xml.rels": relationships(
                **{f"r{n}": f"worksheet s{n}.xml" for n in numbers}
            ),
            **{
                f"xl/s{n}.xml": f'<worksheet xmlns="{_S}"><sheetData>{row.format(n)}'
                "</sheetData></worksheet>"
                for n in numbers
            },
        }
    )


def odf(kind: str, body: str) -> bytearray:
    """An OpenDocument file that says what it is."""
    mimetype = f"application/vnd.oasis.opendocument.{kind}"
    return officefiles.odf(kind, body, deflated=False, mimetype=mimetype)


def five_tables() -> bytearray:
    """An OpenDocument spreadsheet, each sheet with its number in a cell and in a text box."""
    body = "".join(
        f'<table:table table:name="S{n}"><table:shapes><draw:frame><draw:text-box><text:p>box {n}'
        "</text:p></draw:text-box></draw:frame></table:shapes><table:table-row><table:table-cell"
        f' office:value-type="string"><text:p>sheet {n}</text:p></table:table-cell>'
        "</table:table-row></table:table>"
        for n in range(1, 6)
    )
    return odf("spreadsheet", body)


def five_pages_of_odp() -> bytearray:
    """An OpenDocument presentation, each slide with its number."""
    body = "".join(
        f'<draw:page draw:name="p{n}"><draw:frame presentation:class="title"><draw:text-box>'
        f"<text:p>slide {n}</text:p></draw:text-box></draw:frame></draw:page>"
        for n in range(1, 6)
    )
    return odf("presentation", body)


def five_slides() -> bytearray:
    """A PowerPoint presentation, each slide with its number as its title."""
    return officefiles.pptx(*(shape(f"slide {n}", 0, 0, "title") for n in range(1, 6)))


def five_pages() -> bytes:
    """A PDF, each page with its number."""
    return pdfs.written(*(f"page {n}" for n in range(1, 6)))


def five_parts() -> bytes:
    """A text, its pages parted by form feeds."""
    return "\f".join(f"part {n}" for n in range(1, 6)).encode()


@pytest.mark.parametrize(
    ("made", "word"),
    [
        (five_pages, "page"),
        (five_sheets, "sheet"),
        (five_tables, "sheet"),
        (five_slides, "slide"),
        (five_pages_of_odp, "slide"),
        (five_parts, "part"),
    ],
)
def test_only_wanted_pages_are_in_a_result(made: Callable[[], bytes], word: str) -> None:
    """With their own numbers and Markdown; the count is the document's, and nothing is missing."""
    content = made()
    result = read(content, ((2, 2), (4, 0)))
    whole = read(content, ())

    assert [(page.number, page.text.splitlines()[0]) for page in result.pages] == [
        (number, f"{word} {number}") for number in (2, 4, 5)
    ]
    assert [page for page in whole.pages if page.number not in {1, 3}] == result.pages
    assert (result.page_count, result.partial) == (5, False)
    assert result.character_count == sum(page.characters for page in result.pages)
    assert len(result.markdown_starts) == 3
    assert [f"{word} {n}" in result.markdown for n in range(1, 6)] == [
        False, True, False, True, True,
    ]  # fmt: skip
    assert result.pages_wanted == "2,4-"
    assert result.warnings == []


def test_a_result_of_all_pages_says_nothing_of_pages_wanted() -> None:
    """It is, byte by byte, what it was before pages could be chosen."""
    found = answered(five_pages(), ())
    assert isinstance(found, Answered)
    assert b"pages_wanted" not in zstandard.ZstdDecompressor().decompress(found.body[0])


@pytest.mark.parametrize(
    ("content", "kind", "unit", "count"),
    [
        (five_pages(), "", "page", 5),
        (five_sheets(), "", "sheet", 5),
        (five_slides(), "", "slide", 5),
        (five_tables(), "", "sheet", 5),
        (pictures.saved(pictures.page("x"), "PNG"), "", "page", 1),
        (officefiles.xls({(0, 0): "x"}), "", "sheet", 1),
        (officefiles.ppt("title", "text"), "", "slide", 1),
        (b"a,b\n1,2\n", "text/csv", "sheet", 1),
        (b"plain", "text/plain", "page", 1),
        (b"<html><body><p>x</p></body></html>", "text/html", "part", 1),
        (b"From: a@b.c\r\nTo: d@e.f\r\nSubject: s\r\n\r\nhello", "message/rfc822", "part", 1),
        (officefiles.docx(officefiles.paragraph("x")), "", "part", 1),
    ],
)
def test_a_document_with_none_of_them_fails_and_says_how_many_it_has(
    content: bytes, kind: str, unit: str, count: int
) -> None:
    """In every format; what has no pages of its own is one."""
    refused = answered(content, ((count + 1, 0),), kind=kind)
    assert refused == Refused(
        reason=Reason.PAGES_OUT_OF_RANGE,
        message=f"The document has no {unit} {count + 1}-: it has {count}.",
    )
    if count == 1:
        assert [page.number for page in read(content, ((1, 1),), kind).pages] == [1]


def test_wanted_pages_that_are_not_there_are_warned_of() -> None:
    """The others are read; the result is whole."""
    result = read(five_pages(), ((5, 9),))
    assert [page.number for page in result.pages] == [5]
    assert [warning.code for warning in result.warnings] == ["PAGES_OUT_OF_RANGE"]
    assert not result.partial


def test_only_wanted_pages_are_recognised() -> None:
    """Of scans, and of all that is drawn where it is asked for."""
    scan = pictures.tiff([pictures.page(f"{n}") for n in range(1, 5)])
    text = five_pages()
    cases = ((scan, OcrMode.AUTO), (scan, OcrMode.ALWAYS), (text, OcrMode.ALWAYS))
    for content, mode in cases:
        found = answered(content, ((2, 3),), mode)
        assert isinstance(found, Answered)
        assert found.ocr_pages == (2, 3)


def test_a_damaged_page_that_is_not_wanted_does_no_harm() -> None:
    """It is not looked at; neither is its warning there."""
    content = pdfs.with_a_bad_page()
    whole = read(content, ())
    (bad,) = (warning.page for warning in whole.warnings if warning.code == "PAGE_FAILED")
    assert bad is not None
    good = next(page.number for page in whole.pages if page.number != bad)
    result = read(content, ((good, good),))
    assert (result.partial, [each.code for each in result.warnings]) == (False, [])


def test_a_few_pages_of_a_document_with_too_many_are_read() -> None:
    """The limit is on what is read."""
    limits = Limits(pages=3)
    assert pdf.extract(five_pages(), Options(pages=((4, 5),)), limits).page_count == 5


@given(ranges=_RANGES, count=st.integers(0, 40))
def test_numbers_are_those_that_are_wanted(ranges: tuple[tuple[int, int], ...], count: int) -> None:
    """Whether they are counted out or asked one by one."""
    apart: list[tuple[int, int]] = []
    for first, length in sorted(ranges):
        if not apart or 0 < apart[-1][1] < first:
            apart.append((first, first + length - 1 if length else 0))
    wanted = tuple(apart)
    assert list(wanted_numbers(count, wanted)) == [
        number for number in range(1, count + 1) if is_wanted(number, wanted)
    ]


def test_ranges_are_written_as_people_do() -> None:
    """A single page without a dash."""
    assert ranges_text(((1, 3), (7, 7), (10, 0))) == "1-3,7,10-"
