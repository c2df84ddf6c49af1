"""The records of PowerPoint 97-2003 and where they stand ([MS-PPT])."""

import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.office.ole import damaged
from sheaf_orchestrator.extraction.office.refusing import locked

DOCUMENT, SLIDE, NOTES = 1000, 1006, 1008
SLIDE_ATOM, NOTES_ATOM, SLIDE_PERSIST, SHOW_INFO = 1007, 1009, 1011, 1017
SLIDE_LIST, TEXT_HEADER, TEXT_CHARS, TEXT_BYTES = 4080, 3999, 4000, 4008
TEXT_STYLE, OUTLINE_REFERENCE, PLACEHOLDER = 4001, 3998, 3011
C_STRING, HYPERLINK, HYPERLINK_ATOM, INTERACTIVE = 4026, 4055, 4051, 4083
COMMENT, OLE_STORAGE = 12000, 0x1011
GROUP, SHAPE, TEXT_BOX = 0xF003, 0xF004, 0xF00D
CHILD_ANCHOR, ANCHOR, MORE_PROPERTIES = 0xF00F, 0xF010, 0xF122
_USER_EDIT, _PERSIST_DIRECTORY, _TAG_BLOB = 4085, 6002, 5003
_CONTAINER: Final = 0xF
_ENCRYPTED_TOKEN: Final = 0xF3D1C4DF
_ENCRYPTED_EDIT_BYTES: Final = 32
_MAX_EDITS: Final = 1_000
_MAX_OBJECTS: Final = 200_000
_MAX_DEPTH: Final = 32


class Record(NamedTuple):
    """One record: its kind, instance and content."""

    kind: int
    instance: int
    content: memoryview
    container: bool


def record(stream: memoryview, at: int) -> Record | None:
    """The record that begins there; None if there is none."""
    if at < 0 or at + 8 > len(stream):
        return None
    head, kind, size = struct.unpack_from("<HHI", stream, at)
    container = head & 0xF == _CONTAINER or kind == _TAG_BLOB
    return Record(kind, head >> 4, stream[at + 8 : at + 8 + size], container)


def children(content: memoryview) -> Iterator[Record]:
    """The records in a container, one after the other."""
    at = 0
    while (found := record(content, at)) is not None:
        yield found
        at += 8 + len(found.content)


def walk(content: memoryview, *kinds: int, depth: int = 0) -> Iterator[Record]:
    """The records of some kinds anywhere below, not those inside of each other."""
    for each in children(content):
        if each.kind in kinds:
            yield each
        elif each.container and depth < _MAX_DEPTH:
            yield from walk(each.content, *kinds, depth=depth + 1)


def unsigned(content: memoryview, at: int) -> int:
    """A number of four bytes; 0 beyond the end."""
    return int.from_bytes(content[at : at + 4], "little")


def string(found: Record) -> str:
    """The text of an atom of characters."""
    if found.kind == TEXT_BYTES:
        return bytes(found.content).decode("latin-1")
    return bytes(found.content).decode("utf-16-le", "replace")


class Objects:
    """The persistent objects of a presentation: its document and its slides."""

    def __init__(self, stream: bytes, user: bytes, password: bytes | None = None) -> None:
        """Raises ExtractionError: DAMAGED, ENCRYPTED."""
        self._stream = memoryview(stream)
        self._places: dict[int, int] = {}
        self._document = 0
        if len(user) < 20:  # noqa: PLR2004 # CurrentUserAtom
            raise damaged("it does not say where its slides are")
        token, edit = struct.unpack_from("<12xII", user)
        self.encrypted = token == _ENCRYPTED_TOKEN
        session: int | None = None
        for _ in range(_MAX_EDITS):
            atom = record(self._stream, edit)
            if atom is None or atom.kind != _USER_EDIT:
                break
            if len(atom.content) >= _ENCRYPTED_EDIT_BYTES:
                self.encrypted = True
                session = unsigned(atom.content, 28) if session is None else session
            self._read_directory(unsigned(atom.content, 12))
            self._document = self._document or unsigned(atom.content, 16)
            edit = unsigned(atom.content, 8)
            if not edit:
                break
        if self.encrypted:
            self._unlock(stream, session, password)

    def _unlock(self, stream: bytes, session: int | None, password: bytes | None) -> None:
        if not password:
            raise locked(None)
        # Loaded when first needed: few documents are locked.
        locks = import_module("sheaf_orchestrator.extraction.office.legacy_locks")
        shown = locks.presentation(stream, self._places, session or 0, password)
        self._stream = memoryview(shown)

    def _read_directory(self, at: int) -> None:
        directory = record(self._stream, at)
        if directory is None or directory.kind != _PERSIST_DIRECTORY:
            return
        content, at = directory.content, 0
        while at + 4 <= len(content) and len(self._places) < _MAX_OBJECTS:
            head = unsigned(content, at)
            at += 4
            first, count = head & 0xFFFFF, head >> 20
            for index in range(min(count, (len(content) - at) // 4)):
                self._places.setdefault(first + index, unsigned(content, at + 4 * index))
            at += 4 * count

    def get(self, identity: int, kind: int) -> Record | None:
        """The object of a kind by its id; None if it is not there."""
        found = record(self._stream, self._places.get(identity, -1))
        return found if found is not None and found.kind == kind else None

    def document(self) -> Record:
        """The document. Raises ExtractionError: DAMAGED."""
        found = self.get(self._document, DOCUMENT)
        if found is None:
            found = next((each for each in children(self._stream) if each.kind == DOCUMENT), None)
        if found is None:
            raise damaged("its list of slides cannot be found")
        return found

    def top(self) -> Iterator[Record]:
        """All objects, in the order of the file."""
        return children(self._stream)
