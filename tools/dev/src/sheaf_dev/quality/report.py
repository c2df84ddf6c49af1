"""The figures of a measured folder; `Report.as_json` has all of them, for programs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sheaf_dev.bench.statistics import median, percentile
from sheaf_dev.quality.expectations import LONGEST_S
from sheaf_dev.quality.form_values import FilledValue
from sheaf_dev.quality.scoring import Score

WORST: Final = 10
_TENTH: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRecord:
    """What was measured of one file; times of the subprocess in milliseconds."""

    name: str
    folder: str
    status: str
    reason: str | None = None
    expected: tuple[str, ...] = ("completed",)
    content_type: str | None = None
    is_pdf: bool = False
    partial: bool = False
    pages: int = 0
    characters: int = 0
    wall_s: float = 0.0
    cpu_ms: float | None = None
    words_cpu_ms: float | None = None
    """With words and their boxes."""
    score: Score | None = None
    no_reference: str | None = None
    """Why a PDF that completed has no reference."""
    values: int = 0
    values_missed: tuple[FilledValue, ...] = ()

    @property
    def is_unexpected(self) -> bool:
        """Whether it ended otherwise than its content explains, or too late."""
        end = self.reason if self.status != "completed" else self.status
        return end not in self.expected or self.wall_s > LONGEST_S

    def as_json(self) -> dict[str, Any]:
        """Its entry among the documents."""
        return {
            "file": self.name,
            "status": self.status,
            "reason": self.reason,
            "expected": list(self.expected),
            "unexpected": self.is_unexpected,
            "content_type": self.content_type,
            "partial": self.partial,
            "pages": self.pages,
            "characters": self.characters,
            "wall_ms": round(self.wall_s * 1000),
            "cpu_ms": rounded(self.cpu_ms, 2),
            "cpu_ms_with_words": rounded(self.words_cpu_ms, 2),
            "tokens": score_json(self.score) if self.score else None,
            "no_reference": self.no_reference,
            "form_values": self.values,
            "form_values_missed": [
                {"field": missed.field, "value": missed.value} for missed in self.values_missed
            ],
        }


@dataclass(frozen=True, slots=True)
class ReadText:
    """A picture, or a page drawn from a PDF, as recognition read it."""

    name: str
    score: Score
    confidence: float | None
    cpu_ms: float
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Its entry."""
        return {
            "file": self.name,
            **score_json(self.score),
            "confidence": rounded(self.confidence, 3),
            "cpu_ms": round(self.cpu_ms),
            "failed": self.failed,
        }


