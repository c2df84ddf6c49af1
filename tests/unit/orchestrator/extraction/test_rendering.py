"""What drawing a page promises."""

import random

import pytest
from PIL import Image
from unit.orchestrator.extraction import pdfs

from sheaf_orchestrator.extraction import ExtractionError, Limits, Reason
from sheaf_orchestrator.extraction.pdf.opening import open_document
from sheaf_orchestrator.extraction.pdf.rendering import render_at, render_to

LIMITS = Limits()


def ink(picture: Image.Image) -> int:
    """How many pixels are dark."""
    return sum(picture.convert("L").histogram()[:128])


def test_a_page_is_drawn_in_grey_at_the_resolution_asked_for() -> None:
    """A4 at 150 dpi, as displayed, with its size in points."""
    with open_document(pdfs.written("some text")) as document:
        picture, size = render_at(document, 1, 150, LIMITS)
    assert (picture.mode, picture.size, size) == ("L", (1239, 1754), (595.0, 842.0))
    assert ink(picture) > 100


def test_a_page_is_drawn_in_colour_at_the_width_asked_for() -> None:
    """Blue stays blue."""
    with open_document(pdfs.one_page(b"0 0 1 rg 0 0 200 800 re f")) as document:
        picture = render_to(document, 1, 128, LIMITS)
    assert (picture.mode, picture.size) == ("RGB", (128, 512))
    assert picture.getpixel((64, 256)) == (0, 0, 255)


def test_filled_form_values_are_drawn() -> None:
    """What was typed into a form is in its picture."""
    dark = []
    for value in ("", "MMMMMMMMMM"):
        with open_document(pdfs.form(value)) as document:
            dark.append(ink(render_at(document, 1, 72, LIMITS)[0]))
    assert dark[1] > dark[0] + 100


def test_a_page_has_no_more_pixels_than_the_limit() -> None:
    """A large page is drawn smaller."""
    with open_document(pdfs.written("text")) as document:
        picture, size = render_at(document, 1, 150, Limits(render_pixels=10_000))
    assert 9_000 < picture.width * picture.height <= 10_000
    assert size == (595.0, 842.0)


def test_a_page_of_endless_strokes_is_given_up() -> None:
    """Drawing looks at the clock between strokes."""
    draw = random.Random(7)  # noqa: S311 # any strokes will do
    strokes = b"\n".join(
        b"%d %d m %d %d l S" % tuple(draw.randrange(800) for _ in range(4)) for _ in range(20_000)
    )
    with (
        open_document(pdfs.one_page(strokes)) as document,
        pytest.raises(ExtractionError) as caught,
    ):
        render_at(document, 1, 150, Limits(render_s=0.02))
    assert caught.value.reason is Reason.TIME_LIMIT


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_page_that_is_not_there_is_not_found(number: int) -> None:
    """Pages are counted from 1."""
    with (
        open_document(pdfs.written("one", "two")) as document,
        pytest.raises(ExtractionError) as caught,
    ):
        render_to(document, number, 128, LIMITS)
    assert caught.value.reason is Reason.PAGE_NOT_FOUND


def test_a_damaged_page_cannot_be_drawn() -> None:
    """Its neighbours can."""
    with open_document(pdfs.with_a_bad_page()) as document:
        assert ink(render_at(document, 3, 72, LIMITS)[0])
        with pytest.raises(ExtractionError) as caught:
            render_at(document, 2, 72, LIMITS)
    assert caught.value.reason is Reason.DAMAGED
