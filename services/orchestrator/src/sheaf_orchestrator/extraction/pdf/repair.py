"""What pdfium refuses, written anew by qpdf."""

import io

import pikepdf

from sheaf_orchestrator.extraction.limits import MIB
from sheaf_orchestrator.extraction.pdf.pdfium import Content
from sheaf_orchestrator.extraction.pdf.qpdf import open_pdf

_MAX_CONTENT_BYTES = 64 * MIB


class LockedError(Exception):
    """The document is encrypted, and the password does not open it."""


def repair(content: Content, password: bytes | None) -> bytes | None:
    """The same document with a new structure, no longer encrypted; None if there is no hope.

    Streams are copied as they are, so that the copy grows no larger than the original. Raises
    LockedError.
    """
    if len(content) > _MAX_CONTENT_BYTES:
        return None
    out = io.BytesIO()
    try:
        with open_pdf(content, password) as broken:
            broken.save(
                out,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
                encryption=False,
            )
    except pikepdf.PasswordError as error:
        raise LockedError from error
    except (pikepdf.PdfError, RuntimeError, ValueError, IndexError):
        return None
    return out.getvalue()
