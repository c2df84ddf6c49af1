"""Word, OpenDocument text and RTF: what is shown, in the order of a reader."""

from unit.orchestrator.extraction import officefiles
from unit.orchestrator.extraction.officefiles import paragraph, relationships, word

from sheaf_orchestrator.extraction import Extracted, Limits, Options
from sheaf_orchestrator.extraction.office import doc, docx, odt, rtf

STYLES = word(
    "styles",
    '<w:style w:type="paragraph" w:styleId="H2"><w:name w:val="heading 2"/></w:style>'
    '<w:style w:type="paragraph" w:styleId="Own"><w:basedOn w:val="H2"/></w:style>',
)
NUMBERING = word(
    "numbering",
    '<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/>'
    '<w:lvlText w:val="%1."/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/>'
    '<w:lvlText w:val="(%2)"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>',
)


def read_docx(body: str, **parts: str | bytes) -> Extracted:
    """A Word document, read."""
    return docx.extract(officefiles.docx(body, **parts), Options(), Limits())


def listed(text: str, depth: int) -> str:
    """An item of the list of ``NUMBERING``."""
    level = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr>'
    return paragraph(text, level)


def test_headings_lists_and_tables_of_word() -> None:
    """Headings by their styles' ancestry, lists with numbers, merged cells once."""
    cells = '<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{}</w:tc><w:tc>{}</w:tc>'
    table = f"<w:tbl><w:tr>{cells.format(paragraph('wide'), paragraph('c'))}</w:tr></w:tbl>"
    extracted = read_docx(
        paragraph("Scope", '<w:pStyle w:val="Own"/>')
        + listed("first", 0)
        + listed("inner", 1)
        + listed("second", 0)
        + table,
        rels=relationships(s="styles styles.xml", n="numbering numbering.xml"),
        word__styles_xml=STYLES,
        word__numbering_xml=NUMBERING,
    )
    assert (extracted.unit, extracted.page_count) == ("part", 1)
    assert extracted.markdown[0].split("\n\n") == [
        "## Scope",
        "1. first\n    - (a) inner\n2. second",
        "|  |  |  |\n| --- | --- | --- |\n| wide |  | c |",
    ]
    assert extracted.pages[0].tables[0].rows == [["wide", "", "c"]]
    assert [(entry.title, entry.level) for entry in extracted.outline] == [("Scope", 1)]


def test_what_is_shown_of_changes_fields_and_links() -> None:
    """Insertions stand, deletions do not; of a field its result, of a link its address."""

    def run(content: str) -> str:
        return f"<w:r>{content}</w:r>"

    extracted = read_docx(
        "<w:p><w:ins><w:r><w:t>new </w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>old </w:delText></w:r></w:del>"
        "<w:moveFrom><w:r><w:t>elsewhere </w:t></w:r></w:moveFrom>"
        + run('<w:fldChar w:fldCharType="begin"/>')
        + run("<w:instrText>PAGE</w:instrText>")
        + run('<w:fldChar w:fldCharType="separate"/>')
        + run("<w:t>4</w:t>")
        + run('<w:fldChar w:fldCharType="end"/>')
        + run('<w:tab/><w:sym w:font="Wingdings" w:char="F0FC"/><w:t>so\u00adft</w:t>')
        + '<w:hyperlink r:id="x"><w:r><w:t> site</w:t></w:r></w:hyperlink></w:p>',
        rels=relationships(x="hyperlink https://example.org/a"),
    )
    assert extracted.pages[0].text == "new 4\t✓soft site"
    assert extracted.markdown == ["new 4\t✓soft [site](https://example.org/a)"]
    assert [(link.url, link.text) for link in extracted.pages[0].links] == [
        ("https://example.org/a", " site")
    ]


def test_what_stands_beside_the_body_of_word() -> None:
    """Header first, once; text boxes after their paragraph; footnotes last; comments apart."""
    box = f"<w:pict><w:txbxContent>{paragraph('boxed')}</w:txbxContent></w:pict>"
    mark = '<w:footnoteReference w:id="3"/>'
    extracted = read_docx(
        f"<w:p><w:r><w:t>body</w:t>{mark}{box}</w:r></w:p>",
        rels=relationships(
            a="header a.xml", b="header b.xml", f="footnotes f.xml", c="comments c.xml"
        ),
        word__a_xml=word("hdr", paragraph("ACME")),
        word__b_xml=word("hdr", paragraph("ACME")),
        word__f_xml=word("footnotes", f'<w:footnote w:id="3">{paragraph("below")}</w:footnote>'),
        word__c_xml=word(
            "comments", f'<w:comment w:author="Ann">{paragraph("really?")}</w:comment>'
        ),
        docProps__core_xml=officefiles.core("Report", "Bob", "2024-05-06T10:00:00+02:00"),
    )
    page = extracted.pages[0]
    assert page.text == "ACME\nbody[1]\nboxed\n[1] below"
    assert [(note.kind, note.text, note.author) for note in page.annotations] == [
        ("comment", "really?", "Ann")
    ]
    assert page.name == extracted.metadata.title == "Report"
    assert extracted.metadata.created_at == "2024-05-06T08:00:00Z"


