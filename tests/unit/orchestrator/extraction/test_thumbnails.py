"""What thumbnails promise."""

import io

import pytest
from PIL import Image
from unit.orchestrator.extraction import pdfs, pictures

from sheaf_orchestrator.extraction import ExtractionError, Limits, Reason, types
from sheaf_orchestrator.extraction.registry import thumbnail
from sheaf_orchestrator.extraction.thumbnails import WIDTHS

LIMITS = Limits()


def shown(content: bytes | bytearray, content_type: str, page: int, width_px: int) -> Image.Image:
    """The thumbnail, decoded."""
    encoded = thumbnail(bytearray(content), content_type, page, width_px, LIMITS)
    image = Image.open(io.BytesIO(encoded))
    assert image.format == "WEBP"
    return image


def refused(content: bytes | bytearray, content_type: str, page: int = 1) -> Reason:
    """The reason why there is none."""
    with pytest.raises(ExtractionError) as caught:
        thumbnail(bytearray(content), content_type, page, 128, LIMITS)
    return caught.value.reason


@pytest.mark.parametrize("width_px", WIDTHS)
def test_a_page_of_a_pdf_is_as_wide_as_asked_for(width_px: int) -> None:
    """In each width that there is, in proportion."""
    image = shown(pdfs.written("one", "two"), types.PDF, 2, width_px)
    assert image.width == width_px
    assert image.height == pytest.approx(width_px * 842 / 595, abs=1)


def test_a_picture_is_shown_as_displayed_and_never_enlarged() -> None:
    """Turned as it asks; 90 pixels wide stays 90."""
    photograph = pictures.with_orientation(pictures.page("x", size=(900, 500)), 6)
    assert shown(photograph, types.JPEG, 1, 256).size == (256, 461)
    assert shown(pictures.saved(pictures.page(size=(90, 50))), types.PNG, 1, 256).size == (90, 50)


def test_a_page_of_a_tiff_is_its_own() -> None:
    """The second picture for the second page."""
    two = [Image.new("RGB", (200, 100), colour) for colour in ("white", "red")]
    image = shown(pictures.tiff(two), types.TIFF, 2, 128).convert("RGB")
    red, green, _blue = image.getpixel((64, 32))  # type: ignore[misc]  # three bands
    assert (red > 200, green < 60) == (True, True)


def test_a_long_page_is_narrower() -> None:
    """No thumbnail is over four times as high as wide ones are."""
    long = pictures.saved(pictures.page(size=(300, 6_000)))
    assert shown(long, types.PNG, 1, 128).size == (26, 512)


def test_what_cannot_be_drawn_has_a_reason() -> None:
    """No such page, a format without pages to draw, a lock."""
    assert refused(pdfs.written("one"), types.PDF, 2) is Reason.PAGE_NOT_FOUND
    assert refused(pictures.saved(pictures.page("x")), types.PNG, 2) is Reason.PAGE_NOT_FOUND
    assert refused(b"PK", types.DOCX) is Reason.UNSUPPORTED_FORMAT
    assert refused(pdfs.encrypted("secret"), types.PDF) is Reason.ENCRYPTED
    assert refused(b"", types.LOCKED) is Reason.ENCRYPTED


def test_widths_are_a_closed_set() -> None:
    """Each thumbnail is kept: a caller cannot make any number of them."""
    with pytest.raises(ValueError, match="128, 256, 512, 1024"):
        thumbnail(bytearray(pdfs.written("x")), types.PDF, 1, 200, LIMITS)
