"""Excel up to 2003 (xls, xlt): a page for each sheet, values as they are shown."""

import io
from importlib import import_module
from typing import Any, Final

import xlrd

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import biff, ole
from sheaf_orchestrator.extraction.office.formats import general, show
from sheaf_orchestrator.extraction.office.grid import Grid
from sheaf_orchestrator.extraction.office.ole import PARSING_ERRORS, Container, damaged
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.refusing import locked
from sheaf_orchestrator.extraction.ole import MAGIC as OLE_MAGIC
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted, Metadata

_ERRORS: Final = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?",
    0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


_MAX_CELLS: Final = 1_000_000
"""Most cells of a sheet, which the library reads whole before any of it can be seen."""


class _Silence(io.TextIOBase):
    """Where the library's log goes."""

    def write(self, text: str, /) -> int:
        return len(text)


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The sheets in order; of formulas the values that were computed last.

    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, TOO_MANY_PAGES.
    """
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    reading = Reading(limits, options.pages)
    metadata, beside = Metadata(), biff.Beside(b"")
    book_content: bytearray | bytes = content
    if content[:8] == OLE_MAGIC:
        with Container(content) as container:
            stream = container.read("Workbook") or container.read("Book")
            if not stream:
                raise damaged("it holds no workbook")
            beside = biff.Beside(stream)
            metadata = container.properties(encrypted=beside.encrypted)
            if beside.encrypted:
                # Loaded when first needed: few documents are locked.
                locks = import_module("sheaf_orchestrator.extraction.office.legacy_locks")
                stream = locks.workbook(stream, options.password)
                beside = biff.Beside(stream)
                book_content = stream
            ole.attach_pool(container, reading)
    book = _open(book_content)
    try:
        reading.check_pages(book.nsheets, "sheets")
        for index in range(book.nsheets):
            if not reading.passes_over():
                _sheet(book, index, beside, reading)
            if reading.done:
                break
        return reading.finish("sheet", metadata, book.nsheets)
    finally:
        book.release_resources()


def _open(content: bytearray | bytes) -> Any:
    try:
        return xlrd.open_workbook(
            file_contents=content,
            logfile=_Silence(),
            on_demand=True,
            formatting_info=True,
            ragged_rows=True,
        )
    except xlrd.XLRDError as error:
        if "encrypted" in str(error).lower():
            raise locked(None) from error
        raise damaged("its workbook cannot be read") from error
    except (*PARSING_ERRORS, xlrd.compdoc.CompDocError) as error:
        raise damaged("its workbook cannot be read") from error


def _sheet(book: Any, index: int, beside: biff.Beside, reading: Reading) -> None:
    name = book.sheet_names()[index]
    reading.composer.begin(name)
    if beside.cells.get(name, 0) > _MAX_CELLS:
        reading.notes.cut(Reason.OUTPUT_LIMIT, "The sheet has too many cells.", index + 1)
        return
    try:
        sheet = book.sheet_by_index(index)
        if sheet.visibility:
            reading.notes.warn(HIDDEN, f"The sheet {name[:100]!r} is hidden.")
        _cells(book, sheet, reading)
        for link in sheet.hyperlink_list:
            if link.type in {b"url", "url"} and link.url_or_path:
                target = link.url_or_path
                if isinstance(target, bytes):
                    target = target.decode("utf-8", "replace")
                reading.composer.link(target, link.desc)
        for note in sheet.cell_note_map.values():
            reading.composer.annotation("comment", note.text or "", note.author or None)
        book.unload_sheet(index)
    except (xlrd.XLRDError, *PARSING_ERRORS):
        reading.notes.cut("PAGE_FAILED", "The sheet is damaged and was left out.", index + 1)
    for text in beside.texts(name):
        reading.composer.paragraph(text)


def _cells(book: Any, sheet: Any, reading: Reading) -> None:
    grid = Grid(reading)
    for row in range(sheet.nrows):
        for column in range(sheet.row_len(row)):
            kind = sheet.cell_type(row, column)
            if kind in {xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK}:
                continue
            value = sheet.cell_value(row, column)
            is_text = kind == xlrd.XL_CELL_TEXT
            if kind in {xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE}:
                value = _number(book, sheet.cell_xf_index(row, column), value)
            elif kind == xlrd.XL_CELL_BOOLEAN:
                value = "TRUE" if value else "FALSE"
            elif kind == xlrd.XL_CELL_ERROR:
                value = _ERRORS.get(value, "#N/A")
            grid.put(row, column, str(value), is_text=is_text)
        if grid.full or reading.done:
            break
    grid.compose()


def _number(book: Any, style: int, value: float) -> str:
    if not 0 <= style < len(book.xf_list):
        return general(value)
    form = book.format_map.get(book.xf_list[style].format_key)
    code = None if form is None else form.format_str
    if not code or code == "General":
        return general(value)
    return show(value, code, date1904=bool(book.datemode))
