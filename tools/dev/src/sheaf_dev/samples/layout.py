"""The one place where pages are laid out: letterhead, footer, frames, tables, PDF settings."""

import io
from collections.abc import Callable, Sequence
from typing import Any, Final

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph, Table

from sheaf_dev.samples.styles import ACCENT, BODY, INK, MUTED, RULE, SANS, SANS_BOLD, SHADE

ISSUER: Final = "Brightwater Mutual"
ADDRESS: Final = "14 Quayside Row, Alderport AP3 7QN  ·  claims@brightwater.example"
MARGIN: Final = 22 * mm

Size = tuple[float, float]
PageHook = Callable[[Any, int], None]
"""Called with the canvas and the page's number (from 1) before its content is drawn."""

_HEAD_HEIGHT = 14 * mm
_GUTTER = 8 * mm


def compose(
    story: Sequence[Any],
    *,
    title: str,
    page_size: Size = A4,
    columns: int = 1,
    on_page: PageHook | None = None,
    encryption: StandardEncryption | None = None,
) -> bytes:
    """The story as a PDF on as many pages as it takes, equal bytes every time.

    Columns are filled one after the other. ``on_page`` replaces letterhead and footer.
    """
    hook = on_page or (lambda canvas, number: furniture(canvas, page_size, title, number))
    template = PageTemplate(
        frames=_frames(page_size, columns),
        onPage=lambda canvas, document: hook(canvas, document.page),
        pagesize=page_size,
    )
    buffer = io.BytesIO()
    BaseDocTemplate(
        buffer,
        pagesize=page_size,
        pageTemplates=[template],
        title=title,
        author=ISSUER,
        invariant=1,
        pageCompression=1,
        encrypt=encryption,
        lang=None,
    ).build(list(story))
    return buffer.getvalue()


def bare_canvas(page_size: Size = A4, *, title: str) -> tuple[Any, io.BytesIO]:
    """A canvas for pages drawn by hand, and the buffer that ``save`` fills."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=page_size, invariant=1, pageCompression=1)
    canvas.setTitle(title)
    canvas.setAuthor(ISSUER)
    return canvas, buffer


def furniture(canvas: Any, page_size: Size, title: str, number: int) -> None:
    """Letterhead at the top of a page, title and page number at its foot."""
    width, height = page_size
    canvas.saveState()
    canvas.setFillColor(ACCENT)
    canvas.rect(MARGIN, height - MARGIN + 3 * mm, 4 * mm, 4 * mm, stroke=0, fill=1)
    canvas.setFont(SANS_BOLD, 11)
    canvas.drawString(MARGIN + 6 * mm, height - MARGIN + 3.6 * mm, ISSUER)
    canvas.setFont(SANS, 8)
    canvas.setFillColor(MUTED)
    canvas.drawRightString(width - MARGIN, height - MARGIN + 3.6 * mm, ADDRESS)
    canvas.setStrokeColor(RULE)
    canvas.line(MARGIN, height - MARGIN, width - MARGIN, height - MARGIN)
    canvas.line(MARGIN, MARGIN - 2 * mm, width - MARGIN, MARGIN - 2 * mm)
    canvas.drawString(MARGIN, MARGIN - 6 * mm, title)
    canvas.drawRightString(width - MARGIN, MARGIN - 6 * mm, f"Page {number}")
    canvas.restoreState()


def paragraphs(text: str, style: Any = BODY) -> list[Any]:
    """A paragraph for each block of ``text``; blocks are parted by an empty line."""
    return [Paragraph(" ".join(block.split()), style) for block in text.strip().split("\n\n")]


def ruled_table(
    rows: Sequence[Sequence[Any]],
    widths: Sequence[float],
    *,
    numeric: Sequence[int] = (),
    total_rows: int = 0,
    font_size: float = 9,
) -> Any:
    """A table under a shaded head that repeats on every page.

    ``numeric`` columns are set to the right; the last ``total_rows`` rows are bold.
    """
    commands: list[tuple[Any, ...]] = [
        ("FONT", (0, 0), (-1, -1), SANS, font_size, font_size * 1.25),
        ("FONT", (0, 0), (-1, 0), SANS_BOLD, font_size, font_size * 1.25),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("TEXTCOLOR", (0, 0), (-1, 0), ACCENT),
        ("BACKGROUND", (0, 0), (-1, 0), SHADE),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in numeric),
    ]
    if total_rows:
        commands.append(("FONTNAME", (0, -total_rows), (-1, -1), SANS_BOLD))
    return Table(
        [list(row) for row in rows],
        colWidths=list(widths),
        repeatRows=1,
        style=commands,
        spaceBefore=6,
        spaceAfter=10,
        hAlign="LEFT",
    )


def _frames(page_size: Size, columns: int) -> list[Any]:
    width, height = page_size
    column = (width - 2 * MARGIN - (columns - 1) * _GUTTER) / columns
    return [
        Frame(
            MARGIN + index * (column + _GUTTER),
            MARGIN,
            column,
            height - 2 * MARGIN - _HEAD_HEIGHT / 2,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        for index in range(columns)
    ]
