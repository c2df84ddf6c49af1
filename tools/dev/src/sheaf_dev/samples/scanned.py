"""Samples whose text is only in pictures: a photograph of a letter, a scan, a fax of two pages."""

import io
from typing import Final

from PIL import Image

from sheaf_dev.samples.sample import PDF, PNG, TIFF, Sample
from sheaf_dev.samples.scans import DPI, encoded, pdf_of_pictures, picture_of_text

_LETTER: Final = (
    "Dear claims desk,",
    "",
    "the supply pipe in our kitchen burst during the night.",
    "Water ran through the ceiling into the shop below,",
    "and the counter is damaged beyond repair.",
    "",
    "Please send somebody before the weekend.",
)
_REPORT: Final = (
    "Report of the loss adjuster",
    "",
    "The roof of the barn was lifted by the storm.",
    "Eleven sheets are missing, the frame is sound.",
    "Temporary covers were fixed on Tuesday morning.",
)
_FAX: Final = (
    ("Fax to the garage", "", "Please hold the silver van until our surveyor comes."),
    ("Second page", "", "The repair may begin after the inspection on Friday."),
)


def photographed_letter() -> Sample:
    """A picture in shades of grey."""
    return Sample(
        filename="letter-photographed.png",
        content=encoded(picture_of_text(_LETTER), "PNG"),
        content_type=PNG,
        expected_pages=1,
        expected_phrases=("pipe in our kitchen burst", "before the weekend"),
        needs_ocr=True,
    )


def scanned_report() -> Sample:
    """A PDF of one picture, without a text layer."""
    return Sample(
        filename="report-scanned.pdf",
        content=pdf_of_pictures([picture_of_text(_REPORT)], title="Scan 0417"),
        content_type=PDF,
        expected_pages=1,
        expected_phrases=("lifted by the storm", "the frame is sound"),
        needs_ocr=True,
    )


def fax_of_two_pages() -> Sample:
    """A TIFF with two pages in black and white."""
    pages = [picture_of_text(lines).convert("1", dither=Image.Dither.NONE) for lines in _FAX]
    buffer = io.BytesIO()
    pages[0].save(
        buffer,
        "TIFF",
        save_all=True,
        append_images=pages[1:],
        compression="group4",
        dpi=(DPI, DPI),
    )
    return Sample(
        filename="fax-garage.tiff",
        content=buffer.getvalue(),
        content_type=TIFF,
        expected_pages=2,
        expected_phrases=("hold the silver van", "after the inspection on Friday"),
        needs_ocr=True,
    )
