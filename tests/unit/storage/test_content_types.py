"""What content is taken for, by the rules and the real libmagic."""

import codecs
import io
import zipfile
from collections.abc import Iterator

import pytest

from sheaf_storage.adapters.libmagic import LibmagicSniffer, libmagic_sniffer

OFFICE = "application/vnd.openxmlformats-officedocument"
MAIL = b"Received: from a by b\r\nFrom: a@example.org\r\nSubject: x\r\n\r\nbody"
LETTER = b"From: Ann\nTo: Ben\nSubject: the garden\n\nDear Ben,\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"


@pytest.fixture(scope="module")
def sniffer() -> Iterator[LibmagicSniffer]:
    """The real one."""
    with libmagic_sniffer(2) as sniffer:
        yield sniffer


def zipped(*names: str, first: bytes = b"x", streamed: bool = False) -> bytes:
    """A zip of such members; a streamed one does not know their sizes beforehand."""
    target = io.BytesIO()
    if streamed:
        target.seekable = lambda: False  # type: ignore[method-assign]
        target.tell = lambda: (_ for _ in ()).throw(OSError())  # type: ignore[method-assign]
    with zipfile.ZipFile(target, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, first if number == 0 else b"content " * 50)
    return target.getvalue()


DOCX = zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "filename", "expected"),
    [
        (b"%PDF-1.7\nanything", "", "application/pdf"),
        (b"%PDF-1.7\nanything", "notes.txt", "application/pdf"),
        (b"\x00junk\n" * 50 + b"\n%PDF-1.4\n1 0 obj\n<<>>", "", "application/pdf"),
        (b"\n" * 1100 + b"%PDF-1.4\n1 0 obj\n<<>>", "", "text/plain"),
        (b"A PDF begins with\n%PDF-1.4 in its first line.", "", "text/plain"),
        (DOCX, "", f"{OFFICE}.wordprocessingml.document"),
        (DOCX, "report.zip", f"{OFFICE}.wordprocessingml.document"),
        (
            zipped("[Content_Types].xml", "word/document.xml", streamed=True),
            "",
            f"{OFFICE}.wordprocessingml.document",
        ),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "", f"{OFFICE}.spreadsheetml.sheet"),
        (
            zipped("[Content_Types].xml", "ppt/presentation.xml"),
            "",
            f"{OFFICE}.presentationml.presentation",
        ),
        (
            zipped("mimetype", "content.xml", first=b"application/vnd.oasis.opendocument.text"),
            "",
            "application/vnd.oasis.opendocument.text",
        ),
        (zipped("mimetype", first=b"application/epub+zip"), "", "application/epub+zip"),
        (zipped("mimetype", first=b"text/html"), "", "application/zip"),
        (zipped("notes.txt", "word.txt"), "report.docx", "application/zip"),
        (zipped("inner.docx", first=DOCX), "", "application/zip"),
        (b"PK\x03\x04" + b"\xff" * 100, "", "application/zip"),
        (b"PK\x03\x04", "", "application/zip"),
        (b"PK\x05\x06" + bytes(18), "", "application/zip"),
        (b"{\\rtf1 text}", "a.txt", "application/rtf"),
        (PNG, "a.txt", "image/png"),
        (MAIL, "", "message/rfc822"),
        (LETTER, "letter.txt", "text/plain"),
        (LETTER, "letter.eml", "message/rfc822"),
        (b"Dear Ben,\nFrom: nowhere\n", "letter.eml", "text/plain"),
        ("Grüße aus 日本".encode(), "", "text/plain"),
        ("Grüße aus 日本".encode("utf-16"), "", "text/plain"),
        (codecs.BOM_UTF8 + b"text", "", "text/plain"),
        ("Grüße aus Köln\n".encode("latin-1"), "", "text/plain"),
        (b"a", "", "text/plain"),
        (b"\n", "", "text/plain"),
        (b"MZ is how this text begins", "", "text/plain"),
        (b"GIF89a is how this text begins", "", "text/plain"),
        (b"a,b\n1,2\n", "", "text/plain"),
        (b"a,b\n1,2\n", "table.csv", "text/csv"),
        (b"a\tb\n1\t2\n", "table.TSV", "text/tab-separated-values"),
        (b"# Title\n\ntext\n", "readme.md", "text/markdown"),
        (b"<!DOCTYPE html><html><body>x</body></html>", "a.csv", "text/html"),
        (b'{"a": [1, 2]}', "", "application/json"),
        (b"import os\ndef f():\n    pass\n", "a.py", "text/plain"),
        ("Grüße aus Köln\n".encode("utf-16-le"), "", "text/plain"),
        (MAIL.decode().encode("utf-16-be"), "", "message/rfc822"),
        (b"<html>\n<body>a \x00\x07 b</body></html>\n" * 9, "", "text/html"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528), "", "application/x-ole-storage"),
        (b"\x00\x01\x02\x03" * 100, "a.csv", "application/octet-stream"),
        (b"text with a \x00 in it", "a.txt", "application/octet-stream"),
        (bytes(range(128, 256)) * 4 + b"\x00", "a.md", "application/octet-stream"),
    ],
)
async def test_content_decides_and_the_name_breaks_ties(
    sniffer: LibmagicSniffer, content: bytes, filename: str, expected: str
) -> None:
    """A name alone makes nothing of content that says otherwise."""
    assert await sniffer.sniff(content, filename) == expected
    assert await sniffer.sniff(bytearray(content), filename) == expected


async def test_a_zip_of_very_many_members_is_looked_at_a_little(sniffer: LibmagicSniffer) -> None:
    """The look is bounded: what comes after 512 members decides nothing."""
    content = zipped(*(f"{number}.txt" for number in range(600)), "word/document.xml")

    assert await sniffer.sniff(content, "") == "application/zip"


async def test_a_text_cut_within_a_character_is_a_text(sniffer: LibmagicSniffer) -> None:
    """The beginning that is looked at may end anywhere."""
    assert await sniffer.sniff(b"a" + "日".encode() * 100_000, "") == "text/plain"
