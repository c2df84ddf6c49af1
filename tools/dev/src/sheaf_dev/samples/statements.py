"""A statement of account whose one table goes over several pages."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer

from sheaf_dev.samples.layout import compose, paragraphs, ruled_table
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import TITLE

_ENTRIES = 140
_FIRST_DAY = date(2025, 1, 2)
_OPENING = Decimal("48250.00")
_WIDTHS = (22 * mm, 26 * mm, 66 * mm, 25 * mm, 27 * mm)

_PURPOSES = (
    ("Premium, monthly", 1),
    ("Premium, yearly", 1),
    ("Claim payment, property", -1),
    ("Claim payment, motor", -1),
    ("Surveyor's fee", -1),
    ("Recovery from third party", 1),
    ("Broker commission", -1),
    ("Refund of premium", -1),
    ("Reinsurance share received", 1),
)


def account_statement() -> Sample:
    """A quarter's entries with a running balance, on four pages."""
    rows, closing = _rows()
    story = [
        Spacer(0, 4 * mm),
        Paragraph("Statement of account", TITLE),
        *paragraphs(
            "Agency 0412, Alderport. First quarter of 2025. Amounts in pounds; a minus sign "
            "stands before what was paid out."
        ),
        ruled_table(rows, _WIDTHS, numeric=(3, 4), total_rows=1),
    ]
    return Sample(
        filename="statement-2025-Q1.pdf",
        content=compose(story, title="Statement of account, agency 0412, 2025 Q1"),
        expected_pages=4,
        expected_phrases=(
            "Opening balance 48,250.00",
            "2025-01-02 AG-041001",
            f"AG-{41000 + _ENTRIES:06}",
            f"Closing balance {closing}",
        ),
    )


def _rows() -> tuple[list[list[str]], str]:
    random = Random(412)  # noqa: S311 # figures for a sample, no secret
    balance = _OPENING
    day = _FIRST_DAY
    rows = [
        ["Date", "Reference", "Purpose", "Amount", "Balance"],
        ["", "", "Opening balance", "", f"{balance:,.2f}"],
    ]
    for number in range(1, _ENTRIES + 1):
        purpose, sign = random.choice(_PURPOSES)
        amount = sign * Decimal(random.randint(1_500, 240_000)) / 100
        balance += amount
        reference = f"AG-{41000 + number:06}"
        rows.append([day.isoformat(), reference, purpose, f"{amount:,.2f}", f"{balance:,.2f}"])
        day += timedelta(days=random.choice((0, 0, 1, 1, 1)))
    closing = f"{balance:,.2f}"
    rows.append(["", "", "Closing balance", "", closing])
    return rows, closing
