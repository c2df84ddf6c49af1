"""What the PDF extractor promises of files inside a PDF."""

import io
import time
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from unit.orchestrator.extraction import pdffiles, pdfs

from sheaf_orchestrator.extraction import Limits, Options, pdf
from sheaf_orchestrator.extraction.options import OcrMode
from sheaf_orchestrator.extraction.pdf.nametree import NameTree
from sheaf_orchestrator.extraction.pdf.qpdf import UNREADABLE, unpacking_up_to
from sheaf_orchestrator.extraction.result import Extracted

MIB = 1024 * 1024


def extract(
    content: bytes, options: Options | None = None, limits: Limits | None = None
) -> Extracted:
    """What is in the document."""
    return pdf.extract(content, options or Options(), limits or Limits())


def found(extracted: Extracted) -> list[tuple[str, bytes]]:
    """Names and contents of its files."""
    return [(each.filename, each.content) for each in extracted.attachments]


def codes(extracted: Extracted) -> list[str]:
    """The codes of its warnings."""
    return [warning.code for warning in extracted.warnings]


def test_named_and_pinned_files_come_along_each_once() -> None:
    """In the order of the names, then of the pages; with the type that the PDF declares."""
    document = Pdf.open(io.BytesIO(pdfs.written("one", "two")))
    invoice = pdffiles.packed(document, b"<invoice/>", Subtype=Name("/text/xml"))
    both = pdffiles.embedded(document, "factur-x.xml", invoice)
    pdffiles.named(document, both, pdffiles.embedded(document, "again.xml", invoice))
    pdffiles.pinned(document, 1, both)
    note = pdffiles.embedded(document, "note.txt", pdffiles.packed(document, b"pinned"))
    pdffiles.pinned(document, 2, note)
    extracted = extract(pdffiles.saved(document))
    assert found(extracted) == [("factur-x.xml", b"<invoice/>"), ("note.txt", b"pinned")]
    assert [each.content_type for each in extracted.attachments] == ["text/xml", None]
    assert (codes(extracted), extracted.partial) == ([], False)


def test_of_some_pages_what_the_document_names_comes_and_what_is_pinned_to_them() -> None:
    """A file pinned to a page that is not wanted is passed over with it."""
    document = Pdf.open(io.BytesIO(pdfs.written("one", "two")))
    pdffiles.named(document, pdffiles.embedded(document, "all", pdffiles.packed(document, b"0")))
    for page in (1, 2):
        stream = pdffiles.packed(document, b"%d" % page)
        pdffiles.pinned(document, page, pdffiles.embedded(document, f"page {page}", stream))
    extracted = extract(pdffiles.saved(document), Options(pages=((2, 2),)))
    assert found(extracted) == [("all", b"0"), ("page 2", b"2")]


def test_names_have_no_folders_nor_control_characters() -> None:
    """As those of attachments of a mail; without a name, the key in the tree is one."""
    document = Pdf.open(io.BytesIO(pdfs.written("cover")))
    nameless = Dictionary(EF=Dictionary(F=pdffiles.packed(document, b"2")))
    path = pdffiles.embedded(document, "C:\\x\\..\\ev\x00il.pdf", pdffiles.packed(document, b"1"))
    pdffiles.named(document, path, nameless, String("elsewhere.txt"), Dictionary(F=String("link")))
    assert found(extract(pdffiles.saved(document))) == [("evil.pdf", b"1"), ("key 1", b"2")]


def test_the_password_opens_the_files_as_well() -> None:
    """Of a locked PDF they come as they were before."""
    content = pdffiles.with_files(("a.txt", b"secret"), password="sécret")
    extracted = extract(content, Options(password="sécret".encode()))
    assert found(extracted) == [("a.txt", b"secret")]


def test_a_repaired_document_has_its_files() -> None:
    """They are read of what the repair made."""
    content = pdffiles.with_files(("a.txt", b"inside"))
    extracted = extract(content[: content.rindex(b"xref")] + b"trailer <</Root 1 0 R>>")
    assert found(extracted) == [("a.txt", b"inside")]


def test_a_scan_has_its_files_and_its_pages_to_recognise() -> None:
    """Whichever lane ends it finds both."""
    content = pdffiles.with_files(("a.txt", b"inside"))
    extracted = extract(content, Options(ocr=OcrMode.ALWAYS))
    assert (found(extracted), extracted.ocr_pages) == ([("a.txt", b"inside")], [1])


