"""What a client may ask for its documents, checked as it was written. No I/O.

Every refusal is an InvalidInput `OPTION_INVALID` that names the field and what it may be, and
never repeats what was sent: it may be a password in the wrong field.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from sheaf_common.errors import InvalidInput
from sheaf_gateway.pages import PAGES_ALLOWED, PageRange, parse_pages

MAX_LANGUAGES: Final = 5
PASSWORD_MAX_BYTES: Final = 127
"""As much as PDF takes (ISO 32000-2, 7.6.4.3.3)."""

LANGUAGES_ALLOWED: Final = f"at most {MAX_LANGUAGES} codes of ISO 639-3, such as eng or deu"
PASSWORD_ALLOWED: Final = f"text of at most {PASSWORD_MAX_BYTES} bytes in UTF-8"

_LANGUAGE: Final = re.compile(r"[a-z]{3}")
_BOOLEANS: Final = {"true": True, "false": False}

EnumT = TypeVar("EnumT", bound=StrEnum)


class Priority(StrEnum):
    """How urgent documents are."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class OcrMode(StrEnum):
    """When pages are read by optical character recognition."""

    AUTO = "auto"
    """Where a page has no usable text of its own."""
    ALWAYS = "always"
    """Every page."""
    NEVER = "never"
    """No page."""


class Duplicates(StrEnum):
    """What becomes of a file whose content the user has uploaded before."""

    REUSE = "reuse"
    """It completes at once with a copy of the result, if that is current."""
    PROCESS = "process"
    """It is processed as any other."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked of an extraction; languages are ISO 639-3 codes, most likely first."""

    words: bool = False
    ocr: OcrMode = OcrMode.AUTO
    ocr_languages: tuple[str, ...] = ()
    pages: tuple[PageRange, ...] = ()
    """Those wanted, ascending, apart from each other; empty means all."""


DEFAULT_OPTIONS: Final = Options()


@dataclass(frozen=True, slots=True)
class OptionChanges:
    """Options as far as a client named them; None is one that it did not."""

    words: bool | None = None
    ocr: OcrMode | None = None
    ocr_languages: tuple[str, ...] | None = None
    pages: tuple[PageRange, ...] | None = None

    @property
    def any_named(self) -> bool:
        """Whether there is something to change."""
        return self != NO_CHANGES

    @property
    def all_named(self) -> bool:
        """Whether nothing stays as it was."""
        return None not in (self.words, self.ocr, self.ocr_languages, self.pages)

    def applied_to(self, options: Options) -> Options:
        """`options` with what was named."""
        return Options(
            options.words if self.words is None else self.words,
            self.ocr or options.ocr,
            options.ocr_languages if self.ocr_languages is None else self.ocr_languages,
            options.pages if self.pages is None else self.pages,
        )


NO_CHANGES: Final = OptionChanges()


@dataclass(frozen=True, slots=True)
class Password:
    """What opens an encrypted document. Shown nowhere."""

    utf8: bytes = field(repr=False)


def priority_of(text: str) -> Priority:
    """The priority that a field names."""
    return _member("priority", Priority, text)


def ocr_mode_of(text: str) -> OcrMode:
    """The mode that a field names."""
    return _member("ocr", OcrMode, text)


def duplicates_of(text: str) -> Duplicates:
    """What a field says of duplicates."""
    return _member("duplicates", Duplicates, text)


def words_of(text: str) -> bool:
    """Whether words are wanted."""
    if text not in _BOOLEANS:
        raise invalid_option("words", " or ".join(_BOOLEANS))
    return _BOOLEANS[text]


def languages_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The languages that fields name, one or, with commas, several each; repeated ones once."""
    names = [name.strip().lower() for text in texts for name in text.split(",")]
    languages = [name for name in names if name]
    if len(languages) > MAX_LANGUAGES or not all(map(_LANGUAGE.fullmatch, languages)):
        raise invalid_option("ocr_language", LANGUAGES_ALLOWED)
    return tuple(dict.fromkeys(languages))


def pages_of(text: str) -> tuple[PageRange, ...]:
    """The pages that a field names, in order; empty means all."""
    try:
        return parse_pages(text)
    except ValueError:
        raise invalid_option("pages", PAGES_ALLOWED) from None


def password_of(content: bytes) -> Password:
    """The password that a field holds, every byte of it."""
    try:
        content.decode()
    except UnicodeDecodeError:
        raise invalid_option("password", PASSWORD_ALLOWED) from None
    if not 0 < len(content) <= PASSWORD_MAX_BYTES:
        raise invalid_option("password", PASSWORD_ALLOWED)
    return Password(content)


def invalid_option(name: str, allowed: str) -> InvalidInput:
    """A field holds what it may not."""
    return InvalidInput(
        "OPTION_INVALID",
        f"{name} must be {allowed}",
        evidence={"field": name, "allowed": allowed},
    )


def _member(name: str, enum: type[EnumT], text: str) -> EnumT:
    try:
        return enum(text)
    except ValueError:
        allowed = [member.value for member in enum]
        raise invalid_option(name, f"{', '.join(allowed[:-1])} or {allowed[-1]}") from None
