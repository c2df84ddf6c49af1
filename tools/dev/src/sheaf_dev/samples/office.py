"""Office documents, written by hand: a letter, a workbook, slides and an OpenDocument text."""

from collections.abc import Sequence
from html import escape
from typing import Final

from sheaf_dev.samples.archive import (
    CORE_TYPE,
    content_types,
    core_properties,
    package_relations,
    packed,
    relations,
    xml,
)
from sheaf_dev.samples.layout import ISSUER
from sheaf_dev.samples.sample import DOCX, ODT, PPTX, XLSX, Sample

_OPEN_XML: Final = "http://schemas.openxmlformats.org"
_VENDOR: Final = "application/vnd.openxmlformats-officedocument"
_RELATIONS: Final = f"{_OPEN_XML}/officeDocument/2006/relationships"
_DRAWING: Final = f"{_OPEN_XML}/drawingml/2006/main"

_COSTS: Final = (
    ("Trade", "Firm", "Hours", "Pounds"),
    ("Plumbing", "Harrow Sons", "14", "910"),
    ("Plaster", "Lime Works", "22", "1240"),
    ("Joinery", "Heron Pike", "31", "2085"),
)
_DRYERS: Final = (("Dryer", "Room"), ("D-114", "Cellar"), ("D-117", "Shop floor"))


def repair_letter() -> Sample:
    """A letter for a word processor: headings, prose and a table."""
    body = (
        _paragraph("Repair of the shop", style="Heading1")
        + _paragraph("Dear Ms Okafor, the drying of the walls ended on 21 March.")
        + _paragraph("What is paid for", style="Heading2")
        + _paragraph("We pay the three firms directly, in the amounts below.")
        + _word_table(_COSTS)
        + _paragraph("The excess of 250 pounds is taken off the last invoice.")
    )
    word = f"{_OPEN_XML}/wordprocessingml/2006/main"
    main = "word/document.xml"
    members = {
        "[Content_Types].xml": content_types(
            {
                f"/{main}": f"{_VENDOR}.wordprocessingml.document.main+xml",
                "/docProps/core.xml": CORE_TYPE,
            }
        ),
        "_rels/.rels": package_relations(main),
        "docProps/core.xml": core_properties("Repair of the shop", ISSUER),
        main: xml(f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'),
    }
    return Sample(
        filename="letter-repair.docx",
        content=packed(members),
        content_type=DOCX,
        expected_pages=1,
        expected_phrases=(
            "the drying of the walls ended on 21 March.",
            "What is paid for",
            "Joinery Heron Pike 31 2085",
            "The excess of 250 pounds",
        ),
    )


def repair_costs() -> Sample:
    """A workbook of two sheets; its texts are shared strings, its numbers are numbers."""
    texts = [cell for rows in (_COSTS, _DRYERS) for row in rows for cell in row]
    strings = sorted({text for text in texts if not text.isdigit()})
    main = f"{_OPEN_XML}/spreadsheetml/2006/main"
    sheets = {"Costs": _COSTS, "Dryers": _DRYERS}
    paths = {f"xl/worksheets/sheet{n}.xml": rows for n, rows in enumerate(sheets.values(), 1)}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(sheets, 1)
    )
    shared = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    kind = f"{_VENDOR}.spreadsheetml"
    members = {
        "[Content_Types].xml": content_types(
            {
                "/xl/workbook.xml": f"{kind}.sheet.main+xml",
                "/xl/sharedStrings.xml": f"{kind}.sharedStrings+xml",
                "/docProps/core.xml": CORE_TYPE,
                **{f"/{path}": f"{kind}.worksheet+xml" for path in paths},
            }
        ),
        "_rels/.rels": package_relations("xl/workbook.xml"),
        "docProps/core.xml": core_properties("Costs of repair", ISSUER),
        "xl/workbook.xml": xml(
            f'<workbook xmlns="{main}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relations(
            {
                "rId1": ("worksheet", "worksheets/sheet1.xml"),
                "rId2": ("worksheet", "worksheets/sheet2.xml"),
                "rId3": ("sharedStrings", "sharedStrings.xml"),
            }
        ),
        "xl/sharedStrings.xml": xml(f'<sst xmlns="{main}">{shared}</sst>'),
        **{path: _sheet(main, rows, strings) for path, rows in paths.items()},
    }
    return Sample(
        filename="costs-repair.xlsx",
        content=packed(members),
        content_type=XLSX,
        expected_pages=2,
        expected_phrases=(
            "Trade Firm Hours Pounds",
            "Plaster Lime Works 22 1240",
            "D-117 Shop floor",
        ),
    )


