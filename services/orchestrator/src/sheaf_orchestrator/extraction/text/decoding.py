"""Bytes to text: which encoding it is, decided from the content alone."""

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

Content = bytes | bytearray | memoryview

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before utf-16: its mark begins with that one's
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 16 * 1024
_LEAD_BYTES = 64
_CANDIDATES = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258"),
    *("cp874", "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_8", "koi8_r", "koi8_u"),
    *("mac_roman", "mac_cyrillic", "cp437", "cp850", "cp866"),
    *("cp932", "euc_jp", "euc_kr", "gb18030", "big5"),
]
"""What browsers know (WHATWG Encoding) and DOS wrote: with rarer ones, guesses are worse."""
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_MAX_CONTROL_SHARE = 0.02
_MAX_DAMAGED_UTF8_SHARE = 0.05
_WIDE_NUL_SHARE = 0.3
_FALLBACK = "cp1252"


class Decoded(NamedTuple):
    """A text, the encoding that it was read with, and how many characters it spoils."""

    text: str
    encoding: str
    replaced: int


def decode(content: Content) -> Decoded | None:
    """The text of ``content``, or None when it is not text.

    A byte order mark decides; else valid UTF-8; else UTF-16 by its pattern of NUL bytes; else
    UTF-8 with a few damaged bytes; else what charset-normalizer finds in a sample of 16 KiB
    from the first byte that is not UTF-8, without its lines of plain ASCII. Undecodable bytes
    become U+FFFD and are counted.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content[: len(mark)] == mark:
            return _forgiving(content[len(mark) :], encoding)
    sample = bytes(content[:_SAMPLE_BYTES])
    wide = _wide_encoding(sample)
    if wide is not None:
        return _forgiving(content, wide)
    if _looks_binary(sample):
        return None
    try:
        return Decoded(str(content, "utf-8"), "utf-8", 0)
    except UnicodeDecodeError as error:
        first_bad = error.start
    damaged = _forgiving(content, "utf-8")
    wide_characters = len(content) - len(damaged.text)  # bytes beyond one per character
    if damaged.replaced <= _MAX_DAMAGED_UTF8_SHARE * wide_characters:
        return damaged
    start = max(0, first_bad - _LEAD_BYTES)
    return _guess(content, bytes(content[start : start + _SAMPLE_BYTES]))


def _guess(content: Content, sample: bytes) -> Decoded | None:
    if _looks_binary(sample):
        return None
    telling = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())
    matches = from_bytes(telling, cp_isolation=_CANDIDATES)
    best = matches.best()
    if best is None:
        return _forgiving(content, _FALLBACK)
    # Matches as good as the best come in alphabetical order; the likelier encoding is wanted.
    equal = {
        encoding
        for match in matches
        if match.chaos <= best.chaos and match.coherence >= best.coherence
        for encoding in match.could_be_from_charset
        if encoding in _CANDIDATES
    }
    return _forgiving(content, min(equal, key=_CANDIDATES.index, default=best.encoding))


def _forgiving(content: Content, encoding: str) -> Decoded:
    text = str(content, encoding, "replace")
    return Decoded(text, encoding.replace("_", "-"), text.count("\ufffd"))


def peek(content: Content, max_bytes: int = _SAMPLE_BYTES) -> str | None:
    """The beginning of a text, of which only the ASCII is sure; None when it is not text.

    For those who look for marks: fast, since no encoding is guessed.
    """
    sample = bytes(content[:max_bytes])
    for mark, encoding in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return str(sample[len(mark) :], encoding, "replace")
    wide = _wide_encoding(sample)
    if wide is not None:
        return str(sample, wide, "replace")
    return None if _looks_binary(sample) else str(sample, "latin-1")


def _wide_encoding(sample: bytes) -> str | None:
    """UTF-16 without a mark: text has NUL in every other byte and hardly any elsewhere."""
    units = len(sample) // 2
    if units < 2 or b"\x00" not in sample:  # noqa: PLR2004 # one unit is no pattern
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd >= _WIDE_NUL_SHARE * units and even <= odd // 10:
        encoding = "utf-16-le"
    elif even >= _WIDE_NUL_SHARE * units and odd <= even // 10:
        encoding = "utf-16-be"
    else:
        return None
    narrow = str(sample, encoding, "replace").encode("latin-1", "replace")
    return None if len(_CONTROLS.findall(narrow)) > _MAX_CONTROL_SHARE * units else encoding


def _looks_binary(sample: bytes) -> bool:
    if b"\x00" in sample:
        return True
    return len(_CONTROLS.findall(sample)) > _MAX_CONTROL_SHARE * len(sample)