@dataclass(frozen=True, slots=True)
class Recognition:
    """What character recognition made of texts that are known; or why that was not measured."""

    engine: str | None = None
    pictures: tuple[ReadText, ...] = ()
    drawn: tuple[ReadText, ...] = ()
    """Pages of PDFs."""
    not_measured: str | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "engine": self.engine,
            "not_measured": self.not_measured,
            "pictures": _read_json(self.pictures),
            "drawn_pages": _read_json(self.drawn),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All figures of a folder, its files in order."""

    folder: str
    files: tuple[FileRecord, ...]
    recognition: Recognition

    @property
    def scored(self) -> list[FileRecord]:
        """The files whose text was compared."""
        return [file for file in self.files if file.score is not None]

    @property
    def without_reference(self) -> Counter[str]:
        """How many PDFs completed and had nothing to be compared with, by reason."""
        return Counter(file.no_reference for file in self.files if file.no_reference)

    @property
    def worst(self) -> list[FileRecord]:
        """Those that have the least of the text that they should have."""
        return sorted(self.scored, key=lambda file: (_score(file).f1, file.name))[:WORST]

    @property
    def slowest(self) -> list[FileRecord]:
        """Those that took longest, whatever became of them."""
        return sorted(self.files, key=lambda file: (-file.wall_s, file.name))[:WORST]

    @property
    def unexpected(self) -> list[FileRecord]:
        """Those that ended otherwise than expected."""
        return [file for file in self.files if file.is_unexpected]

    @property
    def reasons(self) -> Counter[str]:
        """How many files have no result, by reason."""
        return Counter(file.reason for file in self.files if file.reason)

    @property
    def values(self) -> tuple[int, int]:
        """Filled form values that were found, and all of them."""
        total = sum(file.values for file in self.files)
        return total - sum(len(file.values_missed) for file in self.files), total

    def tokens(self) -> dict[str, dict[str, float | None]]:
        """Median and tenth percentile of recall, precision and F1 over the compared files."""
        scores = [_score(file) for file in self.scored]
        return {
            "recall": _spread([score.recall for score in scores]),
            "precision": _spread([score.precision for score in scores]),
            "f1": _spread([score.f1 for score in scores]),
        }

    def cpu(self) -> dict[str, float | int | None]:
        """CPU of the subprocess for a PDF's page: over all pages, and the median file's."""
        read = [file for file in self.files if file.is_pdf and file.cpu_ms and file.pages]
        with_words = [file for file in read if file.words_cpu_ms]
        return {
            "pages": sum(file.pages for file in read),
            "ms_per_page": _per_page(read, lambda file: file.cpu_ms),
            "ms_per_page_median_file": _median_per_page(read, lambda file: file.cpu_ms),
            "ms_per_page_with_words": _per_page(with_words, lambda file: file.words_cpu_ms),
            "ms_per_page_with_words_median_file": _median_per_page(
                with_words, lambda file: file.words_cpu_ms
            ),
        }

    def ends(self) -> dict[str, Counter[str]]:
        """How many files ended how, by folder."""
        ends: dict[str, Counter[str]] = {}
        for file in self.files:
            ends.setdefault(file.folder, Counter())[file.status] += 1
        return ends

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        found, total = self.values
        return {
            "folder": self.folder,
            "files": len(self.files),
            "ends": {folder: dict(counts) for folder, counts in self.ends().items()},
            "partial": sum(file.partial for file in self.files),
            "reasons": dict(sorted(self.reasons.items())),
            "tokens": {
                "compared": len(self.scored),
                "without_reference": dict(sorted(self.without_reference.items())),
                **self.tokens(),
                "worst": [file.name for file in self.worst],
            },
            "form_values": {
                "total": total,
                "found": found,
                "recall": rounded(found / total, 4) if total else None,
            },
            "pdf_cpu": self.cpu(),
            "recognition": self.recognition.as_json(),
            "slowest": [file.name for file in self.slowest],
            "unexpected": [file.name for file in self.unexpected],
            "documents": [file.as_json() for file in self.files],
        }


def score_json(score: Score) -> dict[str, float | int]:
    """A score, rounded to a ten-thousandth."""
    return {
        "expected": score.expected,
        "recall": round(score.recall, 4),
        "precision": round(score.precision, 4),
        "f1": round(score.f1, 4),
    }


def rounded(value: float | None, digits: int) -> float | None:
    """The value rounded, if there is one."""
    return None if value is None else round(value, digits)


def mean_cpu_ms(read: Sequence[ReadText]) -> float | None:
    """CPU of recognition for a page."""
    return sum(each.cpu_ms for each in read) / len(read) if read else None


def _read_json(read: Sequence[ReadText]) -> dict[str, Any]:
    total = Score.total([each.score for each in read])
    return {
        "count": len(read),
        "words": score_json(total) if read else None,
        "recall": _spread([each.score.recall for each in read]),
        "cpu_ms_mean": rounded(mean_cpu_ms(read), 1),
        "failed": sum(each.failed for each in read),
        "each": [each.as_json() for each in read],
    }


def _score(file: FileRecord) -> Score:
    return file.score or Score(0, 0, 0)


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    if not values:
        return {"median": None, "p10": None}
    return {"median": round(median(values), 4), "p10": round(percentile(values, _TENTH), 4)}


def _per_page(
    files: Sequence[FileRecord], cpu_ms: Callable[[FileRecord], float | None]
) -> float | None:
    pages = sum(file.pages for file in files)
    return round(_sum(cpu_ms(file) for file in files) / pages, 2) if pages else None


def _median_per_page(
    files: Sequence[FileRecord], cpu_ms: Callable[[FileRecord], float | None]
) -> float | None:
    each = [(cpu_ms(file) or 0.0) / file.pages for file in files]
    return round(median(each), 2) if each else None


def _sum(values: Iterable[float | None]) -> float:
    return sum(value for value in values if value is not None)
