"""The sample documents hold what they claim, and are the same bytes everywhere."""

import csv
import hashlib
import io
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pypdfium2
import pytest
from PIL import Image, ImageSequence
from pypdfium2 import raw

from sheaf_dev.samples import Sample, demo_samples
from sheaf_dev.samples.broken import USER_PASSWORD
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.samples.sample import (
    CSV,
    DOCX,
    EML,
    HTML,
    MARKDOWN,
    ODT,
    PDF,
    PLAIN_TEXT,
    PPTX,
    RTF,
    XLSX,
)
from sheaf_dev.samples.scans import scan_pdf

SAMPLES = demo_samples()
COMPLETED = [sample for sample in SAMPLES if sample.expected_status == "completed"]
FIXED_PAGES = [sample for sample in COMPLETED if sample.content_type in {PDF, PLAIN_TEXT, CSV}]
WITH_TEXT_LAYER = [sample for sample in FIXED_PAGES if not sample.needs_ocr]
PDFIUM_ERRORS = {"DAMAGED": raw.FPDF_ERR_FORMAT, "ENCRYPTED": raw.FPDF_ERR_PASSWORD}

DIGESTS = """
import hashlib
from sheaf_dev.samples import demo_samples
from sheaf_dev.samples.generator import text_pdf
for content in [*(sample.content for sample in demo_samples()), text_pdf(7, 3)]:
    print(hashlib.sha256(content).hexdigest())
"""


@contextmanager
def opened(content: bytes, password: str | None = None) -> Iterator[Any]:
    """The PDF, closed at the end. Raises pypdfium2.PdfiumError."""
    document = pypdfium2.PdfDocument(content, password=password)
    try:
        yield document
    finally:
        document.close()


def page_texts(sample: Sample) -> list[str]:
    """The text of each page; form values are flattened into theirs as the product does it."""
    if sample.content_type in OTHER_READERS:
        return [OTHER_READERS[sample.content_type](sample.content)]
    if sample.content_type != PDF:
        mark = sample.content.startswith(b"\xff\xfe")
        return sample.content.decode("utf-16" if mark else "utf-8").split("\f")
    with opened(sample.content) as document:
        for page in document:
            raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY)
            page.close()
        return [page.get_textpage().get_text_bounded() for page in document]


def zipped_text(content: bytes) -> str:
    """All text in the XML of a container; a workbook's cells point to texts that it shares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        parts = [name for name in archive.namelist() if name.endswith(".xml")]
        trees = [ET.fromstring(archive.read(name)) for name in parts if "docProps" not in name]  # noqa: S314 - our own
    shared = [item.findtext(".//{*}t") for tree in trees for item in tree.findall("{*}si")]
    found: list[str] = []
    for tree in trees:
        for cell in tree.findall(".//{*}c"):
            value = cell.findtext("{*}v") or ""
            found.append(str(shared[int(value)]) if cell.get("t") == "s" else value)
        for space in tree.findall(".//{*}p/{*}s"):
            space.text = " "
        for kind in (".//{*}h", ".//{*}p"):
            found += ["".join(paragraph.itertext()) for paragraph in tree.findall(kind)]
    return "\n".join(found)


class ShownText(HTMLParser):
    """What a browser shows of a page, nearly."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        self.shown.append(data)


def page_text(content: bytes) -> str:
    """The text of a web page."""
    parser = ShownText()
    parser.feed(content.decode())
    return " ".join(parser.shown)


def rtf_text(content: bytes) -> str:
    """RTF without its words of control."""
    text = re.sub(r"\\'([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), content.decode("ascii"))
    return re.sub(r"\\[a-z]+-?[0-9]* ?", " ", text)


def mail_text(content: bytes) -> str:
    """The body of a mail, whose one attached file is a PDF."""
    mail = message_from_bytes(content, policy=policy.default)
    (attached,) = mail.iter_attachments()
    assert attached.get_content().startswith(b"%PDF-")
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def table_text(content: bytes) -> str:
    """The cells of CSV, a line for each row."""
    rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return "\n".join("\t".join(row) for row in rows)


OTHER_READERS: dict[str, Callable[[bytes], str]] = {
    **dict.fromkeys((DOCX, XLSX, PPTX, ODT), zipped_text),
    CSV: table_text,
    HTML: page_text,
    MARKDOWN: bytes.decode,
    RTF: rtf_text,
    EML: mail_text,
}


def named(filename: str) -> Sample:
    """The sample of that name."""
    return next(sample for sample in SAMPLES if sample.filename == filename)


def by_name(sample: Sample) -> str:
    """What a test case is called."""
    return sample.filename


@pytest.mark.parametrize(
    "sample", [sample for sample in COMPLETED if not sample.needs_ocr], ids=by_name
)
def test_every_expected_phrase_is_found_in_the_extracted_text(sample: Sample) -> None:
    """A completed sample names phrases, and a reader finds all of them."""
    assert sample.expected_phrases
    assert sample.missing_phrases("\n".join(page_texts(sample))) == ()


@pytest.mark.parametrize("sample", WITH_TEXT_LAYER, ids=by_name)
def test_a_sample_has_the_pages_that_it_expects(sample: Sample) -> None:
    """As many as it says, and none of them without text."""
    texts = page_texts(sample)
    assert sample.expected_pages == len(texts)
    assert all(text.strip() for text in texts)


@pytest.mark.parametrize(
    "sample", [sample for sample in COMPLETED if sample.needs_ocr], ids=by_name
)
def test_a_scanned_sample_is_pictures_and_no_text(sample: Sample) -> None:
    """As many pages as it expects, each with ink on it and without a text layer."""
    assert sample.expected_phrases
    if sample.content_type == PDF:
        with opened(sample.content) as document:
            assert [page.get_textpage().count_chars() for page in document] == [0]
        return
    with Image.open(io.BytesIO(sample.content)) as picture:
        frames = [frame.convert("L") for frame in ImageSequence.Iterator(picture)]
    assert sample.expected_pages == len(frames)
    assert all(any(frame.histogram()[:60]) for frame in frames)


@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.expected_status == "failed"], ids=by_name
)
def test_a_sample_that_must_fail_fails_for_its_reason(sample: Sample) -> None:
    """It has a PDF's header, yet pdfium refuses it with the error behind the reason code."""
    assert sample.content.startswith(b"%PDF-1.")
    with pytest.raises(pypdfium2.PdfiumError) as caught, opened(sample.content):
        pass
    assert PDFIUM_ERRORS[sample.expected_reason or ""] == caught.value.err_code