def test_strict_and_macro_documents_are_read_the_same() -> None:
    """The namespaces of ISO 29500 Strict, and a main part of another name."""
    body = word("document", f"<w:body>{paragraph('strict')}</w:body>").replace(
        "schemas.openxmlformats.org/wordprocessingml/2006", "purl.oclc.org/ooxml/wordprocessingml"
    )
    content = officefiles.zipped(
        {"_rels/.rels": relationships(m="officeDocument word/other.xml"), "word/other.xml": body}
    )
    assert docx.extract(content, Options(), Limits()).pages[0].text == "strict"


def test_embedded_files_are_attachments_and_pictures_are_none() -> None:
    """A workbook in a document is handed out with its bytes."""
    extracted = read_docx(
        paragraph("see inside"),
        rels=relationships(a="package embeddings/Book.xlsx", b="image media/p.png"),
        word__embeddings__Book_xlsx=b"PK workbook",
        word__media__p_png=b"picture",
    )
    assert [(each.filename, each.content) for each in extracted.attachments] == [
        ("Book.xlsx", b"PK workbook")
    ]


def test_opendocument_text() -> None:
    """Headings, lists, spaces, notes; what was deleted and what pictures are called is left out."""
    body = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:h text:outline-level="2">Scope</text:h>'
        '<text:list text:style-name="L"><text:list-item><text:p>one</text:p></text:list-item>'
        "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
        '<text:p>a<text:s text:c="2"/>b<text:note><text:note-body><text:p>below</text:p>'
        "</text:note-body></text:note><draw:frame><svg:title>alt</svg:title></draw:frame></text:p>"
        "<table:table><table:table-row><table:table-cell><text:p>x</text:p></table:table-cell>"
        "<table:covered-table-cell/><table:table-cell><text:p>y</text:p></table:table-cell>"
        "</table:table-row></table:table>"
    )
    styles = (
        '<text:list-style style:name="L"><text:list-level-style-number text:level="1" '
        'style:num-format="1"/></text:list-style>'
    )
    extracted = odt.extract(officefiles.odf("text", body, styles), Options(), Limits())
    assert extracted.pages[0].text == "Scope\none\ntwo\na  b[1]\nx\t\ty\n[1] below"
    assert extracted.markdown[0].startswith("## Scope\n\n1. one\n2. two\n\na  b[^1]")


def test_word_97_fields_tables_and_links() -> None:
    """Results of fields, cells to their marks, line breaks; a link keeps its address."""
    field = '\x13 HYPERLINK "https://example.org/" \x14site\x15'
    extracted = doc.extract(
        officefiles.doc(f"Käse\rsee {field}\x0bbelow\rno\x1etrim\x1fming\r"), Options(), Limits()
    )
    assert extracted.pages[0].text == "Käse\nsee site\nbelow\nno-trimming"
    assert [link.url for link in extracted.pages[0].links] == ["https://example.org/"]


def test_rtf_character_sets_and_destinations() -> None:
    """Code pages by font, Unicode over its replacement, hidden parts of the file left out."""
    content = (
        rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}"
        rb"{\f2\fcharset128 Mincho;}}{\stylesheet{\s1 heading 1;}}{\info{\title T}"
        rb"{\creatim\yr2020\mo2\dy3\hr4\min5}}{\*\unknown x}\pard\s1 Head\par\pard\f0 caf\'e9 "
        rb"{\f1\'cf\'f0}{\f2\'93\'fa\'96\'7b} \u8364?\par"
        rb'{\field{\*\fldinst HYPERLINK "http://a.b/"}{\fldrslt link}}{\footnote below}\par'
        rb"\trowd\cellx1\cellx2\intbl a\cell b\cell\row\pard{\deleted gone}{\pict 00ff}end\par}"
    )
    extracted = rtf.extract(bytearray(content), Options(), Limits())
    assert extracted.pages[0].text == "Head\ncafé Пр日本 €\nlink[1]\na\tb\nend\n[1] below"
    assert extracted.markdown[0].startswith("# Head\n\n")
    assert (extracted.metadata.title, extracted.metadata.created_at) == ("T", "2020-02-03T04:05:00")
    assert [link.url for link in extracted.pages[0].links] == ["http://a.b/"]
