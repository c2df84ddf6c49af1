"""What a file is taken for, by its content."""

import io
import zipfile

import pytest

from sheaf_orchestrator.extraction import ExtractionError, Reason, types
from sheaf_orchestrator.extraction.registry import detect

from .oles import ole

CONTENT_TYPES = (
    '<Types><Override PartName="/x.xml" ContentType="application/vnd.{}.main+xml"/></Types>'
)
MAIL = b"Received: from a by b\r\nFrom: a@example.org\r\nSubject: x\r\n\r\nbody"
LETTER = b"From: Ann\nTo: Ben\nSubject: the garden\n\nDear Ben,\n"
OCTETS = "application/octet-stream"


def zipped(members: dict[str, str]) -> bytes:
    """A zip of such members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            kind = zipfile.ZIP_STORED if name == "mimetype" else None
            archive.writestr(name, text, kind)
    return target.getvalue()


def office(main: str) -> bytes:
    """A package whose main part is of that kind, under a name that tells nothing."""
    return zipped({"a/b.xml": "<a/>", "[Content_Types].xml": CONTENT_TYPES.format(main)})


OOXML = "openxmlformats-officedocument"
CSV = b"a,b,c\n" + b"1,2,3\n" * 5


@pytest.mark.parametrize(
    ("content", "declared", "expected"),
    [
        (b"%PDF-1.7\n", "text/plain", types.PDF),
        (b"\x00junk\n" * 50 + b"\n%PDF-1.4\n1 0 obj\n<<>>", "", types.PDF),
        (office(f"{OOXML}.wordprocessingml.document"), "application/zip", types.DOCX),
        (office("ms-word.document.macroEnabled"), "", types.DOCX),
        (office(f"{OOXML}.spreadsheetml.sheet"), types.DOCX, types.XLSX),
        (office("ms-powerpoint.slideshow.macroEnabled"), "", types.PPTX),
        (zipped({"word/document.xml": "<a/>"}), "", types.DOCX),
        (zipped({"mimetype": types.ODT, "content.xml": ""}), "", types.ODT),
        (zipped({"mimetype": types.ODS + "-template"}), "", types.ODS),
        (zipped({"mimetype": types.ODP}), "", types.ODP),
        (ole({"WordDocument": b"x", "1Table": b"y"}), types.OLE, types.DOC),
        (ole({"Workbook": b"x"}), "", types.XLS),
        (ole({"Book": b"x"}), "", types.XLS),
        (ole({"PowerPoint Document": b"x"}), "", types.PPT),
        (ole({"__properties_version1.0": bytes(32)}), "", types.MSG),
        (ole({"EncryptedPackage": b"x"}), types.OLE, types.LOCKED),
        (ole({"WordDocument": b"x", "ObjectPool": {"Workbook": b"y"}}), "", types.DOC),
        (b"\x89PNG\r\n\x1a\n", "text/plain", types.PNG),
        (b"\xff\xd8\xff\xe0", "", types.JPEG),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "", types.WEBP),
        (b"II*\x00\x08\x00\x00\x00", "", types.TIFF),
        (b"MM\x00*\x00\x00\x00\x08", "", types.TIFF),
        (b"GIF89a", "", types.GIF),
        (b"BM\x00\x01\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00", "", types.BMP),
        (b"{\\rtf1 text}", "text/plain", types.RTF),
        (MAIL, "", types.EML),
        (MAIL.decode().encode("utf-16-le"), OCTETS, types.EML),
        (b"From bob Mon Jan  1 00:00:00 2024\n" + MAIL, "text/plain", types.EML),
        (b"From: a@b.c\nDate: x\nContent-Type: text/plain\n\nhi", "text/plain", types.EML),
        (LETTER, "text/plain", types.TEXT),
        (LETTER, types.EML, types.EML),
        (b"<!-- a comment --> <!DOCTYPE HTML><p>x", "text/plain", types.HTML),
        (b'<?xml version="1.0"?>\n<html xmlns="x"><body/></html>', "text/xml", types.HTML),
        (b"<html>a \x00\x07 b</html>" * 9, OCTETS, types.HTML),
        (b"<p>only a fragment</p>", "", types.HTML),
        (b"words <b>first</b>", "text/html", types.HTML),
        (b"words <b>first</b>", "text/plain", types.TEXT),
        (b'<?xml version="1.0"?><TEI><p>x</p></TEI>', "text/xml", types.TEXT),
        (b"<p align=center>Title</p>\n\n# x", "text/markdown", types.MARKDOWN),
        (b'{"a": 1}', "application/json", types.TEXT),
        (b"a;b\n1;2\n", "text/csv; charset=x", types.CSV),
        (b"a\tb\n1\t2\n", types.TSV, types.TSV),
        (CSV, "text/plain", types.CSV),
        (CSV.replace(b",", b"\t"), "", types.TSV),
        (b"One, two, three.\nAnd one, two.\nNo.\nA, b, c.\n", "text/plain", types.TEXT),
        (b"a,b\n1,2\n", "text/plain", types.TEXT),
        ("Grüße aus Köln\n".encode("latin-1"), OCTETS, types.TEXT),
        (b"MZ is how this text begins", "", types.TEXT),
        (b"ID3 is how this text begins", "", types.TEXT),
    ],
)
def test_content_decides(content: bytes, declared: str, expected: str) -> None:
    """What is declared breaks ties between kinds of text, and nothing else."""
    assert detect(bytearray(content), declared) == expected


@pytest.mark.parametrize(
    ("content", "declared", "reason", "named"),
    [
        (b"", "", Reason.EMPTY, "no bytes"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00", types.PNG, Reason.UNSUPPORTED_FORMAT, "HEIC"),
        (b"8BPS\x00\x01\x00\x00", "", Reason.UNSUPPORTED_FORMAT, "Photoshop"),
        (b"<svg xmlns='x'><p>text</p></svg>", "", Reason.UNSUPPORTED_FORMAT, "SVG"),
        (b"%!PS-Adobe-3.0\n", "", Reason.UNSUPPORTED_FORMAT, "PostScript"),
        (b"\x1f\x8b\x08\x00\x00", "", Reason.UNSUPPORTED_FORMAT, "gzip"),
        (zipped({"a.txt": "x"}), types.DOCX, Reason.UNSUPPORTED_FORMAT, "ZIP"),
        (zipped({"mimetype": "application/epub+zip"}), "", Reason.UNSUPPORTED_FORMAT, "EPUB"),
        (office("ms-excel.sheet.binary.macroEnabled"), "", Reason.UNSUPPORTED_FORMAT, "XLSB"),
        (ole({"VisioDocument": b"x"}), "", Reason.UNSUPPORTED_FORMAT, "Visio"),
        (ole({"Workbook": b"x"})[:520], "", Reason.DAMAGED, "OLE"),
        (b"\x00\x01\x02\x03" * 99, "x/y", Reason.UNSUPPORTED_FORMAT, "x/y"),
        (b"\x00\x01\x02\x03" * 99, OCTETS, Reason.UNSUPPORTED_FORMAT, "binary"),
    ],
)
def test_what_is_not_read_is_named(
    content: bytes, declared: str, reason: Reason, named: str
) -> None:
    """The message says what the file is instead."""
    with pytest.raises(ExtractionError, match=named) as caught:
        detect(bytearray(content), declared)
    assert caught.value.reason is reason
