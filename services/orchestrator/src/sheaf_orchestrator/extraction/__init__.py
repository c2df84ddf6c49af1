"""Extraction: a document's bytes in, a result object out, in recycled subprocesses.

Map of the package; nothing in it imports anything else of the service:

    limits.py     every number, in one frozen object
    reasons.py    the closed set of reason codes, each with a sentence
    errors.py     the error tree
    result.py     the versioned result schema, its encoding and decoding
    options.py    what a client may ask of a document's extraction
    wanted.py     which pages of a document are wanted
    recognised.py pages read by character recognition, until they are merged into a result
    types.py      the content types that are read, by name
    registry.py   which extractor reads which content type
    detection.py  what a file is, by its content
    signatures.py, zips.py, ole.py   what it looks at
    language.py   the language of a text
    schema.py     the published JSON Schema
    cleaning.py   text as results hold it
    markdown.py   Markdown as results hold it
    composing.py  pages put together from blocks, for formats without fixed pages
    notes.py      warnings, bounded
    attaching.py  files inside a document: their names, and how many are taken
    bytefile.py   a file over bytes that are there already
    identity.py   the ids of attached files
    pdf/          PDF, by pdfium; forms and repair by pikepdf
    office/       Word, Excel, PowerPoint, OpenDocument, RTF
    text/         plain text in any encoding
    html/         HTML, by resiliparse
    markup/       Markdown
    tabular/      CSV and TSV
    mail/         EML and MSG
    images/       pictures, by Pillow
    thumbnails.py small pictures of pages
    ocr/          character recognition: engines, and what is around them; the OCR lane's alone
    merging.py    recognised pages put into a result
    poison.py     what to do when a document kills its subprocess: once more alone, then
                  quarantine
    sandbox/      the subprocesses: pool (parent) and worker (child)

Extractors are pure functions and can be called anywhere; a stranger's document belongs in
the pool::

    async with ExtractionPool(Limits()) as pool:
        extraction = await extract_with_retry(pool, request, content)

Names are loaded on first use, so that the subprocess, which is a part of this package, does
not pay for what only the parent needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sheaf_orchestrator.extraction.errors import (
        ExtractionError,
        ExtractionFailed,
        PoolBusy,
        PoolClosed,
        PoolError,
        Quarantined,
        WorkerDied,
        WorkersUnavailable,
    )
    from sheaf_orchestrator.extraction.limits import Limits
    from sheaf_orchestrator.extraction.options import OcrMode, Options
    from sheaf_orchestrator.extraction.poison import extract_with_retry, once_more_alone
    from sheaf_orchestrator.extraction.reasons import Reason
    from sheaf_orchestrator.extraction.recognised import (
        Recognised,
        RecognisedPage,
        decode_recognised,
        encode_recognised,
    )
    from sheaf_orchestrator.extraction.result import (
        Annotation,
        AttachedFile,
        Attachment,
        Extracted,
        FormField,
        Link,
        Metadata,
        OutlineEntry,
        Page,
        Result,
        ResultFormatError,
        ResultWarning,
        Table,
        Word,
        decode_result,
        encode_result,
    )
    from sheaf_orchestrator.extraction.sandbox.pool import ExtractionPool
    from sheaf_orchestrator.extraction.sandbox.protocol import (
        Extraction,
        RecogniseRequest,
        Request,
        ThumbnailRequest,
    )
    from sheaf_orchestrator.extraction.sandbox.stats import PoolStats

__all__ = [
    "Annotation",
    "AttachedFile",
    "Attachment",
    "Extracted",
    "Extraction",
    "ExtractionError",
    "ExtractionFailed",
    "ExtractionPool",
    "FormField",
    "Limits",
    "Link",
    "Metadata",
    "OcrMode",
    "Options",
    "OutlineEntry",
    "Page",
    "PoolBusy",
    "PoolClosed",
    "PoolError",
    "PoolStats",
    "Quarantined",
    "Reason",
    "RecogniseRequest",
    "Recognised",
    "RecognisedPage",
    "Request",
    "Result",
    "ResultFormatError",
    "ResultWarning",
    "Table",
    "ThumbnailRequest",
    "Word",
    "WorkerDied",
    "WorkersUnavailable",
    "decode_recognised",
    "decode_result",
    "encode_recognised",
    "encode_result",
    "extract_with_retry",
    "once_more_alone",
]

_ROOMS = {
    "errors": (
        "ExtractionError",
        "ExtractionFailed",
        "PoolBusy",
        "PoolClosed",
        "PoolError",
        "Quarantined",
        "WorkerDied",
        "WorkersUnavailable",
    ),
    "limits": ("Limits",),
    "options": ("OcrMode", "Options"),
    "poison": ("extract_with_retry", "once_more_alone"),
    "reasons": ("Reason",),
    "recognised": ("Recognised", "RecognisedPage", "decode_recognised", "encode_recognised"),
    "result": (
        "Annotation",
        "AttachedFile",
        "Attachment",
        "Extracted",
        "FormField",
        "Link",
        "Metadata",
        "OutlineEntry",
        "Page",
        "Result",
        "ResultFormatError",
        "ResultWarning",
        "Table",
        "Word",
        "decode_result",
        "encode_result",
    ),
    "sandbox.pool": ("ExtractionPool",),
    "sandbox.protocol": ("Extraction", "RecogniseRequest", "Request", "ThumbnailRequest"),
    "sandbox.stats": ("PoolStats",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name from its room on first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
