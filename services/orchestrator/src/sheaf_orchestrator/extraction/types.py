"""The content types that extraction reads, by the names that the code uses for them."""

from typing import Final

PDF: Final = "application/pdf"

DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
ODT: Final = "application/vnd.oasis.opendocument.text"
ODS: Final = "application/vnd.oasis.opendocument.spreadsheet"
ODP: Final = "application/vnd.oasis.opendocument.presentation"
DOC: Final = "application/msword"
XLS: Final = "application/vnd.ms-excel"
PPT: Final = "application/vnd.ms-powerpoint"
RTF: Final = "application/rtf"

HTML: Final = "text/html"
MARKDOWN: Final = "text/markdown"
CSV: Final = "text/csv"
TSV: Final = "text/tab-separated-values"
TEXT: Final = "text/plain"
EML: Final = "message/rfc822"
MSG: Final = "application/vnd.ms-outlook"

PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
WEBP: Final = "image/webp"
TIFF: Final = "image/tiff"
GIF: Final = "image/gif"
BMP: Final = "image/bmp"
IMAGES: Final = frozenset({PNG, JPEG, WEBP, TIFF, GIF, BMP})

OLE: Final = "application/x-ole-storage"
"""The container of DOC, XLS, PPT and MSG, before its streams say which."""
LOCKED: Final = "application/x-ooxml-protected"
"""DOCX, XLSX or PPTX in its container, locked with a password; which, only that tells."""
