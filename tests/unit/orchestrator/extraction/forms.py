"""PDF forms for tests: by reportlab, and written by hand where it matters what is missing."""

from reportlab.pdfgen.canvas import Canvas
from unit.orchestrator.extraction import pdfs
from unit.orchestrator.extraction.layouts import drawn


def application() -> bytes:
    """Labels and a text field for each, a choice, two check boxes and two radio buttons."""

    def draw(canvas: Canvas) -> None:
        form = canvas.acroForm
        for row, (label, value) in enumerate([("Name", "Ada"), ("Town", "London"), ("Job", "")]):
            canvas.drawString(50, 705 - 40 * row, f"{label}:")
            form.textfield(name=label, value=value, x=120, y=700 - 40 * row, width=150, height=20)
            canvas.drawString(300, 705 - 40 * row, f"(after {label})")
        form.choice(name="Size", value="Large", options=["Small", "Large"], x=120, y=560)
        form.checkbox(name="Agreed", checked=True, x=120, y=520)
        form.checkbox(name="Refused", checked=False, x=160, y=520)
        form.radio(name="Pay", value="cash", selected=False, x=120, y=480)
        form.radio(name="Pay", value="card", selected=True, x=160, y=480)
        canvas.drawString(50, 400, "The end")

    return drawn(draw)


def by_hand(
    value: bytes, *, appearance: bytes = b"", stale: bool = False, disorder: bool = False
) -> bytes:
    """A field between two lines of text, its value a PDF string; drawn only as given.

    With ``disorder`` there is text to the right of the field, and all is drawn upwards.
    """
    text = b"BT /F 12 Tf 20 700 Td (above) Tj 0 -100 Td (below) Tj ET"
    if disorder:
        text = b"BT /F 12 Tf 20 600 Td (below) Tj 0 100 Td (above) Tj 170 -48 Td (beside) Tj ET"
    picture = b"/AP <</N 7 0 R>>" if appearance else b""
    page = pdfs.one_page(
        text,
        page=b"/Annots [6 0 R]",
        more={
            6: b"<</Type /Annot /Subtype /Widget /FT /Tx /T (field) /V " + value + b" "
            b"/Rect [20 640 180 660] /DA (/F 12 Tf) " + picture + b">>",
            7: pdfs.stream(
                b"BT /F 12 Tf 2 5 Td (" + appearance + b") Tj ET",
                b"/Type /XObject /Subtype /Form /BBox [0 0 160 20]"
                b" /Resources <</Font <</F 5 0 R>>>>",
            ),
        },
    )
    need = b"/NeedAppearances true" if stale else b""
    return page.replace(
        b"/Type /Catalog", b"/Type /Catalog /AcroForm <</Fields [6 0 R] " + need + b">>"
    )


def side_by_side(*values: bytes) -> bytes:
    """Fields that touch one another, each with its value drawn from edge to edge."""
    more = {}
    for index, value in enumerate(values):
        left = 20 + 40 * index
        more[20 + index] = (
            b"<</Type /Annot /Subtype /Widget /FT /Tx /T (f%d) /V (%s) /Rect [%d 640 %d 660]"
            b" /AP <</N %d 0 R>>>>" % (index, value, left, left + 40, 40 + index)
        )
        more[40 + index] = pdfs.stream(
            b"BT /F 12 Tf %.2f 5 Td (%s) Tj ET" % (40 - 6.672 * len(value), value)
            if index % 2 == 0
            else b"BT /F 12 Tf 0 5 Td (%s) Tj ET" % value,
            b"/Type /XObject /Subtype /Form /BBox [0 0 40 20] /Resources <</Font <</F 5 0 R>>>>",
        )
    kids = b" ".join(b"%d 0 R" % (20 + index) for index in range(len(values)))
    page = pdfs.one_page(page=b"/Annots [" + kids + b"]", more=more)
    return page.replace(b"/Type /Catalog", b"/Type /Catalog /AcroForm <</Fields [" + kids + b"]>>")
