"""A document opened by pikepdf, for what pdfium cannot tell or will not open."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

import pikepdf
from pikepdf.settings import set_qpdf_limits

from sheaf_orchestrator.extraction.bytefile import ByteFile
from sheaf_orchestrator.extraction.limits import MIB
from sheaf_orchestrator.extraction.pdf.pdfium import Content

_MAX_FILTERS: Final = 4
_COPIED_BYTES: Final = 16 * MIB
"""Of a document up to this size a copy is read, which is quicker."""

UNREADABLE: Final = (
    pikepdf.PdfError,
    pikepdf.PasswordError,
    pikepdf.ForeignObjectError,
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a damaged document makes pikepdf raise."""


def open_pdf(content: Content, password: bytes | None) -> pikepdf.Pdf:
    """The document. Raises pikepdf.PasswordError, PdfError and what else pikepdf may raise.

    The password is UTF-8; older methods of encryption want it in Latin-1, which pdfium tries
    by itself and pikepdf does not.
    """
    try:
        return pikepdf.open(_file(content), password=password or b"")
    except pikepdf.PasswordError:
        latin = (password or b"").decode("utf-8", "ignore").encode("latin-1", "ignore")
        if latin == password or not latin:
            raise
        return pikepdf.open(_file(content), password=latin)


def _file(content: Content) -> BinaryIO:
    small = len(content) <= _COPIED_BYTES
    return io.BytesIO(content) if small else cast("BinaryIO", ByteFile(content))


@contextmanager
def unpacking_up_to(max_bytes: int) -> Iterator[None]:
    """What is unpacked meanwhile ends at so many bytes (at least 1), and raises one of UNREADABLE.

    Its message then holds the words "memory limit": there is no class of its own for it.
    qpdf holds to it in each filter of a stream but LZW and ASCII85, and takes at most four. The
    limits are those of the process, so that nothing else may be read meanwhile.
    """
    before: dict[str, Any] = set_qpdf_limits(
        flate_max_memory=max_bytes,
        png_max_memory=max_bytes,
        run_length_max_memory=max_bytes,
        tiff_max_memory=max_bytes,
        max_stream_filters=_MAX_FILTERS,
    )
    try:
        yield
    finally:
        set_qpdf_limits(**before)
