"""What the PDF extractor promises."""

from datetime import UTC, datetime

import msgspec
import pytest
from unit.orchestrator.extraction import pdfs

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason, pdf
from sheaf_orchestrator.extraction.result import Extracted

LIMITS = Limits()


def extract(content: bytes, limits: Limits) -> Extracted:
    """What is in the document, with nothing asked for."""
    return pdf.extract(content, Options(), limits)


def codes(extracted: Extracted) -> list[str]:
    """The codes of the warnings."""
    return [warning.code for warning in extracted.warnings]


def refused(content: bytes, limits: Limits = LIMITS) -> ExtractionError:
    """The error that the content ends in."""
    with pytest.raises(ExtractionError) as caught:
        extract(content, limits)
    return caught.value


def test_pages_have_number_size_and_text() -> None:
    """Pages come in order, counted from 1, with their size in points and their text."""
    pages = extract(pdfs.written("first page", "second page"), LIMITS).pages
    assert [(p.number, p.width, p.height, p.rotation, p.text) for p in pages] == [
        (1, 595.0, 842.0, 0, "first page"),
        (2, 595.0, 842.0, 0, "second page"),
    ]
    assert [p.characters for p in pages] == [10, 11]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_read(kind: type) -> None:
    """Bytes, a buffer to write to, and a read-only view give the same."""
    assert extract(kind(pdfs.written("same")), LIMITS).pages[0].text == "same"


def test_filled_form_values_are_in_the_text() -> None:
    """What somebody typed into a form field is text of its page."""
    assert "Ada Lovelace 1815" in extract(pdfs.form("Ada Lovelace 1815"), LIMITS).pages[0].text


@pytest.mark.parametrize(("turn", "size"), [(0, (200, 800)), (90, (800, 200)), (270, (800, 200))])
def test_size_is_as_displayed(turn: int, size: tuple[float, float]) -> None:
    """A page on its side is as wide as it looks, and says how it was turned."""
    page = extract(pdfs.one_page(page=b"/Rotate %d" % turn), LIMITS).pages[0]
    assert ((page.width, page.height), page.rotation) == (size, turn)


def test_text_may_be_non_latin() -> None:
    """Japanese comes out as written."""
    assert extract(pdfs.in_japanese("請求書 日本語"), LIMITS).pages[0].text == "請求書 日本語"


@pytest.mark.parametrize(
    ("utf16", "text"),
    [
        (b"05D0", "א"),
        (b"D83DDE00", "😀"),
        (b"D83D", ""),
        (b"FFFF", "A"),
        (b"0000", ""),
    ],
)
def test_characters_survive_or_vanish_but_never_break(utf16: bytes, text: str) -> None:
    """Any plane of Unicode is kept; lone surrogates and noncharacters are left out."""
    found = extract(pdfs.with_unicode(utf16), LIMITS).pages[0].text
    found.encode()
    assert found in {text, ""}
    if len(utf16) == 8 or utf16 == b"05D0":
        assert found == text


def test_metadata_is_read() -> None:
    """Title, author and dates stand in the result; a date with a zone is in UTC."""
    metadata = extract(
        pdfs.written("x", title="Steuer ÄÖ 申告", author="B. Author"), LIMITS
    ).metadata
    assert (metadata.title, metadata.author) == ("Steuer ÄÖ 申告", "B. Author")
    assert metadata.created_at is not None
    written_at = datetime.fromisoformat(metadata.created_at)
    assert abs((datetime.now(UTC) - written_at).total_seconds()) < 3600
    assert not metadata.encrypted


def test_strange_metadata_does_no_harm() -> None:
    """NUL, lone surrogates, non-dates and wrong types end as clean text or null."""
    metadata = extract(
        pdfs.with_info(
            rb"/Title <FEFF00410000D83D0042> /Author 12 /Subject (\000\001ok)"
            rb" /Keywords [1 2] /CreationDate (yesterday) /ModDate (D:20230231)"
        ),
        LIMITS,
    ).metadata
    msgspec.json.encode(metadata)
    assert (metadata.title, metadata.subject) == ("AB", "ok")
    assert (metadata.keywords, metadata.created_at, metadata.modified_at) == (None, None, None)


def test_a_huge_title_is_cut() -> None:
    """No value of the information dictionary is longer than 4,096 characters."""
    title = extract(pdfs.with_info(b"/Title (" + b"x" * 100_000 + b")"), LIMITS).metadata.title
    assert title == "x" * 4096


