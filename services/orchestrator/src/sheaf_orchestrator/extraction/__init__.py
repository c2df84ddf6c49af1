"""Extraction: a document's bytes in, a result object out, in recycled subprocesses.

Map of the package; nothing in it imports anything else of the service:

    limits.py     every number, in one frozen object
    reasons.py    the closed set of reason codes, each with a sentence
    errors.py     the error tree
    result.py     the versioned result schema, its encoding and decoding
    registry.py   which extractor reads which content type
    cleaning.py   text as results hold it
    notes.py      warnings, bounded
    pdf/          PDF, by pdfium
    text/         plain text in any encoding
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
    from sheaf_orchestrator.extraction.poison import extract_with_retry
    from sheaf_orchestrator.extraction.reasons import Reason
    from sheaf_orchestrator.extraction.result import (
        Metadata,
        OutlineEntry,
        Page,
        Result,
        ResultFormatError,
        ResultWarning,
        decode_result,
        encode_result,
    )
    from sheaf_orchestrator.extraction.sandbox.pool import ExtractionPool
    from sheaf_orchestrator.extraction.sandbox.protocol import Extraction, Request
    from sheaf_orchestrator.extraction.sandbox.stats import PoolStats

__all__ = [
    "Extraction",
    "ExtractionError",
    "ExtractionFailed",
    "ExtractionPool",
    "Limits",
    "Metadata",
    "OutlineEntry",
    "Page",
    "PoolBusy",
    "PoolClosed",
    "PoolError",
    "PoolStats",
    "Quarantined",
    "Reason",
    "Request",
    "Result",
    "ResultFormatError",
    "ResultWarning",
    "WorkerDied",
    "WorkersUnavailable",
    "decode_result",
    "encode_result",
    "extract_with_retry",
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
    "poison": ("extract_with_retry",),
    "reasons": ("Reason",),
    "result": (
        "Metadata",
        "OutlineEntry",
        "Page",
        "Result",
        "ResultFormatError",
        "ResultWarning",
        "decode_result",
        "encode_result",
    ),
    "sandbox.pool": ("ExtractionPool",),
    "sandbox.protocol": ("Extraction", "Request"),
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
