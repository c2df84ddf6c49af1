"""Character recognition against texts that are known: pictures, and pages drawn from PDFs.

Each request reads one page, so that its CPU can be told; the engine is loaded before the first.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

import psutil

from sheaf_dev.quality.references import read_truth
from sheaf_dev.quality.report import ReadText
from sheaf_dev.quality.running import declared_type, document_id_of
from sheaf_dev.quality.scoring import Score, tokens
from sheaf_dev.quality.walking import LabelledFile
from sheaf_orchestrator.extraction import (
    ExtractionFailed,
    ExtractionPool,
    Limits,
    OcrMode,
    Options,
    Recognised,
    WorkerDied,
)
from sheaf_orchestrator.extraction.sandbox.protocol import RecogniseRequest

DRAWN_LABEL: Final = "tax-forms"
"""The folder whose PDFs are drawn and read, if there is one; else any PDF may be."""
PAGES_OF_A_PDF: Final = 2
MOST_DRAWN_PAGES: Final = 40
_FEWEST_WORDS: Final = 50
"""A page with fewer says little about recognition."""
_REGISTRY: Final = "sheaf_orchestrator.extraction.ocr.registry"
_GIB: Final = 2**30
_LIMITS: Final = Limits(
    # As the service has them, at normal priority: nothing here is to go first.
    wall_s=300.0,
    cpu_s=60,
    address_space_bytes=4 * _GIB,
    rss_bytes=4 * _GIB // 3,
    recycle_rss_bytes=4 * _GIB // 5,
    processes=64,  # the engine's runtime has threads
    start_s=120.0,
)


@dataclass(frozen=True, slots=True)
class KnownPage:
    """A page with its text."""

    number: int
    text: str


class Reader(Protocol):
    """What reads one page, and how much CPU it has used so far."""

    async def read(self, file: LabelledFile, content: bytes, page: int) -> Recognised:
        """Raises ExtractionFailed or WorkerDied for a page that cannot be read."""

    def cpu_s(self) -> float:
        """CPU time of all that read, so far."""


@dataclass(frozen=True, slots=True)
class SandboxReader:
    """The recognition lane's subprocess."""

    pool: ExtractionPool

    async def read(self, file: LabelledFile, content: bytes, page: int) -> Recognised:
        """See `Reader`."""
        request = RecogniseRequest(
            document_id=document_id_of(file),
            content_type=declared_type(file.path),
            pages=(page,),
            options=Options(words=False, ocr=OcrMode.ALWAYS),
        )
        recognised: Recognised = await self.pool.recognise(request, content)
        return recognised

    def cpu_s(self) -> float:
        """See `Reader`."""
        used = 0.0
        for pid in self.pool.stats().pids:
            with suppress(psutil.NoSuchProcess):
                times = psutil.Process(pid).cpu_times()
                used += times.user + times.system
        return used


@asynccontextmanager
async def sandbox_reader() -> AsyncIterator[SandboxReader]:
    """One subprocess that recognises, in the block. Raises WorkersUnavailable."""
    async with ExtractionPool(_LIMITS, size=1, spares=0, registry=_REGISTRY) as pool:
        yield SandboxReader(pool)


async def read_known_pages(
    reader: Reader, file: LabelledFile, content: bytes, pages: Sequence[KnownPage]
) -> tuple[list[ReadText], str | None]:
    """Each page as it was read, and the engine; a page that cannot be read has no words."""
    read: list[ReadText] = []
    engine: str | None = None
    for page in pages:
        name = f"{file.name}#{page.number}"
        before_s = reader.cpu_s()
        try:
            recognised = await reader.read(file, content, page.number)
        except (ExtractionFailed, WorkerDied):
            read.append(ReadText(name, Score.of(page.text, ""), None, 0.0, failed=True))
            continue
        cpu_ms = max(0.0, reader.cpu_s() - before_s) * 1000
        engine = recognised.engine
        text = "\n".join(each.text for each in recognised.pages)
        confidences = [each.confidence for each in recognised.pages if each.confidence is not None]
        read.append(
            ReadText(
                name,
                Score.of(page.text, text),
                min(confidences, default=None),
                cpu_ms,
                failed=all(each.failed for each in recognised.pages),
            )
        )
    return read, engine


def is_picture(file: LabelledFile) -> bool:
    """Whether it goes by the name of one."""
    return declared_type(file.path).startswith("image/")


def pages_of_picture(file: LabelledFile) -> list[KnownPage]:
    """The pages of a picture whose text is written down, form feeds between them."""
    if file.truth is None or not is_picture(file):
        return []
    texts = read_truth(file.truth).removesuffix("\f").split("\f")
    return [KnownPage(number, text) for number, text in enumerate(texts, 1) if tokens(text)]


def pages_to_draw(texts: Sequence[str]) -> list[KnownPage]:
    """The first pages of a PDF that have enough words."""
    wordy = (
        KnownPage(number, text)
        for number, text in enumerate(texts, 1)
        if len(tokens(text)) >= _FEWEST_WORDS
    )
    return [page for page, _ in zip(wordy, range(PAGES_OF_A_PDF), strict=False)]
