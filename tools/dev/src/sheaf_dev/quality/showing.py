"""The figures of a measured folder, for people."""

from collections.abc import Sequence
from typing import Final

from sheaf_dev.outcomes import show_table
from sheaf_dev.quality.report import FileRecord, ReadText, Report, mean_cpu_ms
from sheaf_dev.quality.scoring import Score

_ENDS: Final = ("completed", "failed", "quarantined")
_MOST_MISSED: Final = 10


def show(report: Report) -> None:
    """Every figure on standard output, the general ones first."""
    _heading(f"{report.folder}: {len(report.files)} files")
    show_table(
        ("folder", *_ENDS),
        ((folder, *(counts[end] for end in _ENDS)) for folder, counts in report.ends().items()),
    )
    if report.reasons:
        _heading("without a result, by reason")
        show_table(("reason", "files"), sorted(report.reasons.items()))
    _show_text(report)
    _show_forms(report)
    _show_cpu(report)
    _show_recognition(report)
    _heading("slowest files")
    show_table(
        ("file", "end", "pages", "wall ms", "CPU ms"),
        (
            (file.name, _end(file), file.pages, _whole(file.wall_s * 1000), _whole(file.cpu_ms))
            for file in report.slowest
        ),
    )
    _heading(f"unexpected ends: {len(report.unexpected)}")
    if report.unexpected:
        show_table(
            ("file", "end", "expected", "wall ms"),
            (
                (file.name, _end(file), _short(file.expected), _whole(file.wall_s * 1000))
                for file in report.unexpected
            ),
        )


def _show_text(report: Report) -> None:
    _heading(f"words of {len(report.scored)} files against their references")
    for reason, count in sorted(report.without_reference.items()):
        print(f"{count} PDFs have no reference: {reason}")
    if not report.scored:
        return
    figures = report.tokens()
    show_table(
        ("", "recall", "precision", "F1"),
        (
            (row, *(_share(figures[name][key]) for name in ("recall", "precision", "f1")))
            for row, key in (("median", "median"), ("tenth percentile", "p10"))
        ),
    )
    _heading("worst of them")
    show_table(
        ("file", "words", "recall", "precision", "F1"),
        ((file.name, *_score_cells(file.score)) for file in report.worst),
    )


def _show_forms(report: Report) -> None:
    found, total = report.values
    _heading("filled form values")
    if not total:
        print("no PDF has any")
        return
    print(f"{found} of {total} found: recall {found / total:.4f}")
    missed = [(file.name, each) for file in report.files for each in file.values_missed]
    for name, each in missed[:_MOST_MISSED]:
        print(f"missed in {name}: {each.field} = {each.value[:60]!r}")


def _show_cpu(report: Report) -> None:
    figures = report.cpu()
    _heading(f"CPU of {figures['pages']} PDF pages, ms a page")
    show_table(
        ("", "all pages", "median file"),
        (
            ("text", figures["ms_per_page"], figures["ms_per_page_median_file"]),
            (
                "text, words and boxes",
                figures["ms_per_page_with_words"],
                figures["ms_per_page_with_words_median_file"],
            ),
        ),
    )


def _show_recognition(report: Report) -> None:
    recognition = report.recognition
    _heading(f"character recognition ({recognition.engine or 'no engine'})")
    if recognition.not_measured:
        print(f"not measured: {recognition.not_measured}")
        return
    groups = (("pictures", recognition.pictures), ("pages drawn from PDFs", recognition.drawn))
    show_table(
        ("", "pages", "words", "recall", "precision", "F1", "CPU ms a page"),
        (
            (name, len(read), *_score_cells(_total(read)), _whole(mean_cpu_ms(read)))
            for name, read in groups
            if read
        ),
    )
    show_table(
        ("page", "words", "recall", "precision", "F1", "CPU ms"),
        (
            (each.name, *_score_cells(each.score), _whole(each.cpu_ms))
            for _, read in groups
            for each in sorted(read, key=lambda one: (one.score.recall, one.name))[:_MOST_MISSED]
        ),
    )


def _heading(text: str) -> None:
    print(f"\n{text}")


def _total(read: Sequence[ReadText]) -> Score:
    return Score.total([each.score for each in read])


def _score_cells(score: Score | None) -> tuple[object, ...]:
    if score is None:
        return (None, None, None, None)
    shares = (score.recall, score.precision, score.f1)
    return (score.expected, *(_share(value) for value in shares))


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.4f}"


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _end(file: FileRecord) -> str:
    return file.reason or ("partial" if file.partial else file.status)


def _short(ends: Sequence[str]) -> str:
    return " or ".join(ends) if len(ends) <= 3 else "no crash, no hang"  # noqa: PLR2004 - a line
