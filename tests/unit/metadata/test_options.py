"""What is asked of a document: in words in its row, checked before."""

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.options import OcrMode, Options, check_options, options_of, text_of


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (Options(), ""),
        (Options(words=True), "words"),
        (Options(ocr=OcrMode.NEVER), "ocr=never"),
        (Options(ocr_languages=("deu",)), "lang=deu"),
        (
            Options(words=True, ocr=OcrMode.ALWAYS, ocr_languages=("eng", "deu", "fra")),
            "words ocr=always lang=eng,deu,fra",
        ),
    ],
)
def test_options_are_kept_in_words(options: Options, text: str) -> None:
    """And read from them again; the column has 64 characters."""
    assert text_of(options) == text
    assert options_of(text) == options
    assert len(text_of(Options(words=True, ocr=OcrMode.ALWAYS, ocr_languages=("eng",) * 5))) <= 64


def test_words_of_a_newer_release_are_passed_over() -> None:
    """Services that are one version apart share the rows."""
    assert options_of("words tables=2 ocr=twice lang=eng") == Options(
        words=True, ocr_languages=("eng",)
    )


@pytest.mark.parametrize("languages", [("en",), ("ENG",), ("eng",) * 6, ("a,b",), ("",)])
def test_languages_are_codes_of_three_letters(languages: tuple[str, ...]) -> None:
    """Five at most; the field is named in its place."""
    with pytest.raises(InvalidInput) as refused:
        check_options("options", Options(ocr_languages=languages))
    assert refused.value.evidence["field"] == "options.ocr_languages"
