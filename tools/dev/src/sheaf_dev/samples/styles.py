"""Colours, fonts and paragraph styles that all samples share."""

from pathlib import Path
from typing import Final

import reportlab
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_JUSTIFY, TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

INK: Final = HexColor("#1f2933")
MUTED: Final = HexColor("#61707d")
ACCENT: Final = HexColor("#1d5b79")
RULE: Final = HexColor("#c3ccd3")
SHADE: Final = HexColor("#eef2f5")

SANS: Final = "Helvetica"
SANS_BOLD: Final = "Helvetica-Bold"
SERIF: Final = "Times-Roman"
EMBEDDED: Final = "Vera"
EMBEDDED_BOLD: Final = "VeraBd"

BODY: Final = ParagraphStyle(
    "body", fontName=SANS, fontSize=10, leading=14.5, textColor=INK, spaceAfter=8
)
RIGHT: Final = ParagraphStyle("right", parent=BODY, alignment=TA_RIGHT, spaceAfter=0)
SMALL: Final = ParagraphStyle(
    "small", parent=BODY, fontSize=8, leading=11, textColor=MUTED, spaceAfter=4
)
TITLE: Final = ParagraphStyle(
    "title",
    parent=BODY,
    fontName=SANS_BOLD,
    fontSize=20,
    leading=25,
    textColor=ACCENT,
    spaceAfter=12,
)
HEADING: Final = ParagraphStyle(
    "heading",
    parent=BODY,
    fontName=SANS_BOLD,
    fontSize=13,
    leading=17,
    textColor=ACCENT,
    spaceBefore=8,
    spaceAfter=6,
    keepWithNext=1,
)
PROSE: Final = ParagraphStyle(
    "prose", parent=BODY, fontName=SERIF, fontSize=13, leading=21, spaceAfter=14
)
COLUMN: Final = ParagraphStyle(
    "column",
    parent=BODY,
    fontName=SERIF,
    fontSize=11.5,
    leading=16,
    alignment=TA_JUSTIFY,
    spaceAfter=7,
)


def register_embedded_fonts() -> None:
    """Make Bitstream Vera known, which ships with reportlab and may be embedded freely.

    It covers Latin letters with accents, but neither Cyrillic nor Greek.
    """
    folder = Path(reportlab.__file__).parent / "fonts"
    for name in (EMBEDDED, EMBEDDED_BOLD):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