def test_outline_is_flat_with_levels() -> None:
    """The table of contents is a list in document order with level and page."""
    outline = extract(pdfs.with_outline(), LIMITS).outline
    assert [(entry.title, entry.level, entry.page) for entry in outline] == [
        ("One", 0, 1),
        ("Two", 0, 2),
        ("Two point one", 1, 2),
    ]


def test_a_password_is_needed() -> None:
    """A PDF that asks for a password is ENCRYPTED."""
    assert refused(pdfs.encrypted("secret")).reason is Reason.ENCRYPTED


def test_an_empty_password_opens() -> None:
    """A PDF that is encrypted but opens for everybody is read, and says so."""
    extracted = extract(pdfs.encrypted(""), LIMITS)
    assert (extracted.pages[0].text, extracted.metadata.encrypted) == ("behind the lock", True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (pdfs.without_pages(), Reason.EMPTY),
        (b"this is no PDF at all", Reason.DAMAGED),
        (b"%PDF-1.7\n" + bytes(range(256)) * 20, Reason.DAMAGED),
        (pdfs.written("cut")[:200], Reason.DAMAGED),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: Reason) -> None:
    """Nothing, no pages, no PDF, and half a PDF each have their reason and a sentence."""
    error = refused(content)
    assert error.reason is reason
    assert error.message.endswith(".")


def test_a_bad_page_is_left_empty() -> None:
    """A page that cannot be read costs its text only: a warning names it, the rest is kept."""
    extracted = extract(pdfs.with_a_bad_page(), LIMITS)
    assert [page.text for page in extracted.pages] == ["text", "", "text"]
    assert [(w.code, w.page) for w in extracted.warnings] == [("PAGE_FAILED", 2)]
    assert extracted.partial


def test_too_many_pages_are_refused() -> None:
    """Over the page limit nothing is read."""
    limits = Limits(pages=2)
    assert len(extract(pdfs.written("a", "b"), limits).pages) == 2
    assert refused(pdfs.written("a", "b", "c"), limits).reason is Reason.TOO_MANY_PAGES


def test_too_much_text_is_cut() -> None:
    """Over the text limit what was read is kept, and the result is partial."""
    extracted = extract(pdfs.written("abcdef", "ghijkl", "mnopqr"), Limits(characters=9))
    assert [page.text for page in extracted.pages] == ["abcdef", "ghi"]
    assert (codes(extracted), extracted.partial, extracted.page_count) == (
        ["OUTPUT_LIMIT"],
        True,
        3,
    )


def test_too_slow_keeps_what_was_read() -> None:
    """When the soft limit is over no further page is begun, and the result is partial."""
    extracted = extract(pdfs.written("a", "b"), Limits(soft_s=-1.0))
    assert (extracted.pages, extracted.page_count) == ([], 2)
    assert ("TIME_LIMIT" in codes(extracted), extracted.partial) == (True, True)


def test_a_scan_is_named() -> None:
    """A document without any text says so."""
    assert codes(extract(pdfs.one_page(b""), LIMITS)) == ["NO_TEXT"]


def test_warnings_are_bounded() -> None:
    """However many things are wrong, the list of warnings stays short and counts the rest."""
    kids = b" ".join(b"%d 0 R" % number for number in range(100, 150))
    content = pdfs.by_hand(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Kids [3 0 R " + kids + b"] /Count 51>>",
            3: b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>",
        }
    )
    warnings = extract(content, Limits(warnings=5)).warnings
    assert [w.code for w in warnings] == ["PAGE_FAILED"] * 5 + ["MORE_WARNINGS"]


@pytest.mark.parametrize("depth", [50, 5000])
def test_a_deep_page_tree_ends(depth: int) -> None:
    """Whatever the depth of the page tree, extraction ends, with pages or a reason."""
    try:
        assert extract(pdfs.deep_page_tree(depth), LIMITS).page_count >= 1
    except ExtractionError as error:
        assert error.reason in {Reason.DAMAGED, Reason.EMPTY}  # noqa: PT017 # either is right


def test_a_page_tree_that_lies_is_caught() -> None:
    """A page count that is not true ends in a reason, not in a loop."""
    content = pdfs.by_hand(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Kids [3 0 R 2 0 R] /Count 99999>>",
            3: b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 9 9]>>",
        }
    )
    assert refused(content).reason is Reason.TOO_MANY_PAGES
