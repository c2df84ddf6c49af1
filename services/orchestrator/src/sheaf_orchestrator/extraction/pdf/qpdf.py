"""A document opened by pikepdf, for what pdfium cannot tell or will not open."""

import io

import pikepdf

from sheaf_orchestrator.extraction.pdf.pdfium import Content


def open_pdf(content: Content, password: bytes | None) -> pikepdf.Pdf:
    """The document. Raises pikepdf.PasswordError, PdfError and what else pikepdf may raise.

    The password is UTF-8; older methods of encryption want it in Latin-1, which pdfium tries
    by itself and pikepdf does not.
    """
    try:
        return pikepdf.open(io.BytesIO(content), password=password or b"")
    except pikepdf.PasswordError:
        latin = (password or b"").decode("utf-8", "ignore").encode("latin-1", "ignore")
        if latin == password or not latin:
            raise
        return pikepdf.open(io.BytesIO(content), password=latin)
