"""PowerPoint 97-2003 (ppt, pps, pot): a page for each slide."""

import struct
import zlib
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office import ole
from sheaf_orchestrator.extraction.office import ppt_records as records
from sheaf_orchestrator.extraction.office.ole import Container, damaged
from sheaf_orchestrator.extraction.office.ppt_records import Objects, Record, unsigned
from sheaf_orchestrator.extraction.office.ppt_text import Box, boxes, compose_text
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted

_HIDDEN: Final = 0x4
_MAX_TEXTS: Final = 100_000


class _Slide(NamedTuple):
    reference: int
    identity: int
    outline: list[Box]


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The slides in order: title first, then shapes from top to bottom and left to right.

    Speaker's notes and comments are annotations.
    Raises ExtractionError: EMPTY, ENCRYPTED, DAMAGED, TOO_MANY_PAGES.
    """
    reading = Reading(limits, options.pages)
    with Container(content) as container:
        stream = container.read("PowerPoint Document")
        if not stream:
            raise damaged("it holds no presentation")
        try:
            objects = Objects(stream, container.read("Current User"), options.password)
            metadata = container.properties(encrypted=objects.encrypted)
            presentation = _Presentation(objects, reading)
            count = presentation.read()
        except (struct.error, IndexError) as error:
            raise damaged("its records cannot be read") from error
    return reading.finish("slide", metadata, count)


class _Presentation:
    def __init__(self, objects: Objects, reading: Reading) -> None:
        self._objects, self._reading = objects, reading
        self._composer = reading.composer
        document = objects.document()
        self._slides: list[_Slide] = []
        self._notes: dict[int, Record] = {}
        self._urls: dict[int, str] = {}
        for each in records.walk(document.content, records.SLIDE_LIST, records.HYPERLINK):
            if each.kind == records.HYPERLINK:
                self._add_url(each)
            elif each.instance == 0:
                self._slides = self._listed(each)
            elif each.instance == 2:  # noqa: PLR2004 # the list of notes
                for listed in self._listed(each):
                    self._add_notes(listed.reference)

    def _listed(self, found: Record) -> list[_Slide]:
        slides: list[_Slide] = []
        texts = 0
        for each in records.children(found.content):
            if each.kind == records.SLIDE_PERSIST:
                slides.append(_Slide(unsigned(each.content, 0), unsigned(each.content, 12), []))
            elif slides and each.kind == records.TEXT_HEADER and texts < _MAX_TEXTS:
                texts += 1
                slides[-1].outline.append(Box(unsigned(each.content, 0)))
            elif slides and slides[-1].outline:
                slides[-1].outline[-1].take(each)
        return slides

    def _add_url(self, link: Record) -> None:
        identity, url = 0, ""
        for each in records.children(link.content):
            if each.kind == records.HYPERLINK_ATOM:
                identity = unsigned(each.content, 0)
            elif each.kind == records.C_STRING and each.instance == 1:
                url = records.string(each)
        if url and len(self._urls) < self._reading.limits.links:
            self._urls[identity] = url

    def _add_notes(self, reference: int) -> None:
        notes = self._objects.get(reference, records.NOTES)
        for atom in records.children(notes.content) if notes is not None else ():
            if atom.kind == records.NOTES_ATOM and notes is not None:
                self._notes[unsigned(atom.content, 0)] = notes

    def read(self) -> int:
        """Compose the slides; gives how many there are."""
        self._reading.check_pages(len(self._slides), "slides")
        for number, slide in enumerate(self._slides, start=1):
            if self._reading.passes_over():
                continue
            found = self._objects.get(slide.reference, records.SLIDE)
            if found is None:
                self._composer.begin()
                self._reading.notes.cut("PAGE_FAILED", "The slide cannot be read.", number)
            else:
                self._slide(found, slide, number)
            if self._reading.done:
                break
        self._embedded()
        return len(self._slides)

    def _slide(self, found: Record, slide: _Slide, number: int) -> None:
        shown = boxes(found.content, slide.outline)
        title = next((each for each in shown if each.is_title and each.text.strip()), None)
        name = "" if title is None else title.text.replace("\u00ad", "")
        self._composer.begin(" ".join(name.split()) or None)
        if title is not None:
            self._reading.heading(1, " ".join(name.split()), number)
        for box in shown:
            if box is not title:
                compose_text(box, self._composer)
        kinds = (records.SHOW_INFO, records.INTERACTIVE, records.COMMENT)
        for each in records.walk(found.content, *kinds):
            if each.kind == records.SHOW_INFO:
                if int.from_bytes(each.content[10:12], "little") & _HIDDEN:
                    self._reading.notes.warn(HIDDEN, "The slide is hidden.", number)
            elif each.kind == records.INTERACTIVE:
                self._composer.link(self._urls.get(unsigned(each.content, 4), ""))
            else:
                self._comment(each)
        notes = self._notes.get(slide.identity)
        if notes is not None:
            texts = [each.text for each in boxes(notes.content, []) if each.is_notes]
            self._composer.annotation("notes", "\n".join(texts))

    def _comment(self, comment: Record) -> None:
        parts = {
            each.instance: records.string(each)
            for each in records.children(comment.content)
            if each.kind == records.C_STRING
        }
        self._composer.annotation("comment", parts.get(1, ""), parts.get(0))

    def _embedded(self) -> None:
        """The files embedded into slides."""
        count = 0
        for each in self._objects.top():
            if each.kind != records.OLE_STORAGE or self._reading.done:
                continue
            count += 1
            limit = self._reading.limits.attachment_bytes
            try:
                if each.instance:
                    data = zlib.decompressobj().decompress(bytes(each.content[4:]), limit)
                else:
                    data = bytes(each.content)
                for name, content in ole.embedded_files(data, f"object{count}"):
                    self._reading.attach(name, content)
            except (zlib.error, ExtractionError):
                self._reading.damaged(f"object{count}")
