"""The library itself: its start, its errors, and how strings and buffers pass the border."""

import ctypes
from collections.abc import Callable
from typing import Any, Final

import pypdfium2_raw as c  # type: ignore[import-untyped]  # generated ctypes bindings
from pypdfium2_raw import version as _build

Content = bytes | bytearray | memoryview

ERROR_PASSWORD: Final = c.FPDF_ERR_PASSWORD
ERROR_SECURITY: Final = c.FPDF_ERR_SECURITY

_MAX_STRING_BYTES = 1024 * 1024

c.FPDF_InitLibraryWithConfig(c.FPDF_LIBRARY_CONFIG(version=2))


class PdfiumError(Exception):
    """pdfium refused; ``code`` is one of FPDF_ERR_*."""

    def __init__(self, code: int) -> None:
        super().__init__(f"pdfium error {code}")
        self.code = code


def version() -> str:
    """The build of pdfium in use, for the record."""
    return str(_build.PDFIUM_INFO)


def pointer(content: Content) -> tuple[object, Any]:
    """What keeps the content alive, and its address; copies only a read-only memoryview."""
    if isinstance(content, memoryview) and content.readonly:
        content = bytes(content)
    if isinstance(content, bytes):
        return content, content
    if len(content) == 0:
        return b"", b""
    first = ctypes.c_char.from_buffer(content)
    return first, ctypes.byref(first)


def units(buffer: bytearray) -> Any:
    """The buffer as pdfium's wide string."""
    return ctypes.byref(ctypes.c_ushort.from_buffer(buffer))


def decode(buffer: bytearray, count: int) -> str:
    """UTF-16 to a string; lone surrogates are left out."""
    return str(memoryview(buffer)[: 2 * max(count, 0)], "utf-16-le", "ignore")


def string(read: Callable[[Any, int], int]) -> str:
    """A string by pdfium's two-call convention: its size in bytes first, then itself."""
    size = read(None, 0)
    if not 2 < size <= _MAX_STRING_BYTES:  # noqa: PLR2004 # two bytes are the terminator alone
        return ""
    buffer = bytearray(size + size % 2)
    read(units(buffer), size)
    return decode(buffer, size // 2 - 1)


def by_address(function: Any, *arguments: Any, result: Any = ctypes.c_int) -> Any:
    """The function with plain addresses for pointers: half the cost of a call, for bulk use."""
    return ctypes.PYFUNCTYPE(result, *arguments)(address(function))


def address(handle: Any) -> int:
    """The address that a handle of pdfium stands for."""
    return ctypes.cast(handle, ctypes.c_void_p).value or 0
