"""An open document."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings

from sheaf_orchestrator.extraction.pdf.pdfium.library import (
    Content,
    PdfiumError,
    address,
    pointer,
    string,
)
from sheaf_orchestrator.extraction.pdf.pdfium.page import OpenPage


class Document:
    """An open PDF. A context manager; the content must stay unchanged until it is closed."""

    repaired = False
    """Whether the content had to be repaired before pdfium took it."""

    def __init__(self, content: Content, password: bytes | None = None) -> None:
        """Open it. Raises PdfiumError with the reason that pdfium gives."""
        self.content = content
        self._kept_alive, start = pointer(content)
        self.raw: Any = c.FPDF_LoadMemDocument64(start, len(content), password)
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

    @property
    def has_form(self) -> bool:
        """Whether it has form fields."""
        return bool(c.FPDF_GetFormType(self.raw) != c.FORMTYPE_NONE)

    @property
    def attachment_count(self) -> int:
        """Files that its tree of names lists; looks at no node twice, nor deeper than 32.

        Nothing more is asked of pdfium: the size of a file it tells only by unpacking all of it.
        """
        return int(c.FPDFDoc_GetAttachmentCount(self.raw))

    def info(self, key: str) -> str:
        """A value of the information dictionary; empty when absent or over 1 MiB."""
        name = key.encode()
        return string(lambda buffer, size: c.FPDF_GetMetaText(self.raw, name, buffer, size))

    @property
    def language(self) -> str:
        """The language that the catalog declares; empty when it declares none."""
        return string(lambda buffer, size: c.FPDFCatalog_GetLanguage(self.raw, buffer, size))

    @contextmanager
    def page(self, index: int) -> Iterator[OpenPage]:
        """Page ``index`` (from 0), as the file has it. Raises PdfiumError.

        Form values and other annotations become part of it by ``flatten`` only.
        """
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
            if not mark or address(mark) in seen:
                continue
            seen.add(address(mark))
            target = c.FPDFBookmark_GetDest(self.raw, mark)
            page = c.FPDFDest_GetDestPageIndex(self.raw, target) if target else -1
            yield _bookmark_title(mark), level, int(page)
            stack.append((c.FPDFBookmark_GetNextSibling(self.raw, mark), level))
            if level + 1 < max_depth:
                stack.append((c.FPDFBookmark_GetFirstChild(self.raw, mark), level + 1))


def _bookmark_title(mark: Any) -> str:
    return string(lambda buffer, size: c.FPDFBookmark_GetTitle(mark, buffer, size))
