"""Why a locked Office document is not opened, in the words that are used for PDFs."""

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.reasons import Reason


def locked(password: bytes | None) -> ExtractionError:
    """The refusal of a document that the password, or the lack of one, does not open."""
    if password:
        return ExtractionError(
            Reason.ENCRYPTED, "The document is encrypted, and the password given does not open it."
        )
    return ExtractionError(
        Reason.ENCRYPTED, "The document is encrypted; opening it needs a password."
    )


def unsupported() -> ExtractionError:
    """The refusal of a document that no password opens here."""
    return ExtractionError(
        Reason.ENCRYPTED, "The document is encrypted by a method that is not supported."
    )
