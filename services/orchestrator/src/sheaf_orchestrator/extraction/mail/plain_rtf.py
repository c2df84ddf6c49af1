"""The text of an RTF body, and the HTML that Outlook hides in one ([MS-OXRTFEX])."""

import codecs
import re
from typing import Final

_TOKEN: Final = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n]+|([^\\{}\r\n]+)",
    re.DOTALL,
)
_SILENT: Final = frozenset(
    {
        *(b"fonttbl", b"colortbl", b"stylesheet", b"info", b"pict", b"object", b"generator"),
        *(b"header", b"footer", b"listtable", b"listoverridetable", b"themedata", b"xmlnstbl"),
    }
)
_BREAKS: Final = {b"par": "\n", b"line": "\n", b"tab": "\t", b"row": "\n", b"cell": "\t",
                  b"emdash": "\u2014", b"endash": "\u2013", b"lquote": "\u2018",
                  b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d",
                  b"bullet": "\u2022"}  # fmt: skip
_MAX_DEPTH: Final = 1_000
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def read(rtf: bytes) -> tuple[str, bool]:
    """The text, and whether it is HTML."""
    is_html = b"\\fromhtml1" in rtf[:512]
    return _Reader(is_html=is_html).read(rtf), is_html


class _Reader:
    def __init__(self, *, is_html: bool) -> None:
        self._is_html = is_html
        self._out: list[str] = []
        self._bytes = bytearray()
        self._encoding = "cp1252"
        self._skip = 0
        # Of the group: whether it is silent, and bytes that stand in for a Unicode character.
        self._silent, self._stand_ins = False, 1
        self._above: list[tuple[bool, int]] = []
        self._rtf_only = False

    def read(self, rtf: bytes) -> str:
        for token in _TOKEN.finditer(rtf):
            word, number, code, sign, brace, text = token.groups()
            if word is not None:
                self._word(word, int(number) if number is not None else None)
            elif code is not None:
                self._take(bytes([int(code, 16)]))
            elif sign is not None:
                self._sign(sign)
            elif brace == b"{" and len(self._above) < _MAX_DEPTH:
                self._above.append((self._silent, self._stand_ins))
            elif brace == b"}" and self._above:
                self._flush()
                self._silent, self._stand_ins = self._above.pop()
            elif text is not None:
                self._take(text)
        self._flush()
        return _SURROGATES.sub("", "".join(self._out))

    def _word(self, word: bytes, number: int | None) -> None:
        if word == b"htmlrtf":
            self._rtf_only = self._is_html and number != 0
        elif word == b"htmltag":
            self._silent = False
        elif word in _SILENT:
            self._silent = True
        elif word == b"ansicpg" and number:
            self._encoding = _known(f"cp{number}" if number != 65001 else "utf-8")  # noqa: PLR2004
        elif word == b"uc" and number is not None:
            self._stand_ins = min(number, 8)
        elif word == b"u" and number is not None:
            self._say(chr(number % 0x10000))
            self._skip = self._stand_ins
        elif word in _BREAKS:
            self._say(_BREAKS[word])

    def _sign(self, sign: bytes) -> None:
        if sign == b"*":
            self._silent = True  # a group that only those who know it read
        elif sign in b"\\{}":
            self._take(sign)
        elif sign == b"~":
            self._say(" ")
        elif sign == b"_":
            self._say("-")

    def _say(self, text: str) -> None:
        if not self._silent and not self._rtf_only:
            self._flush()
            self._out.append(text)

    def _take(self, content: bytes) -> None:
        if self._skip:
            dropped = min(self._skip, len(content))
            self._skip -= dropped
            content = content[dropped:]
        if not self._silent and not self._rtf_only:
            self._bytes += content

    def _flush(self) -> None:
        if self._bytes:
            self._out.append(str(self._bytes, self._encoding, "replace"))
            self._bytes.clear()


def _known(encoding: str) -> str:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return "cp1252"
    return encoding
