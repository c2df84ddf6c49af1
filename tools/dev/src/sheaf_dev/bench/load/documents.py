"""What a load test sends: made before its clock starts, and kept for its other rates.

The built-in documents are text PDFs of 1-10 pages, most of them short (the mean is about 3), with
shares of Office documents, pictures and scans. There are some hundreds of different ones; each
carries a stamp, a mark that no reader shows, so that no two uploads have the same content. Files of
a corpus are sent as they are, again and again if they are fewer than the uploads.
"""

import functools
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from sheaf_dev.bench.load.content import STAMP_BYTES, Content
from sheaf_dev.bench.load.plan import LoadPlan, Mix
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import sentence, text_pdf
from sheaf_dev.samples.office import open_notice, repair_costs, repair_letter, storm_briefing
from sheaf_dev.samples.scans import DPI, picture_of_text, scan_pdf

DIFFERENT: Final = 512
"""Built-in documents that are made; beyond them only the stamp differs."""
PAGES_WEIGHTS: Final = (30, 22, 15, 10, 7, 5, 4, 3, 2, 2)
"""How often a text PDF has one page, two, …; the mean is 3.1."""
CORPUS_MAX_FILES: Final = 10_000
CORPUS_MAX_BYTES: Final = 512 * 2**20
_JPEG_START: Final = b"\xff\xd8"
_JPEG_COMMENT: Final = b"\xff\xfe"
_JPEG_LENGTH_BYTES: Final = 2
_PICTURE_LINES: Final = 20
_LINE_CHARACTERS: Final = 68


def prepare(plan: LoadPlan, count: int) -> Sequence[Content]:
    """The documents of a plan, at most `count`: those uploads take turns with.

    Text takes about 3 ms each, pictures and scans 80 ms; a plan that differs in its times alone
    gets them at once. The same plan has the same documents.

    Raises:
        DevError: the corpus cannot be read, or holds no file, or too many.
        ValueError: the shares of the mix are not between 0 and 1, together too.
    """
    if plan.corpus is not None:
        return _corpus(plan.corpus.absolute())
    mix = plan.mix
    shares = (mix.office, mix.images, mix.scans)
    if any(share < 0 for share in shares) or sum(shares) > 1:
        raise ValueError(f"the shares of a mix are from 0 to 1, and at most 1 together: {mix}")
    return [_built_in(mix, plan.seed, number) for number in range(min(count, DIFFERENT))]


@functools.lru_cache(maxsize=2 * DIFFERENT)
def _built_in(mix: Mix, seed: int, number: int) -> Content:
    random = Random(f"load/{seed}/{number}")  # noqa: S311 # documents for a load test, no secret
    kind = random.random()
    for share, make in ((mix.office, _office), (mix.images, _picture), (mix.scans, _scan)):
        if kind < share:
            return make(number, random)
        kind -= share
    return _text(number, random)


def _text(number: int, random: Random) -> Content:
    (pages,) = random.choices(range(1, len(PAGES_WEIGHTS) + 1), PAGES_WEIGHTS)
    return _pdf(f"text-{number}.pdf", text_pdf(random.randrange(10**8), pages))


def _scan(number: int, random: Random) -> Content:
    return _pdf(f"scan-{number}.pdf", scan_pdf(random.randrange(10**6)))


def _pdf(filename: str, content: bytes) -> Content:
    """The stamp is a comment behind the end of the file."""
    return Content(filename, content + b"\n% ", b"\n", stamped=True)


def _office(number: int, random: Random) -> Content:
    """The stamp is the archive's comment; its length stands in the last two bytes."""
    sample = random.choice(_OFFICE)()
    head = sample.content[:-2] + STAMP_BYTES.to_bytes(2, "little")
    return Content(f"{number}-{sample.filename}", head, stamped=True)


_OFFICE: Final = (repair_letter, repair_costs, storm_briefing, open_notice)


def _picture(number: int, random: Random) -> Content:
    """A photograph of a page. The stamp is a comment of the JPEG."""
    prose = " ".join(sentence(random) for _ in range(_PICTURE_LINES))
    lines = textwrap.wrap(prose, _LINE_CHARACTERS)[:_PICTURE_LINES]
    buffer = io.BytesIO()
    picture_of_text(lines).save(buffer, "JPEG", quality=75, dpi=(DPI, DPI))
    length = (STAMP_BYTES + _JPEG_LENGTH_BYTES).to_bytes(2, "big")
    rest = buffer.getvalue().removeprefix(_JPEG_START)
    head = _JPEG_START + _JPEG_COMMENT + length
    return Content(f"picture-{number}.jpg", head, rest, stamped=True)


@functools.lru_cache(maxsize=1)
def _corpus(folder: Path) -> Sequence[Content]:
    try:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        size_bytes = sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise DevError(f"the corpus cannot be read: {error}") from error
    if not paths:
        raise DevError(f"{folder} holds no files to send")
    if len(paths) > CORPUS_MAX_FILES or size_bytes > CORPUS_MAX_BYTES:
        raise DevError(
            f"{folder} holds {len(paths)} files, {size_bytes / 2**20:.0f} MiB; a load test keeps"
            f" at most {CORPUS_MAX_FILES}, {CORPUS_MAX_BYTES / 2**20:.0f} MiB, in memory"
        )
    try:
        return [Content(path.name, path.read_bytes()) for path in paths]
    except OSError as error:
        raise DevError(f"the corpus cannot be read: {error}") from error
