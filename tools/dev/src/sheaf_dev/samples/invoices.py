"""An invoice with line items whose sums are right."""

from decimal import Decimal

from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer, Table

from sheaf_dev.samples.layout import compose, paragraphs, ruled_table
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import BODY, RIGHT, SMALL, TITLE

_VAT = Decimal("0.20")
_CENT = Decimal("0.01")

_LINES: tuple[tuple[str, str, int, str], ...] = (
    ("DRY-120", "Dehumidifier hire, industrial, per day", 14, "38.50"),
    ("PLM-004", "Replacement of supply pipe, labour and parts", 1, "645.00"),
    ("JNR-210", "Shop counter, oak veneer, made to measure", 1, "2,180.00"),
    ("JNR-115", "Wall shelving, metre", 18, "74.25"),
    ("FLR-330", "Vinyl flooring, laid, square metre", 46, "41.90"),
    ("PNT-018", "Two coats of stain-blocking paint, square metre", 92, "9.35"),
    ("WST-001", "Removal of damp plaster and waste", 1, "310.00"),
)


def builders_invoice() -> Sample:
    """An invoice of seven lines, with tax and a total."""
    rows = [["Code", "Description", "Qty", "Unit price", "Amount"]]
    subtotal = Decimal(0)
    for code, description, quantity, price in _LINES:
        amount = quantity * Decimal(price.replace(",", ""))
        subtotal += amount
        rows.append([code, description, str(quantity), price, f"{amount:,.2f}"])
    tax = (subtotal * _VAT).quantize(_CENT)
    total = subtotal + tax
    rows += [
        ["", "Subtotal", "", "", f"{subtotal:,.2f}"],
        ["", "VAT at 20 %", "", "", f"{tax:,.2f}"],
        ["", "Total due, GBP", "", "", f"{total:,.2f}"],
    ]
    widths = [20 * mm, 84 * mm, 14 * mm, 23 * mm, 25 * mm]
    story = [
        Spacer(0, 4 * mm),
        Paragraph("Invoice", TITLE),
        _parties(),
        ruled_table(rows, widths, numeric=(2, 3, 4), total_rows=3),
        *paragraphs("Payment by bank transfer within 30 days, quoting the invoice number."),
        Paragraph("Heron &amp; Pike Restoration Ltd. VAT registration XX 204 8817 36.", SMALL),
    ]
    return Sample(
        filename="invoice-HP-20318.pdf",
        content=compose(story, title="Invoice HP-20318"),
        expected_pages=1,
        expected_phrases=(
            "Invoice number HP-20318",
            "Heron & Pike Restoration Ltd",
            "Shop counter, oak veneer, made to measure",
            f"Total due, GBP {total:,.2f}",
        ),
    )


def _parties() -> Table:
    sender = "Heron &amp; Pike Restoration Ltd<br/>Unit 6, Tannery Yard<br/>Alderport AP1 2LF"
    facts = "Invoice number HP-20318<br/>Date 28 March 2025<br/>Claim WD-2025-00417"
    return Table(
        [[Paragraph(sender, BODY), Paragraph(facts, RIGHT)]],
        colWidths=[83 * mm, 83 * mm],
        style=[("LEFTPADDING", (0, 0), (-1, -1), 0), ("VALIGN", (0, 0), (-1, -1), "TOP")],
        spaceAfter=10,
        hAlign="LEFT",
    )
