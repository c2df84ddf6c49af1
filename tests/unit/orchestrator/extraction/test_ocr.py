"""What recognition promises. The engine is loaded once: what it reads is dear."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont
from unit.orchestrator.extraction import pdfs, pictures

from sheaf_orchestrator.extraction import (
    ExtractionError,
    Limits,
    Options,
    Reason,
    RecognisedPage,
    decode_recognised,
    encode_recognised,
    types,
)
from sheaf_orchestrator.extraction.ocr import registry
from sheaf_orchestrator.extraction.ocr.bands import read_lines
from sheaf_orchestrator.extraction.ocr.choosing import Choice, pick
from sheaf_orchestrator.extraction.ocr.engine import Engine, Line
from sheaf_orchestrator.extraction.ocr.pieces import turn
from sheaf_orchestrator.extraction.ocr.recogniser import read_page
from sheaf_orchestrator.extraction.ocr.tesseract import TesseractEngine, lines_of
from sheaf_orchestrator.extraction.ocr.turning import slope, straighten

LIMITS = Limits()
LINES = ("The quick brown fox jumps over the lazy dog", "Invoice 2026-117, total 1,234.56 EUR")


class Reading:
    """An engine that sees a line wherever a picture has one of its dots, and counts pictures."""

    name, finds_sideways = "reading", True

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def reads(self, languages: Sequence[str]) -> bool:
        """Anything."""
        return languages is not None

    def recognise(self, picture: Image.Image, languages: Sequence[str]) -> list[Line]:
        """A line from its shade of grey, five times as wide as it is high."""
        del languages
        self.sizes.append(picture.size)
        rows, columns = np.nonzero(np.asarray(picture) < 255)
        return [
            Line(f"at {picture.getpixel((x, y))}", (x, y, x + 50.0, y + 10.0), 1.0)
            for y, x in zip(rows.tolist(), columns.tolist(), strict=True)
        ]


class Seeing:
    """An engine that sees the same line everywhere, in the languages that it is said to read."""

    finds_sideways = True

    def __init__(self, *languages: str, works: bool = True) -> None:
        self.name, self._languages, self._works = f"seeing {languages}", languages, works

    def reads(self, languages: Sequence[str]) -> bool:
        """As it was told."""
        return self._works and set(languages) <= set(self._languages)

    def recognise(self, picture: Image.Image, languages: Sequence[str]) -> list[Line]:
        """One line at the middle of the picture, half as wide."""
        del languages
        width, height = picture.size
        box = (width / 4, height / 2 - 10, width * 3 / 4, height / 2 + 10)
        return [Line("two words", box, 0.9)]


def recognised(content: bytearray, content_type: str = types.PNG, page: int = 1) -> RecognisedPage:
    """One page as the default engine reads it."""
    return registry.recognise(content, content_type, [page], Options(), LIMITS).pages[0]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_page_is_read_whichever_way_up(degrees: int) -> None:
    """Its text, how it had to be turned, and its size after that."""
    # 96 dpi: 900 x 500 pixels are 675 x 375 points.
    page = recognised(pictures.saved(turn(pictures.page(*LINES), degrees)))
    assert page.text == "\n".join(LINES)
    assert (page.rotation, page.width, page.height) == ((360 - degrees) % 360, 675.0, 375.0)
    assert page.confidence is not None
    assert page.confidence > 0.9
    words = {word.text: word.box for word in page.words}
    assert list(words) == " ".join(LINES).split()
    font = ImageFont.load_default(28)
    for word in ("quick", "fox", "lazy"):
        left, top, right, bottom = words[word]
        before = LINES[0].partition(word)[0]
        start = 0.75 * (60 + font.getlength(before))
        assert left == pytest.approx(start, abs=8)
        assert top == pytest.approx(0.75 * 55, abs=8)
        assert right - left == pytest.approx(0.75 * font.getlength(word), abs=8)
        assert bottom - top == pytest.approx(0.75 * 28, abs=8)


def test_a_leaning_page_is_read_line_by_line() -> None:
    """Its words have their places on the page as it is, not as it was read."""
    leaning = pictures.page(*LINES).rotate(-5, Image.Resampling.BICUBIC, fillcolor=255)
    page = recognised(pictures.saved(leaning))
    assert page.text == "\n".join(LINES)
    first, last = page.words[0].box, page.words[8].box
    assert last[1] - first[1] == pytest.approx((last[0] - first[0]) * 0.0875, abs=6)


def test_a_note_along_the_margin_is_read_after_the_page() -> None:
    """Whichever way it runs; it does not break the line that it stands beside."""
    for degrees in (90, 270):
        page = pictures.page(*LINES)
        page.paste(turn(pictures.page("written aside", size=(300, 120)), degrees), (770, 100))
        assert recognised(pictures.saved(page)).text == "\n".join([*LINES, "written aside"])


def test_pages_of_a_pdf_are_drawn_and_read_and_one_that_fails_is_told_apart() -> None:
    """In ascending number, once each, with the engine's name; and the whole can be sent."""
    found = registry.recognise(
        bytearray(pdfs.written("first", "second", "third")),
        types.PDF,
        [3, 1, 9, 3],
        Options(),
        LIMITS,
    )
    assert [(page.number, page.text, page.failed) for page in found.pages] == [
        (1, "first", False),
        (3, "third", False),
        (9, "", True),
    ]
    assert [warning.code for warning in found.pages[2].warnings] == ["PAGE_NOT_FOUND"]
    assert (found.pages[0].width, found.pages[0].height) == (595.0, 842.0)
    assert found.engine.startswith("faster-paddle ")
    assert decode_recognised(encode_recognised(found)) == found


