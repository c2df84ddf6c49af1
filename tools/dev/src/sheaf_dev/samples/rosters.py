"""A wide roster: a page in landscape, and the same page turned by its /Rotate entry."""

from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm

from sheaf_dev.samples.layout import MARGIN, bare_canvas, furniture, ruled_table
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import ACCENT, SANS_BOLD

_TITLE = "Storm desk roster"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CREW = ("Lindqvist", "Marchetti", "Adeyemi", "Kowalski", "Brandt", "Tanaka", "O'Rourke")
_SHIFTS = ("06:00 to 10:00", "10:00 to 14:00", "14:00 to 18:00", "18:00 to 22:00", "22:00 to 06:00")
_WIDE = landscape(A4)


def storm_roster() -> Sample:
    """Two pages: week 6 on a wide sheet, week 7 on an upright sheet that is shown turned."""
    canvas, buffer = bare_canvas(_WIDE, title=_TITLE)
    _week(canvas, 6, 1)
    canvas.showPage()
    # The size stays that of the page as shown: reportlab turns the media box. Readers turn the
    # sheet clockwise, so what is drawn is turned back.
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    _week(canvas, 7, 2)
    canvas.save()
    return Sample(
        filename="roster-landscape.pdf",
        content=buffer.getvalue(),
        expected_pages=2,
        expected_phrases=(
            "Storm desk roster, week 6",
            "Storm desk roster, week 7",
            "Shift Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
            "Duty surveyor on call: Tomas Lindqvist, extension 4471",
        ),
    )


def _week(canvas: Any, week: int, page: int) -> None:
    furniture(canvas, _WIDE, _TITLE, page)
    top = _WIDE[1] - MARGIN - 14 * mm
    canvas.setFillColor(ACCENT)
    canvas.setFont(SANS_BOLD, 20)
    canvas.drawString(MARGIN, top, f"{_TITLE}, week {week}")
    rows = [["Shift", *_DAYS]]
    for index, shift in enumerate(_SHIFTS):
        crew = [_CREW[(day + 2 * index + week) % len(_CREW)] for day in range(len(_DAYS))]
        rows.append([shift, *crew])
    table = ruled_table(rows, [35 * mm, *[31 * mm] * len(_DAYS)], font_size=12)
    _, height = table.wrapOn(canvas, _WIDE[0] - 2 * MARGIN, _WIDE[1])
    table.drawOn(canvas, MARGIN, top - 8 * mm - height)
    canvas.setFont(SANS_BOLD, 10)
    canvas.drawString(
        MARGIN,
        top - 18 * mm - height,
        "Duty surveyor on call: Tomas Lindqvist, extension 4471",
    )
