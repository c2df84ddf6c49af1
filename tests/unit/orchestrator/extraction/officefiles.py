"""Office files for tests, written by hand: the least that each format needs."""

import io
import struct
import zipfile

_OFFICE = "http://schemas.openxmlformats.org"
_W = f'xmlns:w="{_OFFICE}/wordprocessingml/2006/main"'
_R = f'xmlns:r="{_OFFICE}/officeDocument/2006/relationships"'
_S = f'xmlns="{_OFFICE}/spreadsheetml/2006/main"'
_A = f'xmlns:a="{_OFFICE}/drawingml/2006/main"'
_P = f'xmlns:p="{_OFFICE}/presentationml/2006/main"'
_PACKAGE = f"{_OFFICE}/package/2006"
_ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in {
        "office": "office", "text": "text", "table": "table", "style": "style",
        "draw": "drawing", "svg": "svg-compatible", "presentation": "presentation",
        "meta": "meta",
    }.items()
)  # fmt: skip


def zipped(parts: dict[str, str | bytes], *, deflated: bool = True) -> bytearray:
    """A zip container of these members."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as container:
        for name, content in parts.items():
            container.writestr(name, content)
    return bytearray(out.getvalue())


def relationships(**targets: str) -> str:
    """A part of relationships: id to ``kind target``; a target with ``:`` lies outside."""
    listed = ""
    for identity, named in targets.items():
        kind, target = named.split(" ")
        mode = ' TargetMode="External"' if ":" in target else ""
        listed += f'<Relationship Id="{identity}" Type="x/{kind}" Target="{target}"{mode}/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def core(title: str, author: str, created: str) -> str:
    """The properties of an OOXML file."""
    return (
        f'<c:p xmlns:c="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:t="http://purl.org/dc/terms/">'
        f"<dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>"
        f"<t:created>{created}</t:created></c:p>"
    )


def docx(body: str, **parts: str | bytes) -> bytearray:
    """A Word document; ``parts`` are further ones, ``__`` standing for ``/`` and ``_`` for a dot.

    The relationships of the document are those given as ``rels``.
    """
    rels = parts.pop("rels", relationships())
    members: dict[str, str | bytes] = {
        "word/document.xml": word("document", f"<w:body>{body}</w:body>"),
        "word/_rels/document.xml.rels": rels,
    }
    for name, content in parts.items():
        members[name.replace("__", "/").replace("_", ".")] = content
    return zipped(members)


def word(root: str, content: str) -> str:
    """A part of WordprocessingML."""
    return f"<w:{root} {_W} {_R}>{content}</w:{root}>"


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of Word."""
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def xlsx(rows: str, *, strings: str = "", styles: str = "", state: str = "visible") -> bytearray:
    """A workbook of one sheet."""
    sheet = f'<sheet name="Costs" sheetId="1" state="{state}" r:id="r1"/>'
    return zipped(
        {
            "xl/workbook.xml": f"<workbook {_S} {_R}><sheets>{sheet}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": relationships(
                r1="worksheet sheet1.xml", r2="sharedStrings strings.xml", r3="styles styles.xml"
            ),
            "xl/sheet1.xml": f"<worksheet {_S}><sheetData>{rows}</sheetData></worksheet>",
            "xl/strings.xml": f"<sst {_S}>{strings}</sst>",
            "xl/styles.xml": f"<styleSheet {_S}>{styles}</styleSheet>",
        }
    )


def shape(text: str, top: int, left: int, holder: str = "") -> str:
    """A shape of a slide; ``holder`` is the kind of placeholder that it fills."""
    place = f'<p:ph type="{holder}"/>' if holder else ""
    return (
        f"<p:sp><p:nvSpPr><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:spPr><a:xfrm>"
        f'<a:off x="{left}" y="{top}"/></a:xfrm></p:spPr><p:txBody><a:p><a:r><a:t>{text}</a:t>'
        "</a:r></a:p></p:txBody></p:sp>"
    )


