"""What the extractor of pictures promises."""

from collections.abc import Callable

import pytest
from PIL import Image
from unit.orchestrator.extraction import pictures

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason, images
from sheaf_orchestrator.extraction.images.opening import open_picture
from sheaf_orchestrator.extraction.result import Extracted

LIMITS = Limits()


def extract(content: bytearray, limits: Limits = LIMITS) -> Extracted:
    """What is in the picture, with nothing asked for."""
    return images.extract(content, Options(), limits)


def refused(content: bytearray, limits: Limits = LIMITS) -> Reason:
    """The reason that the content ends in."""
    with pytest.raises(ExtractionError) as caught:
        extract(content, limits)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1"])
def test_every_format_and_mode_is_a_page_to_recognise(kind: str, mode: str) -> None:
    """A picture has one page, without text, which is sent to recognition."""
    image = pictures.page("some text", size=(300, 200)).convert(mode)
    try:
        content = pictures.saved(image, kind)
    except OSError:  # a mode that the format does not have
        content = pictures.saved(image.convert("RGB"), kind)
    extracted = extract(content)
    assert [(p.number, p.text, p.rotation) for p in extracted.pages] == [(1, "", 0)]
    assert (extracted.ocr_pages, extracted.markdown) == ([1], [""])
    assert [warning.code for warning in extracted.warnings] == ["NO_TEXT"]


def test_each_picture_of_a_tiff_is_a_page_and_a_blank_one_is_not_recognised() -> None:
    """Pages come in order; one of a single colour holds nothing to read."""
    blank = pictures.page(size=(300, 200))
    extracted = extract(pictures.tiff([pictures.page("one"), blank, pictures.page("three")]))
    assert [page.number for page in extracted.pages] == [1, 2, 3]
    assert extracted.ocr_pages == [1, 3]


@pytest.mark.parametrize(
    ("dpi", "size"),
    [((300, 300), (216.0, 120.0)), ((200, 100), (324.0, 360.0)), ((0, 0), (675.0, 375.0))],
)
def test_size_is_by_the_dpi_of_the_file_else_96(
    dpi: tuple[int, int], size: tuple[float, float]
) -> None:
    """Points are pixels by the resolution that the file has, if it is one."""
    page = extract(pictures.saved(pictures.page("x"), "TIFF", dpi=dpi)).pages[0]
    assert (page.width, page.height) == size


@pytest.mark.parametrize(
    ("orientation", "rotation", "wide"),
    [(1, 0, True), (3, 180, True), (6, 90, False), (8, 270, False)],
)
def test_the_orientation_is_a_rotation(orientation: int, rotation: int, wide: bool) -> None:  # noqa: FBT001
    """A photograph taken sideways is as wide as it is shown, and shown as it is meant."""
    # The upper left of the file, as displayed: where a reader would look for it.
    image = Image.new("L", (80, 40), "white")
    image.paste(0, (0, 0, 20, 20))
    content = pictures.with_orientation(image, orientation)
    page = extract(content).pages[0]
    assert page.rotation == rotation
    # 72 dpi: what EXIF says of a file that does not.
    assert (page.width, page.height) == ((80.0, 40.0) if wide else (40.0, 80.0))
    with open_picture(content, LIMITS) as picture:
        shown = picture.decode(pixels=10_000, grey=True)
    corner = {0: (5, 5), 180: (-6, -6), 90: (-6, 5), 270: (5, -6)}[rotation]
    x, y = (at % side for at, side in zip(corner, shown.size, strict=True))
    assert shown.size == ((80, 40) if wide else (40, 80))
    assert shown.getpixel((x, y)) < 60  # type: ignore[operator]  # one band


def test_metadata_is_read_from_exif() -> None:
    """Title, author, program and dates; a date is in UTC when its offset is known."""
    exif = Image.Exif()
    exif[270], exif[315], exif[305], exif[306] = (
        "A title",
        "Ada",
        "Camera 1.0",
        "2026:01:02 03:04:05",
    )
    exif.get_ifd(0x8769).update({36867: "2025:12:31 23:30:00", 36881: "-01:00"})
    metadata = extract(pictures.saved(pictures.page("x"), "JPEG", exif=exif)).metadata
    assert (metadata.title, metadata.author, metadata.producer) == ("A title", "Ada", "Camera 1.0")
    assert metadata.modified_at == "2026-01-02T03:04:05"
    assert metadata.created_at == "2026-01-01T00:30:00Z"


