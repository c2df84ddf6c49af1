"""DrawingML: the text of shapes, tables, charts and diagrams."""

from typing import Final

from sheaf_orchestrator.extraction.office import opc
from sheaf_orchestrator.extraction.office.formats import general
from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.opc import R, Relationships
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import Reading
from sheaf_orchestrator.extraction.office.xml import Element, local

A: Final = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_C: Final = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DGM: Final = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_SERIES: Final = 256
_POINTS: Final = 20_000


def paragraph(element: Element, reading: Reading, relations: Relationships) -> Inline:
    """The text of an ``a:p``; its links are kept for the page."""
    inline = Inline()
    for child in element:
        name = local(child)
        if name in {"r", "fld"}:
            text = child.findtext(A + "t")
            click = child.find(f"{A}rPr/{A}hlinkClick")
            relation = None if click is None else relations.get(click.get(R + "id", ""))
            if text and relation is not None and relation.external:
                inline.link(text, relation.target)
                reading.composer.link(relation.target, text)
            else:
                inline.add(text)
        elif name == "br":
            inline.add("\n")
        elif name in {"m", "AlternateContent", "oMathPara"}:
            inline.add("".join(_math_texts(child)))
    return inline


def _math_texts(element: Element) -> list[str]:
    return [each.text for each in element.iter() if local(each) == "t" and each.text]


def text_of(body: Element) -> str:
    """The paragraphs in a body of text, a line each."""
    lines = []
    for element in body.iter(A + "p"):
        pieces = (_piece(each) for each in element.iter() if isinstance(each.tag, str))
        line = "".join(pieces)
        if line.strip():
            lines.append(line)
    return "\n".join(lines).replace("\u00ad", "")


def _piece(element: Element) -> str:
    name = local(element)
    return (element.text or "") if name == "t" else "\n" if name == "br" else ""


def table(element: Element) -> tuple[list[list[str]], int]:
    """The rows of an ``a:tbl`` and how many of the first are headings."""
    rows = []
    for row in element.iterchildren(A + "tr"):
        cells = []
        for cell in row.iterchildren(A + "tc"):
            merged = cell.get("hMerge") in {"1", "true"} or cell.get("vMerge") in {"1", "true"}
            cells.append("" if merged else text_of(cell))
        rows.append(cells)
    properties = element.find(A + "tblPr")
    first = properties is not None and properties.get("firstRow") in {"1", "true"}
    return rows, int(first)


def compose(kind: str, package: Package, part: str, reading: Reading) -> None:
    """Put a chart (as a table) or a diagram (as its texts) into the page."""
    root = opc.optional(package, part, reading)
    if root is None:
        return
    if kind == "chart":
        _chart(root, reading)
    else:
        _diagram(root, reading)


def _diagram(root: Element, reading: Reading) -> None:
    for point in root.iter(_DGM + "pt"):
        body = point.find(_DGM + "t")
        if body is not None and (text := text_of(body)):
            reading.composer.paragraph(text)
        if reading.done:
            return


def _chart(root: Element, reading: Reading) -> None:
    titles = [text_of(each) for each in root.iter(_C + "title")]
    for title in titles:
        reading.composer.paragraph(title)
    for plot in root.iter(_C + "plotArea"):
        for group in plot:
            series = group.findall(_C + "ser")[:_SERIES]
            if series:
                rows = _series_rows(series)
                reading.composer.table(rows, header_rows=1, name=titles[0] if titles else None)


def _series_rows(series: list[Element]) -> list[list[str]]:
    """A column for each series, a row for each category."""
    categories: dict[int, str] = {}
    columns = []
    for each in series:
        for name in ("cat", "xVal"):
            if not categories and (axis := each.find(_C + name)) is not None:
                categories = _points(axis)
        values: dict[int, str] = {}
        for name in ("val", "yVal"):
            if (found := each.find(_C + name)) is not None:
                values = _points(found)
        columns.append(values)
    heads = ["", *(" ".join(_name(each).split()) for each in series)]
    indices = sorted({*categories, *(index for column in columns for index in column)})
    return [heads] + [
        [categories.get(index, ""), *(column.get(index, "") for column in columns)]
        for index in indices[:_POINTS]
    ]


def _name(series: Element) -> str:
    name = series.find(_C + "tx")
    return "" if name is None else "".join(each.text or "" for each in name.iter(_C + "v"))


def _points(axis: Element) -> dict[int, str]:
    points: dict[int, str] = {}
    for point in axis.iter(_C + "pt"):
        index = point.get("idx", "")
        if index.isdecimal() and len(index) < 8 and len(points) < _POINTS:  # noqa: PLR2004 # no bignum
            points.setdefault(int(index), _plain(point.findtext(_C + "v") or ""))
    return points


def _plain(text: str) -> str:
    """A cached number without the noise of its last bits; anything else as it is."""
    try:
        return general(float(text))
    except ValueError:
        return text
