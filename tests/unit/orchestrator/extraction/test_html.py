"""What is read of a page of HTML."""

import time

import pytest

from sheaf_orchestrator.extraction import (
    ExtractionError,
    Limits,
    Link,
    Options,
    OutlineEntry,
    Reason,
    html,
)
from sheaf_orchestrator.extraction.result import Extracted


def extract(text: str | bytes, limits: Limits | None = None) -> Extracted:
    """What is in the page."""
    content = text.encode() if isinstance(text, str) else text
    return html.extract(content, Options(), limits or Limits())


def text_of(page: str) -> str:
    """The text of it."""
    return extract(page).pages[0].text


def test_a_page_is_read_as_it_is_seen() -> None:
    """Blocks make lines, white space is one space, and what nobody sees is left out."""
    page = """<title>t</title><style>p {}</style><script>x = "<p>no</p>"</script>
      <!-- no --> <?no?><p>One\n  <b>bold</b>&amp;word<br>next</p>two<div hidden>no</div>
      <p style="display: NONE">no</p><noscript>no</noscript><template>no</template>
      <img src=x alt="a picture"> <pre>  kept\n   so</pre>"""
    assert text_of(page) == "One bold&word\nnext\ntwo a picture\n  kept\n   so"


def test_markdown_has_headings_lists_and_quotes() -> None:
    """The structure of the page, as CommonMark."""
    page = """<h1>A <i>title</i></h1><ul><li>one<ul><li>deep</li></ul><li>two</ul>
      <ol start=3><li>three<li>four</ol><blockquote>said *so*</blockquote>
      <p>a <a href="https://e.org/(x)"> l<b>in</b>k </a> here"""
    extracted = extract(page)
    expected = (
        "# A title\n\n- one\n    - deep\n- two\n\n3. three\n4. four\n\n> said \\*so\\*\n\n"
        "a [link](https://e.org/%28x%29) here"
    )
    assert extracted.markdown == [expected]
    assert extracted.outline == [OutlineEntry(title="A title", level=0, page=1)]
    assert (extracted.unit, extracted.page_count) == ("part", 1)


def test_links_lead_out_of_the_page() -> None:
    """Absolute by the base where there is one; scripts and places of the page are none."""
    links = '<a href="/a?b">in</a><a href="javascript:x()">no</a><a href="mailto:a@b">mail</a>'
    based = '<base href="https://e.org/x/">' + links
    assert extract(links).pages[0].links == [Link(url="mailto:a@b", text="mail")]
    assert extract(based).pages[0].links == [
        Link(url="https://e.org/a?b", text="in"),
        Link(url="mailto:a@b", text="mail"),
    ]


def test_a_cell_that_spans_repeats_nothing() -> None:
    """Every cell stands in its column; the heading is known by its tags."""
    page = """<table><caption>Sales</caption><thead><tr><th rowspan=2>Region<th colspan=2>2024
      <tr><th>Q1<th>Q2</thead><tr><td>USA<td>1<td>2<tr><td colspan=3>Total</table>"""
    (table,) = extract(page).pages[0].tables
    assert table.rows == [
        ["Region", "2024", ""],
        ["", "Q1", "Q2"],
        ["USA", "1", "2"],
        ["Total", "", ""],
    ]
    assert (table.header_rows, table.name) == (2, "Sales")


def test_a_table_that_only_lays_out_is_text() -> None:
    """One column, a role, or a table within: its cells are blocks in order."""
    inner = "<table><tr><td>a<td>b<tr><td>c<td>d</table>"
    page = f"<table><tr><td>left<td>{inner}<tr><td>x<td>y</table>"
    extracted = extract(page).pages[0]
    assert [table.rows for table in extracted.tables] == [[["a", "b"], ["c", "d"]]]
    assert extracted.text == "left\na\tb\nc\td\nx\ny"
    assert extract(inner.replace("<table", "<table role=presentation")).pages[0].tables == []


def test_the_head_tells_about_the_page() -> None:
    """Title, author, description, keywords, generator, dates and language."""
    page = """<html lang=de-AT><title> A
      title</title><meta name=author content="Ann"><meta name=Description content=d>
      <meta name=keywords content="a, b"><meta name=generator content=g>
      <meta property="article:published_time" content="2024-05-01T10:00:00+02:00">"""
    metadata = extract(page).metadata
    assert (metadata.title, metadata.author, metadata.subject) == ("A title", "Ann", "d")
    assert (metadata.keywords, metadata.creator) == ("a, b", "g")
    assert (metadata.created_at, metadata.language) == ("2024-05-01T08:00:00Z", "de-AT")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("<p>Größe".encode(), "utf-8"),
        ("<meta charset=iso-8859-1><p>Größe".encode(), "utf-8"),
        ("<meta charset=iso-8859-1><p>Größe".encode("cp1252"), "cp1252"),
        ("<meta http-equiv=x content='a; charset=utf-8'><p>Größe".encode("utf-16"), "utf-16-le"),
        ("<?xml version='1.0' encoding='cp850'?><p>Größe".encode("cp1252"), "cp1252"),
    ],
)
def test_the_encoding_is_found(content: bytes, encoding: str) -> None:
    """A mark or valid UTF-8 decides, then what is declared and known, then a guess."""
    extracted = extract(content)
    assert (extracted.pages[0].text, extracted.metadata.encoding) == ("Größe", encoding)


def test_a_frame_shows_what_the_page_holds() -> None:
    """The content of ``srcdoc`` is part of the page; other files are not."""
    assert text_of('<p>a<iframe srcdoc="<p>b</p>">no</iframe>c') == "a\nb\nc"


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("<p " + " ".join(f"a{n}=1" for n in range(40_000)) + ">x", "attributes"),
        ("<p '><p " + " ".join(f'a{n}=">"' for n in range(40_000)) + ">x", "attributes"),
        ("<div>" * 30_000 + "x", "deep"),
        ("<a>" * 10_000 + "<div>" * 10_000 + "</a>" * 10_000, "deep"),
        ("".join(f"<t{n}></t{n}>" for n in range(20_000)), "names"),
        ("".join(f"<p a{n}='1' b='2'>" for n in range(20_000)), "names"),
    ],
    ids=["attributes", "quoted attributes", "nested", "misnested", "tags", "names"],
)
def test_what_would_take_for_ever_is_left_out(page: str, told: str) -> None:
    """The parser is quadratic in attributes, names and depth; the result is partial and says so."""
    began_s = time.process_time()
    extracted = extract(page)
    assert time.process_time() - began_s < 2
    assert extracted.partial
    assert told in extracted.warnings[0].message


def test_spans_do_not_multiply() -> None:
    """Cells that do not exist count as well; over the limit the table ends."""
    page = "<table>" + ("<tr>" + "<td colspan=1000>x" * 3) * 50
    extracted = extract(page, Limits(table_cells=10_000))
    assert (len(extracted.pages[0].tables[0].rows), extracted.partial) == (10, True)


def test_nothing_and_no_page() -> None:
    """An empty file and a binary one are no pages; a page may show nothing."""
    with pytest.raises(ExtractionError) as empty:
        extract(b"")
    with pytest.raises(ExtractionError) as binary:
        extract(bytes(range(256)))
    assert (empty.value.reason, binary.value.reason) == (Reason.EMPTY, Reason.UNSUPPORTED_FORMAT)
    assert [warning.code for warning in extract("<p>").warnings] == ["NO_TEXT"]
