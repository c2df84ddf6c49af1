"""PDFs for tests in which it matters where things stand."""

import io
from collections.abc import Callable, Iterable

from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

Spot = tuple[float, float, str]
"""Left, baseline from the bottom, and what is written there."""


def drawn(draw: Callable[[Canvas], None]) -> bytes:
    """A page of 600 x 800 points, drawn by the function."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(600, 800))
    draw(canvas)
    canvas.save()
    return out.getvalue()


def spots(placed: Iterable[Spot], size: float = 10) -> bytes:
    """A page with texts, drawn in the order given."""

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", size)
        for left, baseline, text in placed:
            canvas.drawString(left, baseline, text)

    return drawn(draw)


def columns() -> tuple[list[str], list[str]]:
    """The lines of two columns of prose."""
    left = [f"left column, line {number}, of some length" for number in range(1, 9)]
    right = [f"right column, line {number}, of some length" for number in range(1, 9)]
    return left, right


def two_columns(*, by_rows: bool) -> bytes:
    """A heading over two columns of prose, drawn line by line across both, or one by one."""
    left, right = columns()
    pairs = list(zip(left, right, strict=True))
    one = [(50.0, 700 - 14 * row, pair[0]) for row, pair in enumerate(pairs)]
    two = [(320.0, 700 - 14 * row, pair[1]) for row, pair in enumerate(pairs)]
    body = [spot for both in zip(one, two, strict=True) for spot in both] if by_rows else one + two
    return spots([(50, 740, "A heading over both of the columns that goes on and on"), *body])


def scan(text: str = "", share: float = 1.0) -> bytes:
    """A page under a picture, with a little text if given."""

    def draw(canvas: Canvas) -> None:
        picture = ImageReader(Image.effect_noise((60, 80), 60))
        canvas.drawImage(picture, 0, 0, 600 * share, 800 * share)
        canvas.drawString(20, 20, text)

    return drawn(draw)
