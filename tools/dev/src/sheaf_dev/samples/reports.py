"""A report of ten pages: a title page, contents, and a chapter on each page after."""

from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import PageBreak, Paragraph, Spacer

from sheaf_dev.samples.layout import compose, furniture, paragraphs, ruled_table
from sheaf_dev.samples.report_text import CHAPTERS
from sheaf_dev.samples.sample import Sample
from sheaf_dev.samples.styles import BODY, PROSE, TITLE

_TITLE = "Annual report 2025"
_FIRST_CHAPTER_PAGE = 3


def annual_report() -> Sample:
    """Ten pages of prose and figures, with headings and bookmarks."""
    story: list[Any] = [
        Spacer(0, 70 * mm),
        Paragraph(_TITLE, TITLE),
        *paragraphs("Report of the board to the members of Brightwater Mutual", PROSE),
        *paragraphs("Adopted at the general meeting in Alderport on 12 May 2026"),
        PageBreak(),
        Spacer(0, 4 * mm),
        Paragraph("Contents", TITLE),
        _contents(),
    ]
    for number, chapter in enumerate(CHAPTERS, start=1):
        story += [
            PageBreak(),
            Spacer(0, 4 * mm),
            Paragraph(f"{number}. {chapter.heading}", TITLE),
            *paragraphs(chapter.prose, PROSE),
            ruled_table(
                [("Key figures", "2024", "2025"), *chapter.figures],
                (86 * mm, 40 * mm, 40 * mm),
                numeric=(1, 2),
            ),
        ]
    return Sample(
        filename="report-annual-2025.pdf",
        content=compose(story, title=_TITLE, on_page=_on_page),
        expected_pages=10,
        expected_phrases=(
            "Report of the board to the members of Brightwater Mutual",
            *(f"{number}. {chapter.heading}" for number, chapter in enumerate(CHAPTERS, start=1)),
            "Every document came out exactly once.",
            "Combined ratio 98.1 % 96.4 %",
            "two long nights in February that nobody had asked them to stay for",
        ),
    )


def _contents() -> Any:
    rows = [("Chapter", "Page")]
    for number, chapter in enumerate(CHAPTERS, start=1):
        rows.append((f"{number}. {chapter.heading}", str(number + _FIRST_CHAPTER_PAGE - 1)))
    return ruled_table(rows, (146 * mm, 20 * mm), numeric=(1,), font_size=BODY.fontSize)


def _on_page(canvas: Any, number: int) -> None:
    if number > 1:
        furniture(canvas, A4, _TITLE, number)
    chapter = number - _FIRST_CHAPTER_PAGE
    if chapter >= 0:
        canvas.bookmarkPage(f"chapter-{chapter}")
        canvas.addOutlineEntry(CHAPTERS[chapter].heading, f"chapter-{chapter}", level=0)