def test_a_blank_page_has_no_text_and_no_confidence() -> None:
    """Not a failure."""
    page = recognised(pictures.saved(pictures.page()))
    assert (page.text, page.confidence, page.words, page.failed) == ("", None, [], False)


def test_a_page_that_takes_too_long_is_given_up() -> None:
    """It alone fails."""
    content = pictures.saved(pictures.page(*LINES))
    found = registry.recognise(content, types.PNG, [1], Options(), Limits(ocr_page_s=0))
    assert found.pages[0].failed
    assert [warning.code for warning in found.pages[0].warnings] == ["TIME_LIMIT"]


def test_what_has_no_pages_to_draw_is_refused() -> None:
    """Office documents cannot be recognised, nor can what a password locks."""
    for content, content_type, reason in (
        (b"PK", types.DOCX, Reason.UNSUPPORTED_FORMAT),
        (pdfs.encrypted("secret"), types.PDF, Reason.ENCRYPTED),
    ):
        with pytest.raises(ExtractionError) as caught:
            registry.recognise(bytearray(content), content_type, [1], Options(), LIMITS)
        assert caught.value.reason is reason
    opened = registry.recognise(
        bytearray(pdfs.encrypted("secret")), types.PDF, [1], Options(password=b"secret"), LIMITS
    )
    assert opened.pages[0].text == "behind the lock"


def test_languages_choose_the_engine() -> None:
    """The first if it reads them all, else the other if that does, else the best with a warning."""
    latin, arabic, broken = Seeing("eng", "deu"), Seeing("eng", "ara"), Seeing(works=False)

    def chosen(first: Engine, other: Engine, *languages: str) -> tuple[str, str | None]:
        choice = pick(first, lambda: other, languages)
        return choice.engine.name, choice.warning.code if choice.warning else None

    assert chosen(latin, arabic) == (latin.name, None)
    assert chosen(latin, arabic, "deu", "eng") == (latin.name, None)
    assert chosen(latin, arabic, "ara") == (arabic.name, None)
    assert chosen(latin, broken, "ara") == (latin.name, "OCR_LANGUAGE_UNAVAILABLE")
    assert chosen(broken, latin, "ara") == (latin.name, "OCR_LANGUAGE_UNAVAILABLE")
    warning = pick(latin, lambda: broken, ["eng", "ara"]).warning
    assert warning is not None
    assert "reads ara;" in warning.message


