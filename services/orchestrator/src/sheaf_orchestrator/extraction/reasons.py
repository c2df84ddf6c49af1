"""The closed set of reason codes that extraction can give, with a sentence a person can read."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a document ended without a result, or why its result is partial.

    The value is stable: it is stored in the document's row, shown by the API and counted in
    metrics. ``sentence`` explains it to the person who sent the document.
    """

    ENCRYPTED = "ENCRYPTED"
    DAMAGED = "DAMAGED"
    EMPTY = "EMPTY"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_PAGES = "TOO_MANY_PAGES"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    ARCHIVE_LIMIT = "ARCHIVE_LIMIT"
    PAGE_NOT_FOUND = "PAGE_NOT_FOUND"
    PAGES_OUT_OF_RANGE = "PAGES_OUT_OF_RANGE"
    OUTPUT_LIMIT = "OUTPUT_LIMIT"
    MEMORY_LIMIT = "MEMORY_LIMIT"
    TIME_LIMIT = "TIME_LIMIT"
    CRASHED = "CRASHED"
    EXTRACTOR_ERROR = "EXTRACTOR_ERROR"

    @property
    def sentence(self) -> str:
        """One sentence for the document's owner, without evidence or numbers."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.ENCRYPTED: "The document is encrypted and cannot be opened without its password.",
    Reason.DAMAGED: "The document is damaged, or is not of the type that it claims to be.",
    Reason.EMPTY: "The document has no content.",
    Reason.UNSUPPORTED_FORMAT: "Documents of this format cannot be read.",
    Reason.TOO_LARGE: "The document has more bytes than extraction accepts.",
    Reason.TOO_MANY_PAGES: "The document has more pages than extraction accepts.",
    Reason.TOO_MANY_PIXELS: "The picture has more pixels than extraction accepts.",
    Reason.ARCHIVE_LIMIT: "The document's container unpacks to more than extraction accepts.",
    Reason.PAGE_NOT_FOUND: "The document has no page of this number.",
    Reason.PAGES_OUT_OF_RANGE: "The document has none of the pages that were wanted.",
    Reason.OUTPUT_LIMIT: "The document holds more text than extraction keeps.",
    Reason.MEMORY_LIMIT: "The document needs more memory than extraction grants.",
    Reason.TIME_LIMIT: "The document needs more time than extraction grants.",
    Reason.CRASHED: "The document made the extraction process crash.",
    Reason.EXTRACTOR_ERROR: "The extractor failed on this document in an unforeseen way.",
}