def test_files_over_the_limits_are_left_out_and_named() -> None:
    """A file of just the bytes that are left is taken; then there is no room."""
    content = pdffiles.with_files(("a", b"1" * 60), ("b", b"2" * 41), ("c", b"3" * 40), ("d", b"4"))
    extracted = extract(content, limits=Limits(attachment_bytes=100))
    assert [name for name, _ in found(extracted)] == ["a", "c"]
    assert "left out: 'b', 'd'." in extracted.warnings[-1].message
    assert (codes(extracted), extracted.partial) == (["ATTACHMENTS_LEFT_OUT"], True)
    assert len(extract(content, limits=Limits(attachments=3)).attachments) == 3


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdffiles.with_filters(pdffiles.zeros(64), Name.FlateDecode), id="flate"),
        pytest.param(
            pdffiles.with_filters(
                zlib.compress(pdffiles.zeros(64)), Name.FlateDecode, Name.FlateDecode
            ),
            id="flate in flate",
        ),
        pytest.param(
            pdffiles.with_filters(b"\x81\x00" * MIB, Name.RunLengthDecode), id="run length"
        ),
        pytest.param(pdffiles.with_filters(b"z" * 2 * MIB, Name.ASCII85Decode), id="ascii 85"),
        pytest.param(pdffiles.with_filters(b"\x80" * 2_000, Name.LZWDecode), id="lzw"),
        pytest.param(pdffiles.with_filters(bytes(5 * MIB)), id="not packed"),
    ],
)
def test_a_bomb_is_left_out_before_it_is_unpacked(content: bytes) -> None:
    """No filter makes more bytes than may be kept; the page is read all the same."""
    extracted = extract(content, limits=Limits(attachment_bytes=4 * MIB))
    assert (extracted.attachments, codes(extracted)) == ([], ["ATTACHMENTS_LEFT_OUT"])
    assert extracted.pages[0].text == "cover"


@pytest.mark.parametrize(
    ("raw", "filters"),
    [
        (b"no zlib at all", [Name.FlateDecode]),
        (b"x", [Name.Unheard]),
        (b"x", [Name.FlateDecode] * 5),
    ],
    ids=["no zlib", "unheard of", "five filters"],
)
def test_a_damaged_file_is_left_out(raw: bytes, filters: list[Name]) -> None:
    """A warning names it, and the document is partial."""
    extracted = extract(pdffiles.with_filters(raw, *filters))
    assert (extracted.attachments, codes(extracted)) == ([], ["ATTACHMENT_FAILED"])
    assert ("'a' is damaged" in extracted.warnings[0].message, extracted.partial) == (True, True)


def test_a_file_that_ends_early_is_kept_as_far_as_it_goes() -> None:
    """A warning says so."""
    whole = bytes(range(256)) * 100
    extracted = extract(pdffiles.with_filters(zlib.compress(whole, 0)[:-600], Name.FlateDecode))
    ((_, content),) = found(extracted)
    assert whole.startswith(content)
    assert 20_000 < len(content) < len(whole)
    assert codes(extracted) == ["ATTACHMENT_FAILED"]


@pytest.mark.parametrize(
    ("root", "more"),
    [
        (b"<</Kids [10 0 R 10 0 R 9 0 R]>>", {}),
        (
            b"<</Kids [11 0 R 11 0 R]>>",
            {
                **{n: b"<</Kids [%d 0 R %d 0 R]>>" % (n + 1, n + 1) for n in range(11, 40)},
                40: b"<</Kids [9 0 R]>>",
            },
        ),
        (b"<</Kids [9 0 R 7 0 R (no node)] /Names (none)>>", {}),
    ],
    ids=["a loop", "2^30 ways", "no nodes"],
)
def test_strange_trees_of_names_are_walked_once(root: bytes, more: dict[int, bytes]) -> None:
    """The one file is found, in no time."""
    began = time.process_time()
    content = pdffiles.with_tree(root, more)
    assert found(extract(content)) == [("a.txt", b"inside")]
    assert time.process_time() - began < 1
    with Pdf.open(io.BytesIO(content)) as document:
        assert len(list(NameTree(document.Root.Names.EmbeddedFiles).entries())) == 1


def test_of_too_many_names_the_rest_is_counted() -> None:
    """10,000 are looked at; one file with many names is one."""
    entry = b"(k) <</F (a.txt) /EF <</F 8 0 R>>>>"
    extracted = extract(pdffiles.with_tree(b"<</Names [%s]>>" % (entry * 12_000), {}))
    assert found(extracted) == [("a.txt", b"inside")]
    assert "left out: 2000 more." in extracted.warnings[-1].message


@pytest.mark.parametrize(
    ("raw", "entries"),
    [
        (zlib.compress(bytes(301)), {"Filter": Name.FlateDecode}),
        (b"\x81\x00" * 3, {"Filter": Name.RunLengthDecode}),
        (
            zlib.compress(zlib.compress(bytes(301), 0)),
            {"Filter": Array([Name.FlateDecode, Name.FlateDecode])},
        ),
    ],
    ids=["flate", "run length", "flate in flate"],
)
def test_unpacking_ends_at_its_bound_and_no_other_does(
    raw: bytes, entries: dict[str, pikepdf.Object]
) -> None:
    """The library itself gives up, and what it reads afterwards has no bound again."""
    document = Pdf.new()
    stream = Stream(document, raw, **entries)
    level = pikepdf.StreamDecodeLevel.specialized
    with unpacking_up_to(300), pytest.raises(UNREADABLE, match="memory limit"):
        stream.read_bytes(level)
    assert len(stream.read_bytes(level)) > 300
