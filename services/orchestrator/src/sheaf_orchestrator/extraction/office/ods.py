"""OpenDocument spreadsheets (ods, ots): a page for each sheet, values as they are shown."""

import re
from typing import Final

from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import odf, opc
from sheaf_orchestrator.extraction.office.grid import Grid
from sheaf_orchestrator.extraction.office.odf import OFFICE, STYLE, TABLE
from sheaf_orchestrator.extraction.office.package import Package
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.wordstyles import number
from sheaf_orchestrator.extraction.office.xml import Element, Stream, local
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_SHEET, _ROW, _SHAPES = TABLE + "table", TABLE + "table-row", TABLE + "shapes"
_CHANGES: Final = TABLE + "tracked-changes"
_STYLE: Final = STYLE + "style"
_DURATION: Final = re.compile(r"PT(\d{1,6})H(\d{1,2})M(\d{1,2})(?:[.,]\d+)?S$")
_MAX_REPEATED: Final = 16_384


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The sheets in order; cells as shown, dates as ISO 8601.

    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, TOO_MANY_PAGES, ARCHIVE_LIMIT.
    """
    reading = Reading(limits, options.pages)
    with Package(content, limits) as package:
        odf.open_parts(package)
        language = odf.default_language(opc.optional(package, "styles.xml", reading))
        metadata = odf.properties(package, reading, language)
        sheets = _Sheets(reading)
        sheets.read(Stream(package.open(odf.CONTENT), (_SHEET, _ROW, _SHAPES, _CHANGES, _STYLE)))
        return reading.finish("sheet", metadata, sheets.count)


class _Sheets:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._texts = odf.Texts(reading)
        self._grid = Grid(reading)
        self._row = 0
        self._count = 0
        self._after: list[str] = []
        self._depth = self._skipped = 0
        self._hidden: set[str] = set()
        self._unwanted = False

    @property
    def count(self) -> int:
        """Sheets that were met, wanted or not."""
        return self._count

    def read(self, stream: Stream) -> None:
        """Rows as they end, so that memory holds one at a time."""
        for event, element in stream:
            if self._meet(element, 1 if event == "start" else -1):
                stream.drop(element)
            if self._reading.done:
                break
        if self._depth:
            self._end()

    def _meet(self, element: Element, step: int) -> bool:
        """An element begins (1) or ends (-1); whether it is done with."""
        if element.tag in {_CHANGES, _SHAPES}:
            self._skipped += step
            if step < 0 and element.tag == _SHAPES:
                self._read_shapes(element)
            return step < 0
        if self._skipped:
            return False
        if element.tag == _STYLE:
            if step < 0 and any(each.get(TABLE + "display") == "false" for each in element):
                self._hidden.add(element.get(STYLE + "name", ""))
            return step < 0
        if element.tag == _SHEET:
            self._depth += step
            if self._depth == 1 and step > 0:
                self._begin(element)
            elif self._depth == 0:
                self._end()
            return self._depth == 0
        if step < 0 and self._depth == 1:
            self._read_row(element)
            return True
        return False

    def _begin(self, sheet: Element) -> None:
        self._count += 1
        self._reading.check_pages(self._count, "sheets or more")
        self._unwanted = self._reading.passes_over()
        if self._unwanted:
            return
        name = sheet.get(TABLE + "name", "")
        if sheet.get(TABLE + "style-name") in self._hidden:
            self._reading.notes.warn(HIDDEN, f"The sheet {name[:100]!r} is hidden.")
        self._reading.composer.begin(name)
        self._grid, self._row, self._after = Grid(self._reading), 0, []

    def _end(self) -> None:
        if self._unwanted:
            return
        self._grid.compose()
        for line in self._after:
            self._reading.composer.paragraph(line)

    def _read_shapes(self, shapes: Element) -> None:
        if not self._unwanted:
            self._after += self._texts.lines(shapes)

    def _read_row(self, row: Element) -> None:
        if self._unwanted:
            return
        repeated = max(number(row.get(TABLE + "number-rows-repeated"), 1), 1)
        column, cells = 0, []
        for cell in row:
            if local(cell) not in {"table-cell", "covered-table-cell"}:
                continue
            count = max(number(cell.get(TABLE + "number-columns-repeated"), 1), 1)
            if len(cell) or cell.get(OFFICE + "value-type"):
                text, is_text = self._value(cell)
                cells += [
                    (column + at, text, is_text) for at in range(min(count, _MAX_REPEATED)) if text
                ]
            column += count
            if len(cells) > _MAX_REPEATED or self._reading.done:
                break
        for at in range(repeated if cells else 0):
            for place, text, is_text in cells:
                self._grid.put(self._row + at, place, text, is_text=is_text)
            if self._grid.full:
                break
        self._row += repeated

    def _value(self, cell: Element) -> tuple[str, bool]:
        """The cell as shown, and whether it is a text."""
        shown = "\n".join(self._texts.lines(cell))
        self._texts.frames = []
        kind = cell.get(OFFICE + "value-type")
        if kind == "date":
            date = cell.get(OFFICE + "date-value", "")[:32]
            return date.partition(".")[0].replace("T", " ") or shown, False
        if kind == "time" and (match := _DURATION.match(cell.get(OFFICE + "time-value", ""))):
            hours, minutes, seconds = (int(part) for part in match.groups())
            return f"{hours:02d}:{minutes:02d}:{seconds:02d}", False
        if kind == "boolean":
            return cell.get(OFFICE + "boolean-value", shown)[:8].upper(), False
        if not shown and kind in {"float", "percentage", "currency"}:
            shown = cell.get(OFFICE + "value", "")[:64]
        return shown, kind in {"string", None}
