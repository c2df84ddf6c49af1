"""A whole folder: each file through the sandbox, one at a time in each subprocess."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from sheaf_dev.errors import DevError
from sheaf_dev.quality.expectations import expected_ends
from sheaf_dev.quality.form_values import filled_values, is_found
from sheaf_dev.quality.recognition import (
    DRAWN_LABEL,
    MOST_DRAWN_PAGES,
    KnownPage,
    Reader,
    is_picture,
    pages_of_picture,
    pages_to_draw,
    read_known_pages,
    sandbox_reader,
)
from sheaf_dev.quality.references import find_pdftotext, read_truth, reference_of
from sheaf_dev.quality.report import FileRecord, ReadText, Recognition, Report
from sheaf_dev.quality.running import Sandbox
from sheaf_dev.quality.scoring import Score, squeezed, tokens
from sheaf_dev.quality.walking import LabelledFile
from sheaf_orchestrator.extraction import ExtractionPool, Limits, PoolError, Result

BROKEN_LABEL: Final = "pdf-broken-or-malicious"
BROKEN: Final = "broken on purpose: nobody knows its text"
NOT_ASKED: Final = "not asked for"
NO_ENGINE: Final = "the engine does not start"
NOTHING_KNOWN: Final = "no file whose text is known"
_PDF_MARK: Final = b"%PDF-"
_MARK_WITHIN: Final = 1024

KnownFile = tuple[LabelledFile, list[KnownPage]]
Tell = Callable[[str], None]
"""Told the name of a file that is done."""


async def measure(
    root: Path,
    files: Sequence[LabelledFile],
    *,
    processes: int,
    ocr: bool,
    on_file: Tell,
    on_recognised: Tell,
) -> Report:
    """Runs every file; what becomes of one never ends the run.

    `on_file` is told each that went through the text lane, `on_recognised` each whose pages
    were read by character recognition after that.

    Raises:
        DevError: the sandbox does not work at all.
    """
    limits = Limits()
    try:
        async with ExtractionPool(limits, size=processes) as pool:
            measuring = _Measuring(Sandbox(pool, limits), find_pdftotext(), on_file)
            records = await measuring.run(files, processes)
    except PoolError as error:
        raise DevError(f"the sandbox does not work: {error}") from error
    if not ocr:
        return Report(str(root), tuple(records), Recognition(not_measured=NOT_ASKED))
    pictures = [(file, pages) for file in files if (pages := pages_of_picture(file))]
    recognition = await _recognise(pictures, measuring.to_draw(files), on_recognised)
    return Report(str(root), tuple(records), recognition)


class _Measuring:
    """The text lane's part. Keeps figures, and the few pages that are to be drawn."""

    def __init__(self, sandbox: Sandbox, pdftotext: str | None, on_done: Tell) -> None:
        self._sandbox = sandbox
        self._pdftotext = pdftotext
        self._on_done = on_done
        self._drawn: dict[str, list[KnownPage]] = {}

    async def run(self, files: Sequence[LabelledFile], at_once: int) -> list[FileRecord]:
        """The record of each file, in the files' order."""
        waiting = iter(enumerate(files))
        records: dict[int, FileRecord] = {}

        async def work() -> None:
            for index, file in waiting:
                records[index] = await self._record(file)
                self._on_done(file.name)

        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(work())
        return [records[index] for index in range(len(files))]

    def to_draw(self, files: Sequence[LabelledFile]) -> list[KnownFile]:
        """The PDFs whose pages are to be drawn and read: those of one folder, if it is there."""
        candidates = [file for file in files if self._drawn.get(file.name)]
        labelled = [file for file in candidates if file.folder == DRAWN_LABEL]
        known: list[KnownFile] = []
        left = MOST_DRAWN_PAGES
        for file in labelled or candidates:
            if pages := self._drawn[file.name][:left]:
                known.append((file, pages))
                left -= len(pages)
        return known

    async def _record(self, file: LabelledFile) -> FileRecord:
        content = await asyncio.to_thread(self._sandbox.read, file)
        is_pdf = _PDF_MARK in content[:_MARK_WITHIN]
        end = await self._sandbox.extract(file, content, words=False)
        words_cpu_ms = None
        if is_pdf and end.status == "completed":
            words_cpu_ms = (await self._sandbox.extract(file, content, words=True)).cpu_ms
        del content
        expected = await asyncio.to_thread(expected_ends, file)
        record = FileRecord(
            name=file.name,
            folder=file.folder,
            status=end.status,
            reason=end.reason,
            expected=tuple(sorted(expected)),
            is_pdf=is_pdf,
            wall_s=end.wall_s,
            cpu_ms=end.cpu_ms,
            words_cpu_ms=words_cpu_ms,
        )
        if end.result is None:
            return record
        return await self._compared(record, file, end.result)

    async def _compared(self, record: FileRecord, file: LabelledFile, result: Result) -> FileRecord:
        """The record of a file that completed, with what its text is worth."""
        text = "\n".join(page.text for page in result.pages)
        record = replace(
            record,
            content_type=result.content_type,
            partial=result.partial,
            pages=result.page_count,
            characters=result.character_count,
        )
        if not record.is_pdf:
            if file.truth is None or is_picture(file):
                return record
            truth = await asyncio.to_thread(read_truth, file.truth)
            return replace(record, score=await asyncio.to_thread(Score.of, truth, text))
        if file.folder == BROKEN_LABEL:
            return replace(record, no_reference=BROKEN)
        record = await asyncio.to_thread(_with_values, record, file, text)
        reference = await reference_of(file, self._pdftotext)
        if reference.missing is not None:
            return replace(record, no_reference=reference.missing)
        self._drawn[file.name] = pages_to_draw(reference.pages)
        return replace(record, score=await asyncio.to_thread(Score.of, reference.text, text))


def _with_values(record: FileRecord, file: LabelledFile, text: str) -> FileRecord:
    values = filled_values(file.path)
    if not values:
        return record
    words, packed = Counter(tokens(text)), squeezed(text)
    missed = tuple(each for each in values if not is_found(each.value, words, packed))
    return replace(record, values=len(values), values_missed=missed)


async def _recognise(
    pictures: Sequence[KnownFile], to_draw: Sequence[KnownFile], on_done: Tell
) -> Recognition:
    if not pictures and not to_draw:
        return Recognition(not_measured=NOTHING_KNOWN)
    try:
        async with sandbox_reader() as reader:
            read, engine = await _read_all(reader, pictures, on_done)
            drawn, drawn_by = await _read_all(reader, to_draw, on_done)
    except PoolError as error:
        return Recognition(not_measured=f"{NO_ENGINE}: {error}")
    return Recognition(engine or drawn_by, tuple(read), tuple(drawn))


async def _read_all(
    reader: Reader, known: Sequence[KnownFile], on_done: Tell
) -> tuple[list[ReadText], str | None]:
    read: list[ReadText] = []
    engine: str | None = None
    for file, pages in known:
        content = await asyncio.to_thread(file.path.read_bytes)
        texts, read_by = await read_known_pages(reader, file, content, pages)
        read += texts
        engine = engine or read_by
        on_done(file.name)
    return read, engine