def test_tesseract_without_its_data_reads_nothing(tmp_path: Path) -> None:
    """So that the other engine is asked, with a warning."""
    engine = TesseractEngine(tmp_path)
    assert not engine.reads(["eng"])
    (tmp_path / "chi_sim.traineddata").touch()
    assert engine.reads(["zho"])
    assert engine.name.startswith("tesseract 5")


def test_the_words_of_tesseract_are_lines() -> None:
    """Its table gives each word its line, place and confidence."""
    table = (
        "4\t1\t1\t1\t1\t0\t10\t20\t90\t10\t-1\t\n"
        "5\t1\t1\t1\t1\t1\t10\t20\t40\t10\t90.5\tone\n"
        "5\t1\t1\t1\t1\t2\t60\t21\t40\t10\t80\ttwo\n"
        "5\t1\t1\t1\t2\t1\t10\t40\t50\t12\t70\tthree\n"
        "5\t1\t1\t1\t2\t2\t70\t40\t5\t12\t10\t \n"
    )
    first, second = lines_of(table)
    assert (first.text, first.box) == ("one two", (10.0, 20.0, 100.0, 31.0))
    assert [(word.text, word.confidence) for word in first.words] == [("one", 0.905), ("two", 0.8)]
    assert (second.text, second.confidence) == ("three", 0.7)


def test_words_have_places_in_points() -> None:
    """Also where an engine gives only those of lines."""
    picture = Image.new("L", (400, 200), 255)
    picture.putpixel((0, 0), 0)  # not blank
    page = read_page(picture, 1, (200.0, 100.0), Choice(Seeing()), (), LIMITS)
    assert [word.text for word in page.words] == ["two", "words"]
    (left, top, middle, bottom), (start, _, right, _) = (word.box for word in page.words)
    assert (left, top, right, bottom) == (50.0, 45.0, 150.0, 55.0)
    assert 80 < middle < start < 100


def test_a_long_picture_is_read_band_by_band_each_line_once() -> None:
    """Wherever the lines lie, also where two bands overlap; a page is read as a whole."""
    for turned in (False, True):
        engine = Reading()
        long = Image.new("L", (300, 5_000), 255)
        for shade in range(200):
            long.putpixel((5, 24 * shade + 3), shade)
        picture = long.transpose(Image.Transpose.TRANSPOSE) if turned else long
        lines = read_lines(picture, engine, (), lambda: None)
        assert sorted(int(line.text[3:]) for line in lines) == list(range(200))
        assert all(line.box[turned ^ 1] == 24 * int(line.text[3:]) + 3 for line in lines)
        assert len(engine.sizes) == 6
    engine = Reading()
    read_lines(Image.new("L", (1_240, 1_754), 255), engine, (), lambda: None)
    assert engine.sizes == [(1_240, 1_754)]


@pytest.mark.parametrize("degrees", [-7.0, -2.0, 0.0, 1.5, 8.0])
def test_the_slope_of_lines_is_found(degrees: float) -> None:
    """To a quarter of a degree; a straight page is left alone."""
    page = pictures.page(*LINES * 4)
    assert slope(straighten(page, -degrees)) == pytest.approx(degrees, abs=0.25)


def test_the_subprocess_of_the_lane_stays_small() -> None:
    """The engine, but neither asyncio nor gRPC nor the rest of the service."""
    program = (
        "import sys, sheaf_orchestrator.extraction.sandbox.worker;"
        "from sheaf_orchestrator.extraction import Limits;"
        "from sheaf_orchestrator.extraction.ocr import registry;"
        "registry.prepare(Limits());"
        "print(registry.library_versions()['paddle'].replace(' ', '_'), *sys.modules)"
    )
    engine, *loaded = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.split()
    assert engine == "faster-paddle_1.0.4_tiny"
    assert not set(loaded) & {"asyncio", "grpc", "sheaf_common", "tesserocr", "pypdfium2"}
