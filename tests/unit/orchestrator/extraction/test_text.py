"""What the plain-text extractor promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason
from sheaf_orchestrator.extraction import text as text_extractor
from sheaf_orchestrator.extraction.result import Extracted

LIMITS = Limits()
GERMAN = "Größe, Straße und Übermaß: für die Prüfung der Beträge wäre schön. " * 20
RUSSIAN = "Съешь ещё этих мягких французских булок, да выпей же чаю. " * 20
JAPANESE = "請求書の合計金額は、次の通りです。よろしくお願いいたします。" * 20


def extract(content: bytes, limits: Limits) -> Extracted:
    """What is in the text."""
    return text_extractor.extract(content, Options(), limits)


@pytest.mark.parametrize(
    ("content", "encoding", "text"),
    [
        (b"plain", "utf-8", "plain"),
        ("naïve €".encode(), "utf-8", "naïve €"),
        ("naïve €".encode("utf-8-sig"), "utf-8", "naïve €"),
        ("naïve €".encode("utf-16"), "utf-16-le", "naïve €"),
        (b"\xfe\xff" + "naïve".encode("utf-16-be"), "utf-16-be", "naïve"),
        ("naïve €".encode("utf-32"), "utf-32-le", "naïve €"),
        ("no mark at all".encode("utf-16-le"), "utf-16-le", "no mark at all"),
        ("no mark at all".encode("utf-16-be"), "utf-16-be", "no mark at all"),
    ],
)
def test_unicode_is_recognised(content: bytes, encoding: str, text: str) -> None:
    """UTF-8, UTF-16 and UTF-32 are told apart by mark or pattern, and recorded."""
    extracted = extract(content, LIMITS)
    assert (extracted.metadata.encoding, extracted.pages[0].text) == (encoding, text)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(GERMAN, "cp1252"), (RUSSIAN, "cp1251"), (JAPANESE, "shift_jis"), (JAPANESE, "euc_jp")],
)
def test_older_encodings_are_guessed(text: str, encoding: str) -> None:
    """Text in an encoding of its language comes out right."""
    assert extract(text.encode(encoding), LIMITS).pages[0].text == text


def test_the_likelier_of_equals_is_taken() -> None:
    """Where several encodings give the same text, the commonest is recorded."""
    assert extract("café crème".encode("cp1252"), LIMITS).metadata.encoding == "cp1252"


def test_a_late_foreign_byte_is_seen() -> None:
    """The guess looks where the text stops being UTF-8, not only at its start."""
    content = b"ascii line\n" * 10_000 + GERMAN.encode("cp1252")
    assert extract(content, LIMITS).pages[0].text.endswith(GERMAN)


def test_damaged_utf8_stays_utf8() -> None:
    """A bad byte in a text of UTF-8 is replaced and reported; the rest is not misread."""
    extracted = extract(GERMAN.encode() + b"\xff" + GERMAN.encode(), LIMITS)
    assert extracted.pages[0].text == f"{GERMAN}\ufffd{GERMAN}"
    assert [w.code for w in extracted.warnings] == ["UNDECODABLE_BYTES"]


def test_form_feeds_part_pages() -> None:
    """Each form feed begins a page, except one at the very end."""
    pages = extract(b"one\r\n\x0ctwo\rlines\x0c", LIMITS).pages
    assert [(p.number, p.text, p.width) for p in pages] == [
        (1, "one\n", None),
        (2, "two\nlines", None),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"\x7fELF\x02\x01\x01" + bytes(100), Reason.UNSUPPORTED_FORMAT),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", Reason.UNSUPPORTED_FORMAT),
        (bytes(range(256)) * 40, Reason.UNSUPPORTED_FORMAT),
        (b"\x0c" * 5, Reason.TOO_MANY_PAGES),
    ],
)
def test_what_is_no_text_says_why(content: bytes, reason: Reason) -> None:
    """Nothing, binary content and too many form feeds each have their reason."""
    with pytest.raises(ExtractionError) as caught:
        extract(content, Limits(pages=3))
    assert caught.value.reason is reason


def test_too_much_text_is_cut() -> None:
    """Over the limit the first characters are kept, and the result is partial."""
    extracted = extract("äbcdef".encode(), Limits(characters=4))
    assert (extracted.pages[0].text, extracted.partial) == ("äbcd", True)


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_end_well(content: bytes) -> None:
    """Whatever the bytes, there is text that can be encoded, or a reason."""
    try:
        extracted = extract(content, LIMITS)
    except ExtractionError:
        return
    for page in extracted.pages:
        page.text.encode()