def pptx(*slides: str, notes: str = "") -> bytearray:
    """A presentation; ``notes`` are those of its first slide."""
    ids = "".join(f'<p:sldId r:id="r{number}"/>' for number in range(len(slides)))
    spaces = f"{_P} {_A} {_R}"
    members: dict[str, str | bytes] = {
        "ppt/presentation.xml": (
            f"<p:presentation {spaces}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
        ),
        "ppt/_rels/presentation.xml.rels": relationships(
            **{f"r{number}": f"slide slides/s{number}.xml" for number in range(len(slides))}
        ),
        "ppt/slides/_rels/s0.xml.rels": relationships(n="notesSlide ../notes.xml"),
        "ppt/notes.xml": _slide("notes", spaces, shape(notes, 0, 0, "body")),
    }
    for number, content in enumerate(slides):
        members[f"ppt/slides/s{number}.xml"] = _slide("sld", spaces, content)
    return zipped(members)


def _slide(root: str, spaces: str, shapes: str) -> str:
    tree = f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>"
    return f"<p:{root} {spaces}>{tree}</p:{root}>"


def odf(
    kind: str, body: str, styles: str = "", *, deflated: bool = True, **parts: str
) -> bytearray:
    """An OpenDocument file: ``text``, ``spreadsheet`` or ``presentation``."""
    content = (
        f"<office:document-content {_ODF}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )
    members: dict[str, str | bytes] = {"content.xml": content}
    for name, part in parts.items():
        members[name.replace("__", "/").replace("_", ".")] = part
    return zipped(members, deflated=deflated)


def ole(streams: dict[str, bytes]) -> bytearray:
    """An OLE container of these streams, each of whole sectors ([MS-CFB])."""
    sectors: list[bytes] = []
    chains: list[int] = []
    entries = [_entry("Root Entry", 5, 0xFFFFFFFE, 0, child=1)]
    for number, (name, content) in enumerate(streams.items(), start=1):
        content = content.ljust(4096, b"\0")  # noqa: PLW2901 # smaller ones lie elsewhere
        count = -(-len(content) // 512)
        start = len(sectors)
        chains += [start + at + 1 for at in range(count - 1)] + [0xFFFFFFFE]
        sectors += [content[512 * at : 512 * at + 512].ljust(512, b"\0") for at in range(count)]
        following = number + 1 if number < len(streams) else 0xFFFFFFFF
        entries.append(_entry(name, 2, start, len(content), right=following))
    directory = b"".join(entries)
    directory_start, count = len(sectors), -(-len(directory) // 512)
    chains += [directory_start + at + 1 for at in range(count - 1)] + [0xFFFFFFFE]
    sectors += [directory[512 * at : 512 * at + 512].ljust(512, b"\0") for at in range(count)]
    chains.append(0xFFFFFFFD)
    table = struct.pack(f"<{len(chains)}I", *chains).ljust(512, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, 1, directory_start, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    ) + struct.pack("<I", len(sectors))  # fmt: skip
    return bytearray(header.ljust(512, b"\xff") + b"".join(sectors) + table)


def _entry(
    name: str, kind: int, start: int, size: int, *, right: int = 0xFFFFFFFF, child: int = 0xFFFFFFFF
) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16xI8x8xIQ", encoded, len(encoded), kind, 1, 0xFFFFFFFF, right, child, 0,
        start, size,
    )  # fmt: skip


def doc(text: str, *, flags: int = 0, before: bytes = b"") -> bytearray:
    """A document of Word 97 whose text is one piece of UTF-16; ``before`` begins its table."""
    encoded = text.encode("utf-16-le")
    pieces = struct.pack("<IIHIH", 0, len(text), 0, 1024, 0)
    clx = b"\2" + struct.pack("<I", len(pieces)) + pieces
    fib = struct.pack("<HH6xH20x", 0xA5EC, 0xC1, flags).ljust(32, b"\0")
    fib += struct.pack("<H28x", 14) + struct.pack("<H", 22)
    fib += struct.pack("<22I", 0, 0, 0, len(text), *[0] * 18)
    pairs = [0] * 2 * 93
    pairs[66:68] = [len(before), len(clx)]
    fib += struct.pack("<H186I", 93, *pairs)
    return ole({"WordDocument": fib.ljust(1024, b"\0") + encoded, "0Table": before + clx})


def ppt_record(kind: int, content: bytes, *, instance: int = 0, container: bool = False) -> bytes:
    """A record of PowerPoint 97."""
    head = instance << 4 | (0xF if container else 0)
    return struct.pack("<HHI", head, kind, len(content)) + content


def ppt(title: str, text: str) -> bytearray:
    """A presentation of PowerPoint 97 of one slide: a title in the outline, a box of text."""
    outline = ppt_record(1011, struct.pack("<IIiII", 2, 0, 1, 256, 0))
    outline += ppt_record(3999, struct.pack("<I", 0)) + ppt_record(4000, title.encode("utf-16-le"))
    document = ppt_record(1000, ppt_record(4080, outline, container=True), container=True)
    lower = _ppt_box(ppt_record(3998, struct.pack("<I", 0)), top=2000)
    upper = _ppt_box(ppt_record(3999, struct.pack("<I", 4)) + ppt_record(4008, text.encode()), 100)
    whole = ppt_record(0xF004, b"", container=True)
    group = ppt_record(0xF003, whole + upper + lower, container=True)
    drawing = ppt_record(1036, ppt_record(0xF002, group, container=True), container=True)
    slide = ppt_record(1006, drawing, container=True)
    places = struct.pack("<III", 2 << 20 | 1, 0, len(document))
    edit_at = len(document) + len(slide) + 8 + len(places)
    stream = document + slide + ppt_record(6002, places)
    edit = struct.pack("<IIIIIIHH", 256, 0, 0, len(document) + len(slide), 1, 2, 0, 0)
    stream += ppt_record(4085, edit)
    user = struct.pack("<HHIIII", 0, 4086, 20, 20, 0xE391C05F, edit_at).ljust(40, b"\0")
    return ole({"PowerPoint Document": stream, "Current User": user})


def _ppt_box(atoms: bytes, top: int) -> bytes:
    anchor = ppt_record(0xF010, struct.pack("<hhhh", top, 0, 100, top + 100))
    return ppt_record(0xF004, anchor + ppt_record(0xF00D, atoms, container=True), container=True)


def xls(cells: dict[tuple[int, int], str | float]) -> bytearray:
    """A workbook of Excel 97 of one sheet; numbers are shown as percentages."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    style = struct.pack("<HHHBBBBIIH", 0, 9, 0, 0, 0, 0, 0, 0, 0, 0)
    name = b"Costs"
    sheet_record = struct.pack("<IHBB", 0, 0, len(name), 0) + name
    start = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 1997, 0, 6))
    head = start + record(0x42, struct.pack("<H", 1200))
    font = struct.pack("<HHHHHBBBBBB", 200, 0, 0, 400, 0, 0, 0, 0, 0, 1, 0) + b"A"
    head += record(0x31, font) * 4
    head += record(0xE0, style)
    place = len(head) + 4 + len(sheet_record) + 4
    head += record(0x85, struct.pack("<I", place) + sheet_record[4:]) + record(0x0A, b"")
    body = bytearray(record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 6)))
    for (row, column), value in cells.items():
        if isinstance(value, str):
            text = struct.pack("<HB", len(value), 0) + value.encode("latin-1")
            body += record(0x204, struct.pack("<HHH", row, column, 0) + text)
        else:
            body += record(0x203, struct.pack("<HHHd", row, column, 0, value))
    return ole({"Workbook": head + bytes(body) + record(0x0A, b"")})
