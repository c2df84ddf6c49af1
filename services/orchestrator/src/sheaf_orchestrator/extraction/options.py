"""What a client may ask of the extraction of one document."""

from enum import StrEnum

import msgspec


class OcrMode(StrEnum):
    """When a page is read by optical character recognition."""

    AUTO = "auto"
    """Where a page has no usable text of its own."""
    ALWAYS = "always"
    """Every page, whatever text it has; of formats that have no pages to draw, none."""
    NEVER = "never"
    """No page: a scan completes without text."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one document. The password is no part of what is shown of it."""

    words: bool = False
    """Whether the result holds the words of each page with their boxes."""
    ocr: OcrMode = OcrMode.AUTO
    ocr_languages: tuple[str, ...] = ()
    """ISO 639-3 codes, e.g. ``eng``, ``deu``, most likely first; empty: the engine's default."""
    pages: tuple[tuple[int, int], ...] = ()
    """The pages wanted, as ``wanted.PageRanges``; empty means all."""
    password: bytes | None = None
    """What opens an encrypted document, UTF-8; None if there is none."""

    def __repr__(self) -> str:
        """Everything but the password, which must not reach a log."""
        given = "None" if self.password is None else "'***'"
        return (
            f"Options(words={self.words}, ocr={self.ocr.value!r}, "
            f"ocr_languages={self.ocr_languages}, pages={self.pages}, password={given})"
        )
