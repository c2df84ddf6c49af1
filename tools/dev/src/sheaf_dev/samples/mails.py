"""A mail with a file attached, which becomes a document of its own."""

from email.message import EmailMessage
from email.policy import SMTP

from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.samples.sample import EML, Sample

_BOUNDARY = "=-brightwater-2025-03-19"


def mail_with_invoice() -> Sample:
    """Plain text and a PDF of one page."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "Bea Oyelaran <b.oyelaran@mail.example>"
    mail["To"] = "claims@brightwater.example"
    mail["Subject"] = "Bicycle claim TH-2025-00093 — invoice"
    mail["Date"] = "Wed, 19 Mar 2025 08:41:00 +0000"
    mail["Message-ID"] = "<20250319084100.93@mail.example>"
    mail.set_content(
        "Good morning,\n\nthe invoice of the new bicycle is attached.\n"
        "The frame number is on its second line.\n\nKind regards\nBea Oyelaran\n"
    )
    mail.add_attachment(
        text_pdf(93, 1), maintype="application", subtype="pdf", filename="invoice-bicycle.pdf"
    )
    mail.set_boundary(_BOUNDARY)
    return Sample(
        filename="mail-bicycle.eml",
        content=mail.as_bytes(),
        content_type=EML,
        expected_pages=1,
        expected_phrases=(
            "the invoice of the new bicycle is attached.",
            "The frame number is on its second line.",
        ),
    )
