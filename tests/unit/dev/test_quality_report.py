"""What `quality` makes of its measurements."""

import json
from pathlib import Path
from typing import Any

import pytest

from sheaf_dev.quality.form_values import FilledValue
from sheaf_dev.quality.recognition import KnownPage, pages_to_draw, read_known_pages
from sheaf_dev.quality.report import FileRecord, Recognition, Report
from sheaf_dev.quality.scoring import Score
from sheaf_dev.quality.showing import show
from sheaf_dev.quality.walking import LabelledFile
from sheaf_orchestrator.extraction import ExtractionFailed, Reason, Recognised, RecognisedPage

BROKEN = ("DAMAGED", "EMPTY", "completed")


def record(name: str, **changes: Any) -> FileRecord:
    """A file that completed, unless something else is said."""
    changes = {"status": "completed", **changes}
    return FileRecord(name=name, folder=name.partition("/")[0], **changes)


def pdf(name: str, *, common: int, cpu_ms: float, pages: int) -> FileRecord:
    """A PDF with a reference of a hundred words."""
    score = Score(common, 100, 100)
    return record(
        name, is_pdf=True, score=score, cpu_ms=cpu_ms, words_cpu_ms=2 * cpu_ms, pages=pages
    )


REPORT = Report(
    "corpus",
    (
        *(pdf(f"a/{n}.pdf", common=90 + n, cpu_ms=3.0 * (n + 1), pages=1) for n in range(10)),
        record("a/scan.pdf", is_pdf=True, no_reference="pdftotext finds no text"),
        record("a/form.pdf", values=4, values_missed=(FilledValue("Total", "17"),)),
        record("b/1.pdf", status="failed", reason="DAMAGED", expected=BROKEN),
        record("b/2.pdf", status="quarantined", reason="CRASHED", expected=BROKEN, wall_s=3.0),
        record("b/3.pdf", wall_s=31.0),
    ),
    Recognition(not_measured="not asked for"),
)


def test_figures_are_over_the_files_that_have_a_reference() -> None:
    """Median and tenth percentile; the worst come first; who has no reference is counted."""
    figures = REPORT.as_json()
    assert figures["tokens"]["compared"] == 10
    assert figures["tokens"]["recall"] == {"median": 0.945, "p10": 0.9}
    assert figures["tokens"]["worst"][:2] == ["a/0.pdf", "a/1.pdf"]
    assert figures["tokens"]["without_reference"] == {"pdftotext finds no text": 1}


def test_cpu_is_told_by_page_and_by_file() -> None:
    """With words and without, of the PDFs that completed."""
    figures = REPORT.cpu()
    assert figures["pages"] == 10
    assert (figures["ms_per_page"], figures["ms_per_page_with_words"]) == (16.5, 33.0)
    assert figures["ms_per_page_median_file"] == 16.5


def test_unexpected_is_a_wrong_end_or_a_late_one() -> None:
    """A broken file may be refused, but not crash; thirty seconds are enough for any."""
    assert [file.name for file in REPORT.unexpected] == ["b/2.pdf", "b/3.pdf"]
    assert REPORT.reasons == {"DAMAGED": 1, "CRASHED": 1}
    assert [file.name for file in REPORT.slowest][:2] == ["b/3.pdf", "b/2.pdf"]


def test_form_values_are_counted_one_by_one() -> None:
    """Over all files, with what was missed."""
    assert REPORT.as_json()["form_values"] == {"total": 4, "found": 3, "recall": 0.75}


def test_the_tables_and_the_json_tell_everything(capsys: pytest.CaptureFixture[str]) -> None:
    """The tables name the figures a person looks for; the JSON is one."""
    show(REPORT)
    shown = capsys.readouterr().out
    looked_for = ("tenth percentile", "recall 0.7500", "b/2.pdf", "CRASHED", "not asked", "'17'")
    assert all(part in shown for part in looked_for)
    assert json.loads(json.dumps(REPORT.as_json()))["unexpected"] == ["b/2.pdf", "b/3.pdf"]


def test_a_report_of_nothing_measured_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of files that all fail has no medians."""
    report = Report("x", (record("a", status="failed", reason="EMPTY"),), Recognition())
    show(report)
    assert "no PDF has any" in capsys.readouterr().out
    assert report.as_json()["tokens"]["recall"] == {"median": None, "p10": None}


class Reader:
    """Reads what it is told to; half a second of CPU each time."""

    def __init__(self, texts: dict[int, str]) -> None:
        self.texts = texts
        self.used_s = 1.0

    async def read(self, file: LabelledFile, content: bytes, page: int) -> Recognised:
        """The text of that page."""
        self.used_s += 0.5
        if page not in self.texts:
            raise ExtractionFailed(Reason.PAGE_NOT_FOUND, "there is no such page")
        read = RecognisedPage(
            number=page, width=None, height=None, text=self.texts[page], confidence=0.9
        )
        return Recognised(engine="fake 1", pages=[read])

    def cpu_s(self) -> float:
        """So far."""
        return self.used_s


async def test_recognition_is_scored_page_by_page() -> None:
    """With its CPU; a page that cannot be read has missed every word."""
    file = LabelledFile(Path("x.png"), "x.png", "images")
    known = [KnownPage(1, "four words to read"), KnownPage(2, "two more")]
    read, engine = await read_known_pages(Reader({1: "four words to"}), file, b"", known)

    assert engine == "fake 1"
    assert [(each.name, each.score.recall, each.failed) for each in read] == [
        ("x.png#1", 0.75, False), ("x.png#2", 0.0, True),
    ]  # fmt: skip
    assert read[0].cpu_ms == 500


def test_only_pages_with_enough_words_are_drawn() -> None:
    """The first two of a PDF."""
    full = "word " * 60
    assert [page.number for page in pages_to_draw(["title", full, full, full])] == [2, 3]
