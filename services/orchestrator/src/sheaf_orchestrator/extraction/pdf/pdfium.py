"""A narrow door to pdfium: the few calls that extraction needs, with their traps closed.

pdfium is not thread-safe: one thread of a process may use this module. ``init_forms`` is
deliberately absent: with it, some files loop for ever. Buffers are addressed by pointer, not
as ``c_char * n``, because ctypes keeps every array type it has ever made.

Source: the public headers of pdfium (fpdfview.h, fpdf_text.h, fpdf_doc.h, fpdf_annot.h,
fpdf_flatten.h).
"""

import ctypes
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings
from pypdfium2_raw import version as _build

Content = bytes | bytearray | memoryview

ERROR_PASSWORD: Final = c.FPDF_ERR_PASSWORD
ERROR_SECURITY: Final = c.FPDF_ERR_SECURITY

_MAX_STRING_BYTES = 1024 * 1024
_MAX_ANNOTATIONS_LOOKED_AT = 1_000
_TEXTLESS_ANNOTATIONS = frozenset({c.FPDF_ANNOT_LINK, c.FPDF_ANNOT_POPUP})

c.FPDF_InitLibraryWithConfig(c.FPDF_LIBRARY_CONFIG(version=2))


class PdfiumError(Exception):
    """pdfium refused; ``code`` is one of FPDF_ERR_*."""

    def __init__(self, code: int) -> None:
        super().__init__(f"pdfium error {code}")
        self.code = code