def test_the_locked_sample_is_sound_and_opens_with_its_password() -> None:
    """It's the password alone that keeps its text away."""
    with opened(named("payslip-locked.pdf").content, USER_PASSWORD) as document:
        assert "Net pay 2,541.20" in document[0].get_textpage().get_text_bounded()


def test_form_values_come_out_only_when_flattened() -> None:
    """The form shows that the product flattens: its values aren't in the page's own text."""
    form = named("form-accident-report.pdf")
    with opened(form.content) as document:
        plain = document[0].get_textpage().get_text_bounded()
    assert "MV-7730-5521-08" in form.missing_phrases(plain)
    assert form.missing_phrases(page_texts(form)[0]) == ()


def test_newsletter_columns_are_read_one_after_the_other() -> None:
    """The end of the first column comes before the start of the second."""
    text = page_texts(named("newsletter-winter.pdf"))[0]
    headings = ("Frost is coming", "The van that comes", "Members ask", "Dates for", "A word from")
    places = [text.index(heading) for heading in headings]
    assert sorted(places) == places


def test_the_table_repeats_its_head_on_every_page() -> None:
    """Each page of the statement has the column names once and rows of its own."""
    for text in page_texts(named("statement-2025-Q1.pdf")):
        assert text.count("Date Reference Purpose Amount Balance") == 1
        assert text.count("AG-04") > 10


def test_both_roster_pages_are_shown_wide_and_one_is_turned() -> None:
    """One is wide by its size, the other by its /Rotate entry."""
    with opened(named("roster-landscape.pdf").content) as document:
        shown = [(page.get_width() > page.get_height(), page.get_rotation()) for page in document]
    assert shown == [(True, 0), (True, 90)]


def test_the_report_has_a_bookmark_for_each_chapter() -> None:
    """Eight bookmarks, to pages three to ten."""
    with opened(named("report-annual-2025.pdf").content) as document:
        targets = [mark.get_dest().get_index() + 1 for mark in document.get_toc()]
    assert list(range(3, 11)) == targets


def test_a_wrong_text_is_noticed() -> None:
    """White space may differ; a changed digit may not."""
    sample = Sample("a.txt", b"", expected_phrases=("paid 8,412.60 pounds",))
    assert sample.missing_phrases("we paid\r\n  8,412.60 pounds.") == ()
    assert sample.missing_phrases("we paid 8,412.66 pounds.") == ("paid 8,412.60 pounds",)


def test_there_are_enough_samples_of_each_outcome() -> None:
    """At least ten, all named differently, with each failure that a sender can cause."""
    assert len({sample.filename for sample in SAMPLES}) == len(SAMPLES) >= 10
    assert {None, "ENCRYPTED", "DAMAGED"} == {sample.expected_reason for sample in SAMPLES}


def test_samples_are_the_same_bytes_in_every_process() -> None:
    """Neither time, nor hash seed, nor what was made before gets into them."""
    contents = [*(sample.content for sample in SAMPLES), text_pdf(7, 3)]
    expected = [hashlib.sha256(content).hexdigest() for content in contents]
    elsewhere = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        env={**os.environ, "PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert expected == elsewhere.stdout.split()
    assert demo_samples() == SAMPLES


@pytest.mark.parametrize("pages", [1, 2, 25])
def test_a_generated_pdf_has_full_pages_of_text(pages: int) -> None:
    """As many pages as asked for, each with its number and plenty of words."""
    with opened(text_pdf(1, pages)) as document:
        texts = [page.get_textpage().get_text_bounded() for page in document]
    assert pages == len(texts)
    for number, text in enumerate(texts, start=1):
        assert f"page {number} of {pages}" in text
        assert len(text) > 1_500


def test_generated_pdfs_differ_by_seed_alone() -> None:
    """Equal arguments give equal bytes; two hundred seeds give as many documents."""
    assert text_pdf(3, 2) == text_pdf(3, 2)
    assert len({text_pdf(seed, 1) for seed in range(200)}) == 200


def test_a_generated_scan_is_the_same_bytes_each_time() -> None:
    """By its seed and pages; different seeds give different scans."""
    assert scan_pdf(3, 2) == scan_pdf(3, 2)
    assert len({scan_pdf(seed) for seed in range(4)}) == 4


def test_a_generated_pdf_needs_a_page() -> None:
    """No pages is a mistake of the caller."""
    with pytest.raises(ValueError, match="needs a page"):
        text_pdf(1, 0)


def test_generating_is_cheap_enough_for_a_load_generator() -> None:
    """Under 5 ms of CPU a page."""
    started = time.process_time()
    text_pdf(5, 100)
    assert time.process_time() - started < 0.5