def storm_briefing() -> Sample:
    """Two slides, each with a title and lines below it."""
    slides = (
        ("Storm desk briefing", ("Open from six in the morning", "Two shifts until Sunday")),
        ("What callers ask", ("Temporary covers are paid for", "Photographs help us decide")),
    )
    main = f"{_OPEN_XML}/presentationml/2006/main"
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in numbers)
    spaces = f'xmlns:p="{main}" xmlns:a="{_DRAWING}" xmlns:r="{_RELATIONS}"'
    kind = f"{_VENDOR}.presentationml"
    members = {
        "[Content_Types].xml": content_types(
            {
                "/ppt/presentation.xml": f"{kind}.presentation.main+xml",
                "/docProps/core.xml": CORE_TYPE,
                **{f"/ppt/slides/slide{n}.xml": f"{kind}.slide+xml" for n in numbers},
            }
        ),
        "_rels/.rels": package_relations("ppt/presentation.xml"),
        "docProps/core.xml": core_properties("Storm desk briefing", ISSUER),
        "ppt/presentation.xml": xml(
            f"<p:presentation {spaces}><p:sldIdLst>{listed}</p:sldIdLst>"
            '<p:sldSz cx="9144000" cy="6858000"/></p:presentation>'
        ),
        "ppt/_rels/presentation.xml.rels": relations(
            {f"rId{n}": ("slide", f"slides/slide{n}.xml") for n in numbers}
        ),
        **{
            f"ppt/slides/slide{n}.xml": xml(
                f"<p:sld {spaces}><p:cSld><p:spTree>{_shapes(*slide)}</p:spTree></p:cSld></p:sld>"
            )
            for n, slide in enumerate(slides, 1)
        },
    }
    return Sample(
        filename="briefing-storm.pptx",
        content=packed(members),
        content_type=PPTX,
        expected_pages=2,
        expected_phrases=(
            "Storm desk briefing",
            "Two shifts until Sunday",
            "Temporary covers are paid for",
        ),
    )


def open_notice() -> Sample:
    """An OpenDocument text with a heading, prose and a list."""
    space = "urn:oasis:names:tc:opendocument:xmlns"
    body = (
        '<text:h text:outline-level="1">Notice to tenants</text:h>'
        "<text:p>The lift of Quayside House is out of use<text:s/>until 4 April.</text:p>"
        "<text:list><text:list-item><text:p>Use the north stairs.</text:p></text:list-item>"
        "<text:list-item><text:p>Parcels are kept at the gate.</text:p></text:list-item>"
        "</text:list>"
    )
    manifest = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in (("/", ODT), ("content.xml", "text/xml"))
    )
    members = {
        "mimetype": ODT,
        "META-INF/manifest.xml": xml(
            f'<manifest:manifest xmlns:manifest="{space}:manifest:1.0" manifest:version="1.3">'
            f"{manifest}</manifest:manifest>"
        ),
        "content.xml": xml(
            f'<office:document-content xmlns:office="{space}:office:1.0"'
            f' xmlns:text="{space}:text:1.0" office:version="1.3"><office:body><office:text>'
            f"{body}</office:text></office:body></office:document-content>"
        ),
    }
    return Sample(
        filename="notice-tenants.odt",
        content=packed(members, stored_first=True),
        content_type=ODT,
        expected_pages=1,
        expected_phrases=(
            "Notice to tenants",
            "The lift of Quayside House is out of use until 4 April.",
            "Parcels are kept at the gate.",
        ),
    )


def _paragraph(text: str, style: str | None = None) -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    run = f'<w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'
    return f"<w:p>{properties}{run}</w:p>"


def _word_table(rows: Sequence[Sequence[str]]) -> str:
    lines = (
        "".join(f"<w:tc>{_paragraph(cell)}</w:tc>" for cell in row) for row in rows
    )  # fmt: skip # a cell, a row, a table
    return "<w:tbl>" + "".join(f"<w:tr>{line}</w:tr>" for line in lines) + "</w:tbl>"


def _sheet(space: str, rows: Sequence[Sequence[str]], strings: Sequence[str]) -> str:
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for column, text in zip("ABCD", row, strict=False):
            place = f'r="{column}{number}"'
            if text.isdigit():
                cells.append(f"<c {place}><v>{text}</v></c>")
            else:
                cells.append(f'<c {place} t="s"><v>{strings.index(text)}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return xml(f'<worksheet xmlns="{space}"><sheetData>{"".join(lines)}</sheetData></worksheet>')


def _shapes(title: str, lines: Sequence[str]) -> str:
    return (
        '<p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
        + _shape(2, "Title", "title", (title,))
        + _shape(3, "Body", "body", lines)
    )


def _shape(number: int, name: str, kind: str, lines: Sequence[str]) -> str:
    paragraphs = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in lines)
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{name}"/><p:cNvSpPr/><p:nvPr>'
        f'<p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"
    )
