"""Which bytes of the binary Office formats are encrypted, and with which block of the key.

Each function gives the streams as they were before the document was locked.
"""

import struct
from collections.abc import Mapping
from typing import Final

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.office.ole import damaged
from sheaf_orchestrator.extraction.office.rc4 import Rc4Key
from sheaf_orchestrator.extraction.office.refusing import locked, unsupported
from sheaf_orchestrator.extraction.reasons import Reason

_FIB_BYTES, _DOC_BLOCK_BYTES = 68, 512
_OBFUSCATED: Final = 0x8000
_XLS_BLOCK_BYTES: Final = 1_024
_FILE_PASS, _BOUND_SHEET = 0x002F, 0x0085
_PLAIN_RECORDS: Final = frozenset({0x0809, 0x002F, 0x0194, 0x0195, 0x00E1, 0x0196, 0x0138})
"""BOF, FilePass, UsrExcl, FileLock, InterfaceHdr, RRDInfo, RRDHead. Source: [MS-XLS] 2.2.10."""
_PLACE_BYTES: Final = 4
_MAX_RECORDS: Final = 10_000_000
"""Most records of a locked workbook, 7 s of CPU."""
_USER_EDIT, _PERSIST_DIRECTORY, _CRYPT_SESSION = 4085, 6002, 0x2F14
_PPT_PLAIN: Final = frozenset({_USER_EDIT, _PERSIST_DIRECTORY, _CRYPT_SESSION})
_HEAD_BYTES: Final = 8


def word(document: bytes, table: bytes, password: bytes | None) -> tuple[bytes, bytes]:
    """The main stream and the table. Source: [MS-DOC] 2.2.6. Raises as ``Rc4Key.opened``."""
    flags, header_bytes = struct.unpack_from("<10xH2xI", document)
    if flags & _OBFUSCATED:
        raise unsupported() if password else locked(None)
    key = Rc4Key.opened(table[:header_bytes], password)
    shown = key.stream(document, _DOC_BLOCK_BYTES)
    shown[:_FIB_BYTES] = document[:_FIB_BYTES]
    return bytes(shown), bytes(key.stream(table, _DOC_BLOCK_BYTES))


def workbook(stream: bytes, password: bytes | None) -> bytes:
    """The workbook without FilePass. Source: [MS-XLS] 2.2.10.

    Raises as ``Rc4Key.opened``, and ExtractionError: TIME_LIMIT (too many records).
    """
    key: Rc4Key | None = None
    shown = bytearray()
    at, end, records = 0, len(stream) - 4, 0
    while at <= end:
        records += 1
        if records > _MAX_RECORDS:
            message = f"The workbook has over {_MAX_RECORDS:,} records; so many are not decrypted."
            raise ExtractionError(Reason.TIME_LIMIT, message)
        kind, size = struct.unpack_from("<HH", stream, at)
        begin, stop = at + 4, at + 4 + size
        if kind == _FILE_PASS and key is None:
            key = _workbook_key(stream[begin:stop], password)
            shown = key.stream(stream, _XLS_BLOCK_BYTES)
            shown[:begin] = stream[:begin]
            shown[at : at + 2] = bytes(2)  # a record of no meaning, so that none moves
        elif key is not None:
            plain = size if kind in _PLAIN_RECORDS else 0
            plain = min(_PLACE_BYTES, size) if kind == _BOUND_SHEET else plain
            shown[at : begin + plain] = stream[at : begin + plain]
        at = stop
    if key is None:
        raise damaged("how it is encrypted cannot be read")
    return bytes(shown)


def _workbook_key(file_pass: bytes, password: bytes | None) -> Rc4Key:
    if file_pass[:2] != b"\1\0":
        raise unsupported() if password else locked(None)
    return Rc4Key.opened(file_pass[2:], password)


def presentation(
    stream: bytes, places: Mapping[int, int], session: int, password: bytes | None
) -> bytes:
    """The presentation, whose persistent objects stand at ``places`` by their ids.

    Each is a block of its own, ``session`` the id of the one that describes the encryption.
    Source: [MS-PPT] 2.3.7. Raises as ``Rc4Key.opened``.
    """
    begin = places.get(session, -1)
    if not 0 <= begin <= len(stream) - _HEAD_BYTES:
        raise damaged("how it is encrypted cannot be read")
    kind, size = struct.unpack_from("<2xHI", stream, begin)
    if kind != _CRYPT_SESSION:
        raise damaged("how it is encrypted cannot be read")
    key = Rc4Key.opened(stream[begin + _HEAD_BYTES : begin + _HEAD_BYTES + size], password)
    view, shown, left = memoryview(stream), bytearray(stream), len(stream)
    for identity, at in places.items():
        if at > len(stream) - _HEAD_BYTES:
            continue
        if struct.unpack_from("<2xH", stream, at)[0] in _PPT_PLAIN:
            continue
        head = key.object(view[at : at + _HEAD_BYTES], identity)
        (size,) = struct.unpack_from("<4xI", head)
        whole = view[at : at + _HEAD_BYTES + size]
        left -= len(whole)
        if left < 0:  # objects lie in each other, as no program writes them
            raise damaged("its objects overlap")
        shown[at : at + len(whole)] = key.object(whole, identity)
    return bytes(shown)
