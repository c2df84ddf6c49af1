"""What an owner asks of a document's extraction, and the text that a row keeps of it."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.pages import PageRange, check_pages, pages_of_text, text_of_pages

_MAX_LANGUAGES: Final = 5
_LANGUAGE: Final = re.compile(r"[a-z]{3}")


class OcrMode(Enum):
    """When pages are recognised."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one document; languages are ISO 639-3 codes, most likely first."""

    words: bool = False
    ocr: OcrMode = OcrMode.AUTO
    ocr_languages: tuple[str, ...] = ()
    pages: tuple[PageRange, ...] = ()
    """The pages wanted, ascending, apart from each other; empty means all."""


DEFAULTS: Final = Options()


def text_of(options: Options) -> str:
    """The options in words, such as `words ocr=always pages=1-3`; empty for the defaults."""
    said = ["words"] if options.words else []
    if options.ocr is not OcrMode.AUTO:
        said.append(f"ocr={options.ocr.value}")
    if options.ocr_languages:
        said.append(f"lang={','.join(options.ocr_languages)}")
    if options.pages:
        said.append(f"pages={text_of_pages(options.pages)}")
    return " ".join(said)


def options_of(text: str) -> Options:
    """The options of such a text. A word that a newer release wrote is passed over."""
    said = dict(word.partition("=")[::2] for word in text.split())
    modes = {mode.value: mode for mode in OcrMode}
    return Options(
        words="words" in said,
        ocr=modes.get(said.get("ocr", ""), OcrMode.AUTO),
        ocr_languages=tuple(filter(None, said.get("lang", "").split(","))),
        pages=pages_of_text(said.get("pages", "")),
    )


def check_options(place: str, options: Options) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if the languages or pages cannot be recorded."""
    languages = options.ocr_languages
    if len(languages) > _MAX_LANGUAGES or not all(map(_LANGUAGE.fullmatch, languages)):
        field = f"{place}.ocr_languages"
        raise InvalidInput(
            "FIELD_INVALID",
            f"{field} must be at most {_MAX_LANGUAGES} ISO 639-3 codes",
            evidence={"field": field},
        )
    check_pages(place, options.pages)
