"""A claim form whose answers are AcroForm fields with appearance streams.

The answers are no part of the page's own content: they come out only when the annotations are
flattened into it.
"""

from typing import Any, Final, NamedTuple

from reportlab.lib.colors import white
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm

from sheaf_dev.samples.layout import MARGIN, bare_canvas, furniture
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import ACCENT, INK, MUTED, RULE, SANS, SANS_BOLD

_TITLE: Final = "Accident report form"
_ROW_HEIGHT = 15 * mm
_FIELD_HEIGHT = 18.0


class _Field(NamedTuple):
    name: str
    label: str
    value: str
    column: int  # 0: left half, 1: right half, 2: the full width


_SECTIONS: Final[tuple[tuple[str, tuple[_Field, ...]], ...]] = (
    (
        "1. Policyholder",
        (
            _Field("full_name", "Full name", "Marguerite Delacroix-Hansen", 0),
            _Field("policy", "Policy number", "MV-7730-5521-08", 1),
            _Field("address", "Address", "9 Lantern Hill, Flat 4, Alderport AP5 1TD", 2),
            _Field("phone", "Telephone", "01632 960 274", 0),
            _Field("email", "E-mail", "m.delacroix@example.org", 1),
        ),
    ),
    (
        "2. The accident",
        (
            _Field("date", "Date and time", "3 January 2025, 17:40", 0),
            _Field("place", "Place", "Junction of Mill Road and A414", 1),
            _Field("weather", "Weather", "Freezing rain, dark", 0),
            _Field("speed", "Speed of your vehicle", "about 20 mph", 1),
            _Field("account", "What happened", "The van ahead braked and I slid into it.", 2),
        ),
    ),
    (
        "3. Damage",
        (
            _Field("vehicle", "Registration of your vehicle", "AP25 QXZ", 0),
            _Field("estimate", "Repair estimate in pounds", "2,946.15", 1),
            _Field("parts", "Damaged parts", "Bonnet, left headlamp, front bumper", 2),
        ),
    ),
)

_ANSWERS = tuple(field.value for _, fields in _SECTIONS for field in fields)


def accident_report() -> Sample:
    """A filled form of one page, with text fields, a choice and two check boxes."""
    canvas, buffer = bare_canvas(title=_TITLE)
    furniture(canvas, A4, _TITLE, 1)
    y = A4[1] - MARGIN - 14 * mm
    canvas.setFillColor(ACCENT)
    canvas.setFont(SANS_BOLD, 20)
    canvas.drawString(MARGIN, y, _TITLE)
    y -= 6 * mm
    for heading, fields in _SECTIONS:
        y = _section(canvas, heading, fields, y)
    _choices(canvas, y)
    canvas.save()
    return Sample(
        filename="form-accident-report.pdf",
        content=buffer.getvalue(),
        expected_pages=1,
        expected_phrases=(
            "Registration of your vehicle",
            "Were the police called?",
            *_ANSWERS,
            "Front left",
        ),
    )


def _section(canvas: Any, heading: str, fields: tuple[_Field, ...], y: float) -> float:
    y -= 7 * mm
    canvas.setFont(SANS_BOLD, 12)
    canvas.setFillColor(ACCENT)
    canvas.drawString(MARGIN, y, heading)
    y -= 3 * mm
    full = A4[0] - 2 * MARGIN
    half = full / 2 - 4 * mm
    for field in fields:
        x = MARGIN + (half + 8 * mm if field.column == 1 else 0)
        if field.column == 1:
            y += _ROW_HEIGHT  # beside the field before it
        _label(canvas, field.label, x, y - 3.5 * mm)
        _text_field(canvas, field, x, y - 11 * mm, full if field.column > 1 else half)
        y -= _ROW_HEIGHT
    return y


def _label(canvas: Any, label: str, x: float, y: float) -> None:
    canvas.setFont(SANS, 8)
    canvas.setFillColor(MUTED)
    canvas.drawString(x, y, label)


def _text_field(canvas: Any, field: _Field, x: float, y: float, width: float) -> None:
    canvas.acroForm.textfield(
        name=field.name,
        tooltip=field.label,
        value=field.value,
        x=x,
        y=y,
        width=width,
        height=_FIELD_HEIGHT,
        fontName=SANS,
        fontSize=10,
        borderWidth=0.5,
        borderColor=RULE,
        fillColor=white,
        textColor=INK,
        forceBorder=True,
    )


def _choices(canvas: Any, y: float) -> None:
    y -= 8 * mm
    _label(canvas, "Point of impact", MARGIN, y + 2 * mm)
    canvas.acroForm.choice(
        name="impact",
        tooltip="Point of impact",
        value="Front left",
        options=["Front left", "Front right", "Rear", "Side"],
        x=MARGIN,
        y=y - 6 * mm,
        width=50 * mm,
        height=_FIELD_HEIGHT,
        fontName=SANS,
        fontSize=10,
        borderWidth=0.5,
        borderColor=RULE,
        fillColor=white,
        textColor=INK,
        forceBorder=True,
    )
    for name, label, checked, x in (
        ("police", "Were the police called?", True, MARGIN + 60 * mm),
        ("injured", "Was anyone injured?", False, MARGIN + 115 * mm),
    ):
        canvas.acroForm.checkbox(
            name=name,
            tooltip=label,
            checked=checked,
            x=x,
            y=y - 5 * mm,
            size=13,
            borderWidth=0.5,
            borderColor=INK,
            fillColor=white,
            textColor=INK,
            fieldFlags="",
        )
        canvas.setFont(SANS, 9)
        canvas.setFillColor(INK)
        canvas.drawString(x + 6 * mm, y - 4 * mm, label)
