"""tesserocr: for the languages that the default engine cannot read, where their data is there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import tesserocr  # type: ignore[import-untyped]
from PIL import Image

from sheaf_orchestrator.extraction.ocr.engine import Line
from sheaf_orchestrator.extraction.result import Word

DATA: Final = Path("/usr/share/tesseract-ocr/5/tessdata")
"""Where Debian's packages ``tesseract-ocr-LANGUAGE`` put what they hold."""
_DEFAULT: Final = ("eng",)
_COLUMNS: Final = 12
_WORD: Final = "5"
_NAMES: Final = {
    "cmn": "chi_sim",
    "zho": "chi_sim",
    "nob": "nor",
    "nno": "nor",
    "pes": "fas",
    "ekk": "est",
    "lvs": "lav",
    "zsm": "msa",
    "arb": "ara",
}
"""Where its name for a language is not the ISO 639-3 code."""


class TesseractEngine:
    """The fallback. Models are loaded when a language is first read; those of one set are kept."""

    finds_sideways = False

    def __init__(self, data: Path = DATA) -> None:
        self._data = data
        self._api: Any = None
        self._loaded: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of Tesseract itself; the wrapper adds nothing to what is read."""
        return str(tesserocr.tesseract_version()).split("\n", 1)[0].strip()

    def reads(self, languages: Sequence[str]) -> bool:
        """Those whose data is installed."""
        return all(map(self._has, languages or _DEFAULT))

    def recognise(self, picture: Image.Image, languages: Sequence[str]) -> list[Line]:
        """Its lines with their words. Sparse mode: forms are not paragraphs."""
        known = tuple(filter(self._has, languages)) or _DEFAULT
        self._load(known)
        self._api.SetImage(picture)
        self._api.Recognize()
        # The iterator gives Arabic and Hebrew backwards; this does not.
        table = self._api.GetTSVText(0)
        self._api.Clear()
        return lines_of(table)

    def _has(self, language: str) -> bool:
        return (self._data / f"{_NAMES.get(language, language)}.traineddata").is_file()

    def _load(self, languages: tuple[str, ...]) -> None:
        if self._api is not None and languages == self._loaded:
            return
        if self._api is not None:
            self._api.End()
        self._api = tesserocr.PyTessBaseAPI(
            path=str(self._data),
            lang="+".join(_NAMES.get(each, each) for each in languages),
            psm=tesserocr.PSM.SPARSE_TEXT,
        )
        self._loaded = languages


def lines_of(table: str) -> list[Line]:
    """The lines of Tesseract's table of words.

    Its columns: level, page, block, paragraph, line, word, left, top, width, height, confidence
    (0 to 100) and text; level 5 is a word.
    """
    words: dict[tuple[str, ...], list[Word]] = {}
    for row in table.splitlines():
        cells = row.split("\t")
        if len(cells) != _COLUMNS or cells[0] != _WORD or not cells[-1].strip():
            continue
        left, top, width, height, confidence = map(float, cells[6:11])
        word = Word(
            cells[-1].strip(),
            (left, top, left + width, top + height),
            round(min(max(confidence / 100, 0.0), 1.0), 4),
        )
        words.setdefault(tuple(cells[1:5]), []).append(word)
    return [_line(each) for each in words.values()]


def _line(words: Sequence[Word]) -> Line:
    weights = [len(word.text) for word in words]
    confidences = [word.confidence or 0.0 for word in words]
    return Line(
        text=" ".join(word.text for word in words),
        box=(
            min(word.box[0] for word in words),
            min(word.box[1] for word in words),
            max(word.box[2] for word in words),
            max(word.box[3] for word in words),
        ),
        confidence=sum(c * w for c, w in zip(confidences, weights, strict=True)) / sum(weights),
        words=tuple(words),
    )
