"""PDFs for tests: some by reportlab, and the strange ones written by hand."""

import io
import zlib

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas


def written(*pages: str, **info: str) -> bytes:
    """A4 pages with a line of text each; ``title`` and ``author`` if given."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(595, 842))
    if "title" in info:
        canvas.setTitle(info["title"])
    if "author" in info:
        canvas.setAuthor(info["author"])
    for text in pages:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def in_japanese(text: str) -> bytes:
    """One page in a CID font."""
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiMin-W3"))
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.setFont("HeiseiMin-W3", 14)
    canvas.drawString(72, 700, text)
    canvas.save()
    return out.getvalue()


def form(value: str) -> bytes:
    """One page with a text field, filled."""
    out = io.BytesIO()
    canvas = Canvas(out)
    canvas.drawString(72, 720, "Name:")
    canvas.acroForm.textfield(value=value, x=120, y=700, width=200, height=30)
    canvas.save()
    return out.getvalue()


def with_outline() -> bytes:
    """Two chapters on two pages, the second with a section."""
    out = io.BytesIO()
    canvas = Canvas(out)
    for title in ("One", "Two"):
        canvas.drawString(72, 700, title)
        canvas.bookmarkPage(title)
        canvas.addOutlineEntry(title, title, 0)
        if title == "Two":
            canvas.bookmarkHorizontal("section", 0, 600)
            canvas.addOutlineEntry("Two point one", "section", 1)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def encrypted(user_password: str) -> bytes:
    """One page of text; an empty password opens for everybody."""
    out = io.BytesIO()
    lock = StandardEncryption(user_password, ownerPassword="owner", strength=128)
    canvas = Canvas(out, encrypt=lock)
    canvas.drawString(72, 700, "behind the lock")
    canvas.save()
    return out.getvalue()


def by_hand(objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """A PDF of the given objects; 1 is its catalog."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = {}
    for number, body in objects.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number, offset in offsets.items():
        out += b"%d 1\n%010d 00000 n \n" % (number, offset)
    out += b"trailer\n<</Root 1 0 R /Size %d %s>>\n" % (max(objects) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A compressed stream object."""
    packed = zlib.compress(content)
    return b"<</Length %d /Filter /FlateDecode %s>>\nstream\n%s\nendstream" % (
        len(packed),
        entries,
        packed,
    )


def one_page(
    content: bytes = b"BT /F 12 Tf 72 700 Td (text) Tj ET",
    *,
    page: bytes = b"",
    more: dict[int, bytes] | None = None,
    trailer: bytes = b"",
    font: bytes = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
) -> bytes:
    """One page with a content stream, a font ``/F`` and whatever else is asked for."""
    return by_hand(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
            3: b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 800] /Contents 4 0 R"
            b" /Resources <</Font <</F 5 0 R>> /XObject <</X 9 0 R>>>> " + page + b">>",
            4: stream(content),
            5: font,
            **(more or {}),
        },
        trailer,
    )


def with_unicode(hex_utf16: bytes) -> bytes:
    """One page whose one character stands for the given UTF-16."""
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n"
        b"1 beginbfchar <41> <" + hex_utf16 + b"> endbfchar\nendcmap end end"
    )
    font = b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R>>"
    return one_page(b"BT /F 12 Tf 72 700 Td (A) Tj ET", font=font, more={6: stream(cmap)})


def with_info(entries: bytes) -> bytes:
    """One page and an information dictionary."""
    return one_page(more={7: b"<<" + entries + b">>"}, trailer=b"/Info 7 0 R")


def without_pages() -> bytes:
    """A whole PDF whose page tree is empty."""
    return by_hand(
        {1: b"<</Type /Catalog /Pages 2 0 R>>", 2: b"<</Type /Pages /Kids [] /Count 0>>"}
    )


def with_a_bad_page() -> bytes:
    """Three pages, of which the second is not there."""
    page = b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 800] /Contents 4 0 R"
    font = b" /Resources <</Font <</F 5 0 R>>>>>>"
    return by_hand(
        {
            1: b"<</Type /Catalog /Pages 2 0 R>>",
            2: b"<</Type /Pages /Kids [3 0 R 8 0 R 6 0 R] /Count 3>>",
            3: page + font,
            4: stream(b"BT /F 12 Tf 72 700 Td (text) Tj ET"),
            5: b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
            6: page + font,
        }
    )


def nested_forms(depth: int, fan: int) -> bytes:
    """Form XObjects, each drawing the next one ``fan`` times: fan ** depth drawings in 2 KB."""
    text = b"BT /F 12 Tf 72 700 Td (bomb) Tj ET"
    more = {}
    for level in range(depth):
        number = 9 + level
        last = level == depth - 1
        inside = b"" if last else b"/XObject <</X %d 0 R>>" % (number + 1)
        more[number] = stream(
            text if last else b"/X Do " * fan,
            b"/Type /XObject /Subtype /Form /BBox [0 0 200 800]"
            b" /Resources <</Font <</F 5 0 R>> %s>>" % inside,
        )
    return one_page(b"/X Do", more=more)


def deep_page_tree(depth: int) -> bytes:
    """One page under ``depth`` nodes, each the only child of the one before."""
    objects = {1: b"<</Type /Catalog /Pages 2 0 R>>"}
    for number in range(2, 2 + depth):
        parent = b"" if number == 2 else b"/Parent %d 0 R" % (number - 1)  # root
        objects[number] = b"<</Type /Pages /Kids [%d 0 R] /Count 1 %s>>" % (number + 1, parent)
    objects[2 + depth] = b"<</Type /Page /Parent %d 0 R /MediaBox [0 0 9 9]>>" % (1 + depth)
    return by_hand(objects)
