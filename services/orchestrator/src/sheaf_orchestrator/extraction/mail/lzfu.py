"""The compression of RTF bodies. Source: [MS-OXRTFCP] 2.2."""

import struct
from typing import Final

_HEADER: Final = struct.Struct("<IIII")
_COMPRESSED: Final = 0x75465A4C
_PLAIN: Final = 0x414C454D
_WINDOW: Final = 4_096
_MAX_BYTES: Final = 4 * 1024 * 1024
"""Of text that is read only where a message has no other; a second at most."""
_START: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds at first."""


def decompress(content: bytes) -> bytes:
    """The RTF, as far as it goes where the content is cut. Raises ValueError: it is none."""
    if len(content) < _HEADER.size:
        raise ValueError("too short for compressed RTF")
    _, raw_bytes, kind, _ = _HEADER.unpack_from(content)
    raw_bytes = min(raw_bytes, _MAX_BYTES)
    if kind == _PLAIN:
        return content[_HEADER.size : _HEADER.size + raw_bytes]
    if kind != _COMPRESSED:
        raise ValueError("not compressed RTF")
    window = bytearray(_START.ljust(_WINDOW, b"\0"))
    write = len(_START)
    out = bytearray()
    position = _HEADER.size
    while position < len(content) and len(out) < raw_bytes:
        control = content[position]
        position += 1
        for bit in range(8):
            if control >> bit & 1:
                pair = content[position : position + 2]
                position += 2
                where = int.from_bytes(pair, "big")
                offset, length = where >> 4, (where & 0xF) + 2
                if len(pair) < 2 or offset == write:  # noqa: PLR2004 # the end, cut or said
                    return bytes(out)
                for step in range(length):
                    byte = window[(offset + step) % _WINDOW]
                    out.append(byte)
                    window[write] = byte
                    write = (write + 1) % _WINDOW
            elif position < len(content):
                out.append(content[position])
                window[write] = content[position]
                write = (write + 1) % _WINDOW
                position += 1
    return bytes(out)