def test_transparency_is_white_and_sixteen_bits_are_eight() -> None:
    """Text in black on nothing can be read, and so can a deep scan."""
    clear = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    deep = Image.new("I;16", (40, 20), 65_535)
    deep.putpixel((0, 0), 0)
    for image in (clear, deep):
        with open_picture(pictures.saved(image), LIMITS) as picture:
            assert picture.decode(pixels=10_000, grey=True).getpixel((30, 10)) == 255


def test_a_large_picture_is_reduced_and_not_enlarged() -> None:
    """What is decoded has about as many pixels as were asked for."""
    for kind in ("JPEG", "PNG"):
        with open_picture(pictures.saved(pictures.page("x"), kind), LIMITS) as picture:
            assert picture.decode(pixels=900 * 500 // 4, grey=True).size == (450, 250)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytearray, Reason.EMPTY),
        (lambda: bytearray(b"no picture"), Reason.DAMAGED),
        (lambda: pictures.saved(pictures.page("x"))[:900], Reason.DAMAGED),
        (lambda: pictures.saved(pictures.page("x"), "JPEG")[:2_000], Reason.DAMAGED),
        (lambda: pictures.png_header(100, 100), Reason.DAMAGED),
        (lambda: pictures.png_header(30_000, 30_000), Reason.TOO_MANY_PIXELS),
        (lambda: pictures.png_header(10_001, 10_000), Reason.TOO_MANY_PIXELS),
    ],
)
def test_what_cannot_be_read_has_a_reason(content: Callable[[], bytearray], reason: Reason) -> None:
    """Empty, damaged, cut off or too large: the size counts before anything is decoded."""
    assert refused(content()) is reason


def test_deep_pictures_and_webp_may_have_half_as_many_pixels() -> None:
    """They take twice the memory to decode."""
    limits = Limits(image_pixels=900)
    assert extract(pictures.saved(Image.new("L", (30, 30))), limits).page_count == 1
    for heavy in (
        pictures.saved(Image.new("I;16", (30, 30))),
        pictures.saved(Image.new("L", (30, 30)), "WEBP"),
    ):
        assert refused(heavy, limits) is Reason.TOO_MANY_PIXELS


def test_more_pages_than_the_limit_are_refused() -> None:
    """A TIFF of three pages, where two are the limit."""
    three = pictures.tiff([pictures.page(str(number), size=(40, 40)) for number in range(3)])
    assert refused(three, Limits(pages=2)) is Reason.TOO_MANY_PAGES
    assert extract(three, Limits(pages=3)).page_count == 3


def test_one_damaged_page_leaves_the_others() -> None:
    """The document is partial, and says which page is missing."""
    content = pictures.tiff([pictures.page("one"), pictures.page("two")], compression="tiff_lzw")
    with open_picture(content, LIMITS) as picture:
        picture.go_to(2)
        offset = picture.file.tag_v2[273][0]  # type: ignore[attr-defined]  # of a TIFF
    content[offset : offset + 400] = bytes(400)
    extracted = extract(content)
    assert (extracted.ocr_pages, extracted.partial) == ([1], True)
    assert ("PAGE_FAILED", 2) in [(each.code, each.page) for each in extracted.warnings]


def test_time_runs_out() -> None:
    """Pages not looked at in time are missing, and the result says so."""
    two = pictures.tiff([pictures.page("one"), pictures.page("two")])
    extracted = extract(two, Limits(soft_s=-1))
    assert (extracted.page_count, extracted.pages, extracted.partial) == (2, [], True)
    assert extracted.warnings[0].code == "TIME_LIMIT"


def test_damaged_metadata_is_told_and_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture is read all the same when the library gives up on its EXIF, with a warning."""

    def give_up(_image: Image.Image) -> Image.Exif:
        raise SyntaxError("not a TIFF file")

    monkeypatch.setattr(Image.Image, "getexif", give_up)
    extracted = extract(pictures.saved(pictures.page("x"), "PNG"))
    assert extracted.page_count == 1
    assert "METADATA_FAILED" in [warning.code for warning in extracted.warnings]
