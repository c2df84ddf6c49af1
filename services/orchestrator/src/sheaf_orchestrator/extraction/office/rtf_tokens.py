"""RTF cut into tokens, and its character sets (RTF 1.9.1)."""

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    rb"\\([A-Za-z]{1,32})(-?\d{1,10})? ?|\\'([0-9A-Fa-f]{2})|\\([^A-Za-z'])|([{}])"
    rb"|([^\\{}\r\n]+)|[\r\n]+|\\'?",
    re.DOTALL,
)
WORD, BYTE, SYMBOL, BRACE, TEXT = range(1, 6)

CHARSETS: Final = {
    0: "cp1252", 77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "cp936",
    136: "cp950", 161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
    186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437", 255: "cp850",
}  # fmt: skip
SYMBOL_CHARSET: Final = 2
CHARACTERS: Final = {
    "tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "\u2013", "bullet": "•",
    "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d",
    "emspace": " ", "enspace": " ", "qmspace": " ",
}  # fmt: skip
_SYMBOLS: Final = {b"~": "\u00a0", b"_": "-", b"-": "", b"{": "{", b"}": "}", b"\\": "\\"}


class Token(NamedTuple):
    """A control word with its number, a byte, a character, a brace, or text."""

    kind: int
    word: str = ""
    number: int | None = None
    data: bytes = b""


def tokens(content: bytearray | bytes) -> Iterator[Token]:  # noqa: C901 # one branch for each kind
    r"""The tokens in order; what follows ``\bin`` is skipped."""
    at, end = 0, len(content)
    while at < end:
        match = _TOKEN.match(content, at)
        if match is None:
            at += 1
            continue
        at = match.end()
        word, number, byte, sign, brace, text = match.groups()
        if word is not None:
            value = None if number is None else int(number)
            if word == b"bin":
                at += max(value or 0, 0)
                continue
            yield Token(WORD, word.decode("ascii"), value)
        elif text is not None:
            yield Token(TEXT, data=text)
        elif byte is not None:
            yield Token(BYTE, data=bytes.fromhex(byte.decode("ascii")))
        elif brace is not None:
            yield Token(BRACE, data=brace)
        elif sign is not None:
            if sign in b"\r\n":
                yield Token(WORD, "par")
            elif sign == b"*":
                yield Token(SYMBOL, "*")
            elif sign in _SYMBOLS:
                yield Token(SYMBOL, _SYMBOLS[sign])


def code_page(number: int) -> str | None:
    """The name of a code page, if it is known."""
    if number in {65001, 10000}:
        return "utf-8" if number == 65001 else "mac_roman"  # noqa: PLR2004 # UTF-8
    name = f"cp{number}"
    try:
        codecs.lookup(name)
    except LookupError:
        return None
    return name
