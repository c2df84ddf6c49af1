"""Office files of strangers: damaged, encrypted, or made to grow."""

import itertools
import struct
from types import SimpleNamespace

import pytest
from unit.orchestrator.extraction import officefiles
from unit.orchestrator.extraction.officefiles import paragraph, word

from sheaf_orchestrator.extraction import ExtractionError, Limits, Options, Reason
from sheaf_orchestrator.extraction.office import doc, docx, odt, ppt, reading, rtf, xls, xlsx
from sheaf_orchestrator.extraction.office.xml import TREE_BYTES
from sheaf_orchestrator.extraction.registry import Extractor


def reason(extract: Extractor, content: bytes | bytearray, limits: Limits | None = None) -> Reason:
    """The reason for which the content has no result."""
    with pytest.raises(ExtractionError) as caught:
        extract(bytearray(content), Options(), limits or Limits())
    return caught.value.reason


def test_what_is_no_office_file_is_damaged() -> None:
    """No bytes, other bytes, half a container, a container without its main part."""
    whole = officefiles.docx(paragraph("x"))
    assert reason(docx.extract, b"") is Reason.EMPTY
    assert reason(docx.extract, b"plain text") is Reason.DAMAGED
    assert reason(docx.extract, whole[: len(whole) // 2]) is Reason.DAMAGED
    assert reason(xlsx.extract, whole) is Reason.DAMAGED
    assert reason(doc.extract, officefiles.ole({"other": b"x"})) is Reason.DAMAGED
    assert reason(rtf.extract, b"plain text") is Reason.DAMAGED


def test_encrypted_files_are_told_from_damaged_ones() -> None:
    """OOXML in OLE, OpenDocument by its manifest, and each binary format."""
    entry = "<m:file-entry><m:encryption-data/></m:file-entry>"
    manifest = f'<m:manifest xmlns:m="x">{entry}</m:manifest>'
    locked = officefiles.zipped({"META-INF/manifest.xml": manifest, "content.xml": b"\x00\x01"})
    package = officefiles.ole({"EncryptedPackage": b"x"})
    filepass = struct.pack("<HHHHHHII", 0x809, 16, 0x600, 5, 0, 1997, 0, 6)
    filepass += struct.pack("<HH54s", 0x2F, 54, b"\1") + struct.pack("<HH", 0x0A, 0)
    user = struct.pack("<HHIIII", 0, 4086, 20, 20, 0xF3D1C4DF, 0)
    old = officefiles.ole({"PowerPoint Document": b"x", "Current User": user})
    assert reason(docx.extract, package) is Reason.ENCRYPTED
    assert reason(odt.extract, locked) is Reason.ENCRYPTED
    assert reason(doc.extract, officefiles.doc("x", flags=0x0100)) is Reason.ENCRYPTED
    assert reason(xls.extract, officefiles.ole({"Workbook": filepass})) is Reason.ENCRYPTED
    assert reason(ppt.extract, old) is Reason.ENCRYPTED


def test_a_container_is_refused_by_what_it_declares() -> None:
    """Too many members, too many bytes, too good a ratio: before anything is unpacked."""
    many = officefiles.zipped({f"m{number}": b"" for number in range(50)})
    zeros = officefiles.zipped({"word/document.xml": bytes(2**21)})
    assert reason(docx.extract, many, Limits(archive_members=49)) is Reason.ARCHIVE_LIMIT
    assert reason(docx.extract, zeros) is Reason.ARCHIVE_LIMIT
    assert reason(docx.extract, zeros, Limits(archive_bytes=2**20)) is Reason.ARCHIVE_LIMIT


def test_a_member_that_lies_about_its_size_is_read_no_further() -> None:
    """A member that declares fewer bytes than it has is no way around the limits."""
    body = word("document", f"<w:body>{paragraph('x' * 3_000_000)}</w:body>")
    content = officefiles.zipped({"word/document.xml": body})
    lying = content.replace(struct.pack("<I", len(body)), struct.pack("<I", 100))
    assert lying != content
    assert reason(docx.extract, lying) is Reason.DAMAGED


def test_entities_are_refused_and_nesting_is_bounded() -> None:
    """A billion laughs and 100,000 tables in each other end at once, with a reason."""
    laughs = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>' + word(
        "document", f"<w:body>{paragraph('&b;')}</w:body>"
    )
    deep = word("document", "<w:body>" + "<w:tbl>" * 100_000 + "</w:tbl>" * 100_000 + "</w:body>")
    for text in (laughs, deep):
        content = officefiles.zipped({"word/document.xml": text}, deflated=False)
        assert reason(docx.extract, content) is Reason.DAMAGED


def test_a_block_without_end_is_no_way_to_fill_memory() -> None:
    """A paragraph of more XML than is held at once is refused."""
    body = "<w:body><w:p>" + "<w:r/>" * (TREE_BYTES // 6 + 20_000) + "</w:p></w:body>"
    content = officefiles.zipped({"word/document.xml": word("document", body)}, deflated=False)
    assert reason(docx.extract, content) is Reason.MEMORY_LIMIT


def test_what_was_read_in_time_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paragraphs over the time are left out, and that is noted."""
    ticks = itertools.count()
    monkeypatch.setattr(reading, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    content = officefiles.docx(paragraph("word") * 200)
    extracted = docx.extract(content, Options(), Limits(soft_s=20.0))
    assert extracted.partial
    assert 5 <= extracted.pages[0].text.count("word") < 30
    assert [warning.code for warning in extracted.warnings] == ["TIME_LIMIT"]


def test_a_damaged_part_beside_the_body_is_left_out() -> None:
    """Broken comments do not cost the text."""
    content = officefiles.docx(
        paragraph("body"),
        rels=officefiles.relationships(c="comments c.xml"),
        word__c_xml="<w:comments",
    )
    extracted = docx.extract(content, Options(), Limits())
    assert extracted.pages[0].text == "body"
    assert extracted.partial
    assert [warning.code for warning in extracted.warnings] == ["PART_DAMAGED"]


@pytest.mark.parametrize(
    ("extract", "whole"),
    [
        (doc.extract, officefiles.doc("one\rtwo\x07\x13 PAGE \x143\x15\r")),
        (ppt.extract, officefiles.ppt("Title", "text")),
        (xls.extract, officefiles.xls({(0, 0): "a", (3, 2): 1.5})),
    ],
    ids=["doc", "ppt", "xls"],
)
def test_no_mutation_of_a_binary_file_is_more_than_an_error_of_extraction(
    extract: Extractor, whole: bytearray
) -> None:
    """Every 97th byte of a small file, turned over."""
    for at in range(0, len(whole), 97):
        content = bytearray(whole)
        content[at] ^= 0xFF
        try:
            extract(content, Options(), Limits())
        except ExtractionError as error:
            assert error.reason in {Reason.DAMAGED, Reason.ENCRYPTED}  # noqa: PT017 # or a result