class Document:
    """An open PDF. A context manager; the content must stay unchanged until it is closed."""

    def __init__(self, content: Content, password: bytes | None = None) -> None:
        """Open it. Raises PdfiumError with the reason that pdfium gives."""
        self._content, pointer = _pointer(content)
        self.raw: Any = c.FPDF_LoadMemDocument64(pointer, len(content), password)
        if not self.raw:
            raise PdfiumError(c.FPDF_GetLastError())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give its memory back; harmless when done twice."""
        if self.raw:
            c.FPDF_CloseDocument(self.raw)
            self.raw = None

    @property
    def page_count(self) -> int:
        """Pages, as the page tree says."""
        return int(c.FPDF_GetPageCount(self.raw))

    @property
    def encrypted(self) -> bool:
        """Whether the file has a security handler, even with an empty password."""
        return bool(c.FPDF_GetSecurityHandlerRevision(self.raw) != -1)

    @property
    def format_version(self) -> str | None:
        """For example ``1.7``."""
        number = ctypes.c_int()
        if not c.FPDF_GetFileVersion(self.raw, ctypes.byref(number)) or number.value <= 0:
            return None
        return f"{number.value // 10}.{number.value % 10}"

    @property
    def is_dynamic_xfa(self) -> bool:
        """Whether its pages are made by an XFA form, which pdfium here does not run."""
        return bool(c.FPDF_GetFormType(self.raw) == c.FORMTYPE_XFA_FULL)

    def info(self, key: str) -> str:
        """A value of the information dictionary; empty when absent or over 1 MiB."""
        name = key.encode()
        return _string(lambda buffer, size: c.FPDF_GetMetaText(self.raw, name, buffer, size))

    @property
    def language(self) -> str:
        """The language that the catalog declares; empty when it declares none."""
        return _string(lambda buffer, size: c.FPDFCatalog_GetLanguage(self.raw, buffer, size))

    @contextmanager
    def page(self, index: int) -> Iterator["OpenPage"]:
        """Page ``index`` (from 0), as the file has it. Raises PdfiumError."""
        page = OpenPage(self.raw, index)
        try:
            yield page
        finally:
            page.close()

    def bookmarks(self, max_depth: int) -> Iterator[tuple[str, int, int]]:
        """Title, level and page index (-1: none) of each bookmark, each visited only once."""
        seen: set[int] = set()
        stack = [(c.FPDFBookmark_GetFirstChild(self.raw, None), 0)]
        while stack:
            mark, level = stack.pop()
            if not mark or ctypes.addressof(mark.contents) in seen:
                continue
            seen.add(ctypes.addressof(mark.contents))
            target = c.FPDFBookmark_GetDest(self.raw, mark)
            page = c.FPDFDest_GetDestPageIndex(self.raw, target) if target else -1
            yield _bookmark_title(mark), level, int(page)
            stack.append((c.FPDFBookmark_GetNextSibling(self.raw, mark), level))
            if level + 1 < max_depth:
                stack.append((c.FPDFBookmark_GetFirstChild(self.raw, mark), level + 1))


class OpenPage:
    """A loaded page; ``Document.page`` opens and closes it."""

    flatten_failed = False
    """Whether annotations could not be put into the page, so their text is missing."""

    def __init__(self, document: Any, index: int) -> None:
        self._document, self._index = document, index
        self.raw: Any = None
        self._load()

    def _load(self) -> None:
        self.raw = c.FPDF_LoadPage(self._document, self._index)
        if not self.raw:
            raise PdfiumError(c.FPDF_ERR_PAGE)

    def _shows_annotations(self) -> bool:
        """Whether any annotation can show text; links and popups cannot."""
        count = c.FPDFPage_GetAnnotCount(self.raw)
        for index in range(min(count, _MAX_ANNOTATIONS_LOOKED_AT)):
            annotation = c.FPDFPage_GetAnnot(self.raw, index)
            if not annotation:
                continue
            subtype = c.FPDFAnnot_GetSubtype(annotation)
            c.FPDFPage_CloseAnnot(annotation)
            if subtype not in _TEXTLESS_ANNOTATIONS:
                return True
        return bool(count > _MAX_ANNOTATIONS_LOOKED_AT)

    def flatten(self) -> bool:
        """Draw form values and other annotations into the page, and forget the annotations.

        Does so only when any of them can show text. Answers whether the page changed; its
        content is then parsed anew. Raises PdfiumError.
        """
        if not self._shows_annotations():
            return False
        outcome = c.FPDFPage_Flatten(self.raw, c.FLAT_NORMALDISPLAY)
        self.flatten_failed = outcome == c.FLATTEN_FAIL
        if outcome != c.FLATTEN_SUCCESS:
            return False
        self.close()
        self._load()
        return True

    def close(self) -> None:
        """Give its memory back; harmless when done twice."""
        if self.raw:
            c.FPDF_ClosePage(self.raw)
            self.raw = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points as displayed; 0 for what is not a finite number."""
        width = float(c.FPDF_GetPageWidthF(self.raw))
        height = float(c.FPDF_GetPageHeightF(self.raw))
        return (
            round(width, 2) if math.isfinite(width) else 0.0,
            round(height, 2) if math.isfinite(height) else 0.0,
        )

    @property
    def rotation(self) -> int:
        """Degrees clockwise."""
        return int(c.FPDFPage_GetRotation(self.raw)) % 4 * 90

    def text(self, max_characters: int) -> str:
        """The text layer, at most about ``max_characters`` of it. Raises PdfiumError."""
        layer = c.FPDFText_LoadPage(self.raw)
        if not layer:
            raise PdfiumError(c.FPDF_ERR_PAGE)
        try:
            count = min(c.FPDFText_CountChars(layer), max_characters)
            if count <= 0:
                return ""
            # A character may take two units; one more ends the string.
            buffer = bytearray(4 * count + 4)
            units = c.FPDFText_GetText(layer, 0, count, _units(buffer))
            return _decode(buffer, units - 1)
        finally:
            c.FPDFText_ClosePage(layer)


def version() -> str:
    """The build of pdfium in use, for the record."""
    return str(_build.PDFIUM_INFO)


def _pointer(content: Content) -> tuple[object, Any]:
    """What keeps the content alive, and its address; copies only a read-only memoryview."""
    if isinstance(content, memoryview) and content.readonly:
        content = bytes(content)
    if isinstance(content, bytes):
        return content, content
    if len(content) == 0:
        return b"", b""
    first = ctypes.c_char.from_buffer(content)
    return first, ctypes.byref(first)


def _units(buffer: bytearray) -> Any:
    return ctypes.byref(ctypes.c_ushort.from_buffer(buffer))


def _decode(buffer: bytearray, units: int) -> str:
    """UTF-16 to a string; lone surrogates are left out."""
    return str(memoryview(buffer)[: 2 * max(units, 0)], "utf-16-le", "ignore")


def _string(read: Callable[[Any, int], int]) -> str:
    """A string by pdfium's two-call convention: its size in bytes first, then itself."""
    size = read(None, 0)
    if not 2 < size <= _MAX_STRING_BYTES:  # noqa: PLR2004 # two bytes are the terminator alone
        return ""
    buffer = bytearray(size + size % 2)
    read(_units(buffer), size)
    return _decode(buffer, size // 2 - 1)


def _bookmark_title(mark: Any) -> str:
    return _string(lambda buffer, size: c.FPDFBookmark_GetTitle(mark, buffer, size))
