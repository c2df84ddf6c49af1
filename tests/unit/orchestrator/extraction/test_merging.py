"""What merging recognised pages into a result promises."""

import msgspec

from sheaf_orchestrator.extraction import (
    Limits,
    Metadata,
    Options,
    Page,
    Recognised,
    RecognisedPage,
    Result,
    ResultWarning,
    Word,
    markdown,
)
from sheaf_orchestrator.extraction.merging import merge

LIMITS = Limits()
WORD = Word("seen", (1.0, 2.0, 3.0, 4.0), 0.9)


def result(*texts: str, warnings: tuple[ResultWarning, ...] = ()) -> Result:
    """What the text lane found: a heading and a text for each page that has one."""
    whole, starts = markdown.join_pages([f"# {text}" if text else "" for text in texts])
    return Result(
        document_id="id",
        attempt=1,
        content_type="application/pdf",
        size_bytes=1,
        sha256=None,
        page_count=len(texts),
        character_count=sum(map(len, texts)),
        partial=False,
        metadata=Metadata(),
        pages=[
            Page(number, 100.0, 200.0, 90, text, len(text))
            for number, text in enumerate(texts, start=1)
        ],
        outline=[],
        warnings=list(warnings),
        markdown=whole,
        markdown_starts=starts,
    )


def seen(number: int, text: str = "seen", **more: object) -> RecognisedPage:
    """A page that was recognised."""
    found = RecognisedPage(
        number=number,
        width=200.0,
        height=100.0,
        text=text,
        confidence=0.9,
        words=[WORD],
        markdown=f"## {text}",
    )
    return msgspec.structs.replace(found, **more)


def failed(number: int, code: str = "TIME_LIMIT") -> RecognisedPage:
    """A page that could not be."""
    warning = ResultWarning(code=code, message="It took too long.", page=number)
    return RecognisedPage(
        number=number,
        width=None,
        height=None,
        text="",
        confidence=None,
        failed=True,
        warnings=[warning],
    )


def merged(
    base: Result, *pages: RecognisedPage, options: Options | None = None, limits: Limits = LIMITS
) -> Result:
    """The result with the pages, each from a request of its own."""
    found = [Recognised(engine="engine 1", pages=[page]) for page in pages]
    return merge(base, found, options or Options(), limits)


def codes(whole: Result) -> list[tuple[str, int | None]]:
    """Codes and pages of the warnings."""
    return [(warning.code, warning.page) for warning in whole.warnings]


def test_recognised_pages_take_the_place_of_the_pages_own() -> None:
    """Text, size, confidence and Markdown are those seen; the other pages are as they were."""
    whole = merged(result("first", "", "third"), seen(2, "second", rotation=90))
    assert [page.text for page in whole.pages] == ["first", "second", "third"]
    assert [page.ocr for page in whole.pages] == [False, True, False]
    page = whole.pages[1]
    assert (page.width, page.height, page.rotation, page.confidence) == (200.0, 100.0, 180, 0.9)
    assert whole.character_count == len("firstsecondthird")
    assert whole.markdown == "# first\n\n## second\n\n# third"
    assert (whole.ocr_engine, whole.partial) == ("engine 1", False)


def test_merging_is_repeatable() -> None:
    """A merged result says again where the Markdown of each page begins."""
    once = merged(result("", "", "third"), seen(1, "one"))
    assert merged(once, seen(2, "two")).markdown == "## one\n\n## two\n\n# third"


def test_words_are_kept_when_they_were_asked_for() -> None:
    """With their boxes and confidence; else the page has none."""
    assert merged(result(""), seen(1), options=Options(words=True)).pages[0].words == [WORD]
    assert merged(result(""), seen(1)).pages[0].words is None


def test_a_warning_of_missing_text_goes_when_it_is_no_longer_true() -> None:
    """It stays while a page has neither text nor was recognised, or all of them hold none."""
    base = result("", "", warnings=(ResultWarning("NO_TEXT", "No text."),))
    assert codes(merged(base, seen(1), seen(2))) == []
    assert codes(merged(base, seen(1))) == [("NO_TEXT", None)]
    assert codes(merged(base, seen(1, ""), seen(2, ""))) == [("NO_TEXT", None)]


def test_a_failed_page_leaves_its_reason_and_a_partial_result() -> None:
    """The pages beside it are merged, its own text stays."""
    whole = merged(result("kept", ""), failed(1), seen(2))
    assert [page.text for page in whole.pages] == ["kept", "seen"]
    assert (whole.partial, codes(whole)) == (True, [("TIME_LIMIT", 1)])
    assert merged(result("kept"), failed(1)).ocr_engine is None


def test_a_page_that_failed_first_and_was_read_then_is_read() -> None:
    """In whichever order the two are merged."""
    for pages in ([failed(1), seen(1)], [seen(1), failed(1)]):
        whole = merged(result(""), *pages)
        assert (whole.pages[0].text, whole.partial) == ("seen", False)


def test_limits_hold_for_the_whole() -> None:
    """What is over them is left out, and the result says so."""
    tight = merged(result("12345", ""), seen(2, "678901"), limits=Limits(characters=8))
    assert [page.text for page in tight.pages] == ["12345", "678"]
    assert (tight.partial, codes(tight)) == (True, [("OUTPUT_LIMIT", None)])
    few = merged(result(""), seen(1), options=Options(words=True), limits=Limits(words=0))
    assert (few.pages[0].words, few.partial) == ([], True)


def test_the_warning_of_a_page_gets_its_number() -> None:
    """An engine's warnings do not know it."""
    page = seen(2, warnings=[ResultWarning("OCR_LANGUAGE_UNAVAILABLE", "No engine reads it.")])
    assert codes(merged(result("", ""), page, seen(1))) == [("OCR_LANGUAGE_UNAVAILABLE", 2)]


def test_pages_of_markdown_can_be_parted_again() -> None:
    """Empty ones included, wherever they stand."""
    for parts in (["a", "", "b"], ["", "a"], ["a", ""], ["", ""], [], ["a\n\nb", "c"]):
        whole, starts = markdown.join_pages(parts)
        assert markdown.split_pages(whole, starts) == parts
        assert whole == markdown.join(parts)
