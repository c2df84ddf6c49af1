"""What is asked of a document: in words in its row, checked before."""

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.options import OcrMode, Options, check_options, options_of, text_of
from sheaf_metadata.domain.pages import MAX_CHARACTERS, PageRange, text_of_pages


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
        (
            Options(pages=(PageRange(1, 3), PageRange(7, 7), PageRange(10, 0))),
            "pages=1-3,7,10-",
        ),
    ],
)
def test_options_are_kept_in_words(options: Options, text: str) -> None:
    """And read from them again."""
    assert text_of(options) == text
    assert options_of(text) == options


def test_the_longest_options_fit_their_column() -> None:
    """It has 255 characters."""
    pages = tuple(PageRange(1000 + 20 * n, 1009 + 20 * n) for n in range(20))
    longest = Options(words=True, ocr=OcrMode.ALWAYS, ocr_languages=("eng",) * 5, pages=pages)
    check_options("options", longest)

    assert MAX_CHARACTERS - 2 <= len(text_of_pages(pages)) <= MAX_CHARACTERS
    assert len(text_of(longest)) + MAX_CHARACTERS - len(text_of_pages(pages)) <= 255


@pytest.mark.parametrize(
    "pages",
    [
        [(0, 3)], [(-1, 3)], [(3, 2)], [(5, 5), (1, 2)], [(1, 3), (3, 5)], [(4, 0), (9, 9)],
        [(1, 1_000_001)], [(1_000_001, 0)], [(n, n) for n in range(1, 42, 2)],
        [(100_000 + 10 * n, 100_004 + 10 * n) for n in range(20)],
    ],
)  # fmt: skip
def test_pages_are_ascending_ranges_apart_from_each_other(pages: list[tuple[int, int]]) -> None:
    """Twenty at most, and as text no longer than there is room."""
    with pytest.raises(InvalidInput) as refused:
        check_options("options", Options(pages=tuple(PageRange(*each) for each in pages)))
    assert refused.value.evidence["field"] == "options.pages"


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
