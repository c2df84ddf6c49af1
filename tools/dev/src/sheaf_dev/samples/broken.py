"""Documents that can't be read: one is locked by a password, one is damaged beyond repair."""

from typing import Any, Final

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, Spacer

from sheaf_dev.samples.layout import compose, paragraphs, ruled_table
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import TITLE

USER_PASSWORD: Final = "harbour-light-52"  # noqa: S105 # it locks a sample
_OWNER_PASSWORD: Final = "harbour-master-14"  # noqa: S105 # as above

_SHARE_ARRIVED: Final = 0.6
_OVERWRITTEN: Final = bytes(range(0xFF, 0x7F, -1))


def locked_payslip() -> Sample:
    """A sound PDF that opens only with ``USER_PASSWORD`` (RC4, 128 bits)."""
    encryption = StandardEncryption(
        USER_PASSWORD, ownerPassword=_OWNER_PASSWORD, canCopy=0, strength=128
    )
    return Sample(
        filename="payslip-locked.pdf",
        content=compose(_payslip(), title="Payslip, March 2025", encryption=encryption),
        expected_status="failed",
        expected_reason="ENCRYPTED",
    )


def damaged_payslip() -> Sample:
    """A PDF of which the header is left: the end never arrived and the rest is overwritten.

    Readers mend a PDF by searching it for objects and a trailer. Here neither is left.
    """
    whole = compose(_payslip(), title="Payslip, February 2025")
    header = whole[: whole.index(b"1 0 obj")]
    size_bytes = int(len(whole) * _SHARE_ARRIVED)
    filler = _OVERWRITTEN * (size_bytes // len(_OVERWRITTEN) + 1)
    return Sample(
        filename="payslip-damaged.pdf",
        content=(header + filler)[:size_bytes],
        expected_status="failed",
        expected_reason="DAMAGED",
    )


def _payslip() -> list[Any]:
    rows = (
        ("Item", "Hours", "Pounds"),
        ("Basic pay", "151.7", "2,881.00"),
        ("Evening shift", "24.0", "228.00"),
        ("Income tax", "", "-412.35"),
        ("Pension", "", "-155.45"),
        ("Net pay", "", "2,541.20"),
    )
    return [
        Spacer(0, 4 * mm),
        Paragraph("Payslip", TITLE),
        *paragraphs("Employee 20417, storm desk, Alderport. Private and confidential."),
        ruled_table(rows, (90 * mm, 30 * mm, 46 * mm), numeric=(1, 2), total_rows=1),
    ]
