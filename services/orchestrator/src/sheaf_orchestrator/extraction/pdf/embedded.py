"""Files embedded in a PDF: those that its tree of names lists, and those pinned to its pages.

Unpacked by qpdf, which can be told where to end; pdfium needs 2 GiB to tell the size of 1 MB of
packed zeros. Source: ISO 32000-1, 7.7.4 (names), 7.9.6 (trees), 7.11 (file specifications).
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import pikepdf

from sheaf_orchestrator.extraction.attaching import Bag, Budget, file_name
from sheaf_orchestrator.extraction.notes import Notes
from sheaf_orchestrator.extraction.pdf.nametree import NameTree
from sheaf_orchestrator.extraction.pdf.pdfium import Content
from sheaf_orchestrator.extraction.pdf.qpdf import UNREADABLE, open_pdf, unpacking_up_to
from sheaf_orchestrator.extraction.result import AttachedFile

_FAILED: Final = "ATTACHMENT_FAILED"
_KEYS: Final = ("/UF", "/F", "/DOS", "/Mac", "/Unix")
"""Where a file specification has a name, and its ``/EF`` the file: the best first."""
_NAME_CHARACTERS: Final = 4_096
_MEDIA_TYPE: Final = re.compile(r"[a-z0-9][\w.+-]{0,62}/[a-z0-9][\w.+-]{0,62}", re.ASCII)
_GROWTH: Final = {
    "/ASCII85Decode": 4,
    "/A85": 4,
    "/LZWDecode": 2_560,
    "/LZW": 2_560,
}
"""By how much what qpdf unpacks without a bound may grow."""
_MAX_ANNOTATIONS: Final = 5_000
_MAX_WASTED_S: Final = 3.0
"""CPU time for files that are found too large or damaged only when they are unpacked."""


class _TooLargeError(Exception):
    """The file has more bytes than may be taken."""


class Places(NamedTuple):
    """Where there are files, as pdfium tells."""

    named: int
    """Entries of the tree of names."""
    pages: Sequence[int]
    """Pages with files pinned to them, from 1."""


def read_files(
    content: Content, password: bytes | None, places: Places, budget: Budget, notes: Notes
) -> list[AttachedFile]:
    """The files of the document in the order of their names, then those on pages.

    Each once, while the budget allows; what is left out or damaged is noted. A specification that
    only names a file somewhere else is none.
    """
    bag = Bag(budget, notes)
    try:
        with open_pdf(content, password) as pdf:
            reader = _Reader(pdf, bag, notes)
            reader.read_names(places.named)
            reader.read_pages(places.pages)
    except UNREADABLE:
        notes.cut(_FAILED, "Not all files inside the PDF could be found.")
    return bag.close()


class _Reader:
    """Takes files out of one document, each stream once."""

    def __init__(self, pdf: pikepdf.Pdf, bag: Bag, notes: Notes) -> None:
        self._pdf, self._bag, self._notes = pdf, bag, notes
        self._seen: set[tuple[int, int]] = set()
        self._wasted_s = 0.0

    def read_names(self, count: int) -> None:
        """Take what the tree of names lists. Raises what pikepdf does of a damaged tree."""
        root = self._pdf.Root.get("/Names")
        tree = NameTree(root.get("/EmbeddedFiles") if root is not None else None)
        for name, specification in tree.entries():
            self._take(specification, name)
        if not tree.whole:
            self._bag.leave_out_more(max(count - tree.looked_at, 0))

    def read_pages(self, numbers: Sequence[int]) -> None:
        """Take what is pinned to these pages. Raises what pikepdf does of a damaged page."""
        for number in numbers:
            annotations = self._pdf.pages[number - 1].obj.get("/Annots") or ()
            for index in range(min(len(annotations), _MAX_ANNOTATIONS)):
                annotation = annotations[index]
                if annotation.get("/Subtype") == "/FileAttachment":
                    self._take(annotation.get("/FS"), None)

    def _take(self, specification: Any, key: Any) -> None:
        name: str | None = None
        try:
            stream = _stream(specification)
            if stream is None or stream.objgen in self._seen:
                return
            self._seen.add(stream.objgen)
            declared = _media_type(stream)
            name = file_name(_name(specification, key), declared, len(self._seen))
            self._bag.put(name, self._unpacked(stream, name), declared)
        except _TooLargeError:
            self._bag.leave_out(name or "")
        except UNREADABLE:
            named = f" {name!r}" if name else ""
            self._notes.cut(_FAILED, f"The embedded file{named} is damaged; it was left out.")

    def _unpacked(self, stream: pikepdf.Stream, name: str) -> bytes:
        size, left = _declared_size(stream), self._bag.left_bytes
        # What says of itself that it is too large is not tried.
        fits = self._bag.has_room(max(size or 0, 1)) and self._wasted_s < _MAX_WASTED_S
        if not fits or _may_pass(stream, left):
            raise _TooLargeError
        self._pdf.get_warnings()  # forgets those before
        began, taken = time.process_time(), False
        try:
            with unpacking_up_to(left):
                unpacked = stream.get_stream_buffer(pikepdf.StreamDecodeLevel.specialized)
            if len(unpacked) > left:  # it was not packed
                raise _TooLargeError
            taken = True
        except UNREADABLE as error:
            if "memory limit" in str(error):
                raise _TooLargeError from error
            raise
        finally:
            if not taken:
                self._wasted_s += time.process_time() - began
        if len(unpacked) != size and self._pdf.get_warnings():
            message = f"The embedded file {name!r} is damaged; it was kept as far as it goes."
            self._notes.cut(_FAILED, message)
        return bytes(unpacked)


def _stream(specification: Any) -> pikepdf.Stream | None:
    """The embedded file; None where there is none, as in a link to a file elsewhere."""
    if not isinstance(specification, pikepdf.Dictionary):
        return None
    files = specification.get("/EF")
    if not isinstance(files, pikepdf.Dictionary):
        return None
    found = (files.get(key) for key in _KEYS)
    return next((each for each in found if isinstance(each, pikepdf.Stream)), None)


def _name(specification: Any, key: Any) -> str | None:
    """The best of its names, else the key that it has in the tree."""
    for each in _names(specification, key):
        if isinstance(each, pikepdf.String) and (name := str(each)[-_NAME_CHARACTERS:].strip()):
            return name
    return None


def _names(specification: Any, key: Any) -> Iterator[Any]:
    for each in _KEYS:
        yield specification.get(each)
    yield key


def _media_type(stream: pikepdf.Stream) -> str | None:
    subtype = stream.get("/Subtype")
    if not isinstance(subtype, pikepdf.Name):
        return None
    declared = str(subtype)[1:].lower()
    return declared if _MEDIA_TYPE.fullmatch(declared) else None


def _declared_size(stream: pikepdf.Stream) -> int | None:
    """What the document says of the file's size; the truth shows when it is unpacked."""
    parameters = stream.get("/Params")
    if not isinstance(parameters, pikepdf.Dictionary):
        return None
    size: Any = parameters.get("/Size")
    return size if type(size) is int and size >= 0 else None


def _may_pass(stream: pikepdf.Stream, left: int) -> bool:
    """Whether there may be more than ``left`` bytes, with no filter that qpdf ends at a bound."""
    filters: Any = stream.get("/Filter")
    if not isinstance(filters, pikepdf.Array):
        filters = [filters] if filters is not None else []
    if len(filters) == 0:
        length: Any = stream.get("/Length")
        return type(length) is int and length > left
    names = [str(filters[index]) for index in range(min(len(filters), 8))]
    for index, name in enumerate(names):
        if growth := _GROWTH.get(name):
            packed = len(stream.get_raw_stream_buffer()) if index == 0 else left
            if packed * growth > left:
                return True
    return False
