"""Which pages of a PDF are to be read from their picture."""

import pytest
from unit.orchestrator.extraction import layouts, pdfs

from sheaf_orchestrator.extraction import Limits, OcrMode, Options, pdf
from sheaf_orchestrator.extraction.pdf.usable import is_garbage

LETTER = (
    "This is an ordinary letter about the invoice of last month, which we paid on the third "
    "of March and for which we ask you to send a receipt to the address that you know. "
)


def ocr_pages(content: bytes, ocr: OcrMode = OcrMode.AUTO) -> list[int]:
    """The pages that the extractor names."""
    return pdf.extract(content, Options(ocr=ocr), Limits()).ocr_pages


@pytest.mark.parametrize("text", ["", "Scanned 2024-03-05"])
def test_a_scan_is_to_be_recognised(text: str) -> None:
    """A page under a picture, with no text or with a stamp only."""
    assert ocr_pages(layouts.scan(text)) == [1]


def test_a_picture_in_a_text_is_not() -> None:
    """A page whose picture is small, with few words, says what it says."""
    assert ocr_pages(layouts.scan("A caption", share=0.4)) == []


def test_an_empty_page_lacks_nothing() -> None:
    """Where nothing is drawn there is nothing to recognise."""
    assert ocr_pages(pdfs.one_page(b"")) == []


def test_every_page_when_asked_for() -> None:
    """With ``always`` a page with good text is recognised as well."""
    assert ocr_pages(pdfs.written("a", "b"), OcrMode.ALWAYS) == [1, 2]


def test_letters_of_private_use_are_no_text() -> None:
    """A font whose characters stand for nothing that anyone can read."""
    assert ocr_pages(pdfs.with_unicode(b"E001")) == [1]


@pytest.mark.parametrize(
    "garbage",
    [
        "".join(chr(ord(letter) - 29) if letter.isalpha() else letter for letter in LETTER),
        ("Grüße für Ärzte, über Möbel. " * 5).encode().decode("cp1252", "replace"),
        "\ue001\ue002 \ue003\ue004 " * 20,
        "&%$ §!( )= ?*+ #'> " * 10,
    ],
)
def test_garbage_is_told(garbage: str) -> None:
    """Shifted letters, UTF-8 read as Latin, private characters, and a soup of signs."""
    assert is_garbage(garbage)


@pytest.mark.parametrize(
    "text",
    [
        LETTER,
        "12,50 13.40 (99.00) 1/4 -7 " * 10,
        "日本語の文章です。" * 20,
        "यह एक साधारण पत्र है जो पिछले महीने के बिल के बारे में है। " * 5,
        "Łódź, żółć, gęślą jaźń i chrząszcz brzmi w trzcinie. " * 5,
        "Wages . . . . . . . . . . . . . . . . . . 1a ________________ " * 5,
        "« Unison » or « Solo » " + "Melody Either Octave Had Baby Boy Arr Spiritual Virgin " * 2,
    ],
)
@pytest.mark.parametrize("unmapped", [0.0, 1.0])
def test_text_is_left_alone(text: str, unmapped: float) -> None:
    """Prose of any script, figures and forms are text, whether or not the file vouches for it."""
    assert not is_garbage(text, unmapped)
