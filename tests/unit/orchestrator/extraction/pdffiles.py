"""PDFs with files inside them, for tests."""

import io
import zlib

import pikepdf
from pikepdf import Array, Dictionary, Encryption, Name, Pdf, Stream, String
from unit.orchestrator.extraction import pdfs

MIB = 1024 * 1024


def embedded(pdf: Pdf, name: str, stream: Stream) -> pikepdf.Object:
    """A file specification with the stream."""
    specification = Dictionary(Type=Name.Filespec, UF=String(name), F=String("short"))
    specification.EF = Dictionary(F=stream)
    return pdf.make_indirect(specification)


def packed(pdf: Pdf, content: bytes, **entries: object) -> Stream:
    """The content as an embedded file, packed by Flate."""
    entries = {"Filter": Name.FlateDecode, **entries}
    return Stream(pdf, zlib.compress(content), Type=Name.EmbeddedFile, **entries)


def saved(pdf: Pdf, password: str = "") -> bytes:
    """The document as bytes, its streams as they are."""
    out = io.BytesIO()
    if password:
        pdf.save(out, encryption=Encryption(user=password, owner=password))
    else:
        level = pikepdf.StreamDecodeLevel.none
        pdf.save(out, compress_streams=False, stream_decode_level=level)
    return out.getvalue()


def named(pdf: Pdf, *specifications: object) -> None:
    """The specifications as the document's tree of names."""
    entries = [[String(f"key {number}"), each] for number, each in enumerate(specifications)]
    names = Array([each for entry in entries for each in entry])
    pdf.Root.Names = Dictionary(EmbeddedFiles=Dictionary(Names=names))


def pinned(pdf: Pdf, page: int, specification: object) -> None:
    """The specification as an attachment on a page (from 1)."""
    note = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, FS=specification)
    note.Rect = Array([10, 10, 30, 30])
    pdf.pages[page - 1].obj.Annots = Array([pdf.make_indirect(note)])


def with_files(*files: tuple[str, bytes], password: str = "") -> bytes:
    """One page of text and the files by name."""
    pdf = Pdf.open(io.BytesIO(pdfs.written("cover")))
    named(pdf, *[embedded(pdf, name, packed(pdf, content)) for name, content in files])
    return saved(pdf, password)


def with_filters(raw: bytes, *filters: Name) -> bytes:
    """One page, and one file packed as told."""
    pdf = Pdf.open(io.BytesIO(pdfs.written("cover")))
    named(pdf, embedded(pdf, "a", Stream(pdf, raw, Filter=Array(filters))))
    return saved(pdf)


def zeros(mib: int) -> bytes:
    """So many MiB of zeros, packed without having them."""
    packing = zlib.compressobj(9)
    return b"".join(packing.compress(bytes(MIB)) for _ in range(mib)) + packing.flush()


def with_tree(root: bytes, more: dict[int, bytes]) -> bytes:
    """One page, and a tree of names written by hand: 10 is its root, 9 names one file."""
    return pdfs.by_hand(
        {
            1: b"<</Type /Catalog /Pages 2 0 R /Names <</EmbeddedFiles 10 0 R>>>>",
            2: b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
            3: b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 800]>>",
            8: pdfs.stream(b"inside"),
            9: b"<</Names [(k) <</F (a.txt) /EF <</F 8 0 R>>>>]>>",
            10: root,
            **more,
        }
    )
