"""RTF: one part, with headings, lists, tables and notes."""

import re
from dataclasses import replace
from typing import Final

import msgspec

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.rtf_flow import Flow, Format
from sheaf_orchestrator.extraction.office.rtf_groups import (
    COLLECTED,
    FLOWS,
    SKIPPED,
    TABLES,
    THROUGH,
    Font,
    Group,
)
from sheaf_orchestrator.extraction.office.rtf_sides import Sides
from sheaf_orchestrator.extraction.office.rtf_tokens import (
    BRACE,
    BYTE,
    CHARACTERS,
    CHARSETS,
    SYMBOL,
    SYMBOL_CHARSET,
    TEXT,
    WORD,
    Token,
    code_page,
    tokens,
)
from sheaf_orchestrator.extraction.office.symbols import symbol
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.reasons import Reason
from sheaf_orchestrator.extraction.result import Extracted

_HEAD_BYTES: Final = 1_024
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_OPENINGS: Final = (b"{\\", b"{{\\")
"""How RTF begins; some programs leave out its header."""
_MAX_DEPTH: Final = 2_000
_MAX_COLLECTED: Final = 4_096
_MAX_FLOWS: Final = 16
_MAX_FONTS: Final = 10_000
_HEADING: Final = re.compile(r"heading\s*([1-9])", re.IGNORECASE)
_URL: Final = re.compile(r'^\s*HYPERLINK\s+(?:"([^"]*)"|([^\\"\s]\S*))', re.IGNORECASE)


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """The text as shown, in whatever character sets its fonts have.

    Raises ExtractionError: EMPTY, DAMAGED.
    """
    del options  # it has neither boxes nor pages to draw
    if not len(content):
        raise ExtractionError(Reason.EMPTY, "The file has no bytes.")
    head = content[:_HEAD_BYTES].lstrip(_BLANK)
    if not head.startswith(_OPENINGS):
        raise ExtractionError(Reason.DAMAGED, "The document is damaged: it is no RTF.")
    reading = Reading(limits)
    reader = _Reader(reading)
    reading.composer.begin()
    reader.read(content)
    metadata = reader.sides.metadata()
    extracted = reading.finish("part", metadata)
    name = metadata.title
    extracted.pages = [msgspec.structs.replace(page, name=name) for page in extracted.pages]
    return extracted


class _Reader:
    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._fonts: dict[int, Font] = {}
        self._levels: dict[int, int] = {}
        self._encoding = "cp1252"
        self._body = Flow(reading, self._levels, body=True)
        self._flows = [self._body]
        self._groups = [Group()]
        self._bytes = bytearray()
        self._bytes_encoding = ""
        self._collected: list[list[str]] = []
        self.sides = Sides(reading)
        self._url = ""
        self._star = False
        self._skip = 0
        self._head_row = False
        self._style = 0
        self._default_font = -1

    def read(self, content: bytearray) -> None:
        """Read the tokens; raises ExtractionError DAMAGED for groups that never end."""
        for token in tokens(content):
            if token.kind == BRACE:
                self._brace(token.data)
            elif self._skip and token.kind in {BYTE, WORD, SYMBOL, TEXT}:
                self._skip_characters(token)
            else:
                self._token(token)
            if self._reading.done:
                break
        self._flush()
        while len(self._flows) > 1:
            self.sides.close("box", self._flows.pop())
        self._body.finish(self._groups[-1].form)
        self.sides.compose()

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._skip, self._star = 0, False
        if brace == b"{":
            if len(self._groups) >= _MAX_DEPTH:
                raise ExtractionError(Reason.DAMAGED, "The RTF is damaged: it is nested too deep.")
            outer = self._groups[-1]
            self._groups.append(replace(outer, opens=""))
            if outer.opens == "upr":  # it says all again in Unicode, in its second group
                outer.opens, self._groups[-1].target = "", "skip"
        elif len(self._groups) > 1:
            group = self._groups.pop()
            if group.opens:
                self._close(group)

    def _skip_characters(self, token: Token) -> None:
        """Skip what stands for a Unicode character in programs that know none."""
        if token.kind == TEXT and len(token.data) > self._skip:
            rest, self._skip = token.data[self._skip :], 0
            self._token(Token(TEXT, data=rest))
        elif token.kind == WORD and (token.word in {"u", "uc"} or token.word in CHARACTERS):
            self._skip = 0
            self._token(token)
        elif token.kind == WORD:
            self._token(token)
        else:
            self._skip = max(self._skip - max(len(token.data), 1), 0)

    def _token(self, token: Token) -> None:
        if token.kind == WORD:
            self._word(token.word, token.number)
        elif token.kind == SYMBOL:
            if token.word == "*":
                self._star = True
            else:
                self._add(token.word)
        elif self._groups[-1].target != "skip":
            self._take_bytes(token.data)

    def _take_bytes(self, data: bytes) -> None:
        group = self._groups[-1]
        font = self._fonts.get(group.font)
        if font is not None and font.charset == SYMBOL_CHARSET and group.target != "fonttbl":
            self._add("".join(symbol(font.name, code) for code in data))
            return
        encoding = self._encoding
        if font is not None and group.target != "fonttbl":
            encoding = CHARSETS.get(font.charset, encoding)
        if encoding != self._bytes_encoding:
            self._flush()
            self._bytes_encoding = encoding
        self._bytes += data

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._bytes_encoding, "replace")
            self._bytes.clear()
            self._put(text)

    def _add(self, text: str) -> None:
        self._flush()
        if text:
            self._put(text)

    def _put(self, text: str) -> None:
        group = self._groups[-1]
        if group.target == "text":
            if group.deleted:
                return
            if group.hidden:
                self._reading.once(HIDDEN, "Some text of the document is hidden in it.")
            self._flows[-1].add(text)
        elif group.target == "collect":
            self._collected[-1].append(text)
        elif group.target == "fonttbl":
            font = self._fonts.get(group.font)
            if font is not None:
                font.name = (font.name + text.replace(";", ""))[:100]
        elif group.target == "stylesheet":
            name = text.rstrip(";").strip()
            if match := _HEADING.fullmatch(name):
                self._levels[self._style] = int(match[1])
            elif name.lower() == "title":
                self._levels[self._style] = 1

    def _word(self, word: str, number: int | None) -> None:  # noqa: C901, PLR0912 # one a word
        group = self._groups[-1]
        if group.target == "skip":
            return
        star, self._star = self._star, False
        if word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif word == "u" and number is not None:
            self._unicode(number % 65_536)
        elif word in FLOWS or word in COLLECTED or word in TABLES or word in SKIPPED:
            self._flush()
            self._open(word)
        elif word == "upr":
            group.opens = "upr"
        elif word == "fldrslt":
            self._flush()
            if group.target == "text":
                self._flows[-1].open_link(self._url)
                group.opens, self._url = "link", ""
        elif star and word not in THROUGH:
            self._flush()
            group.target = "skip"
        elif word == "uc":
            group.unicode_skip = min(max(number or 0, 0), 8)
        elif word == "f":
            self._flush()
            group.font = number or 0
            if group.target == "fonttbl" and len(self._fonts) < _MAX_FONTS:
                self._fonts[group.font] = Font()
        elif word == "fcharset" and group.target == "fonttbl":
            self._fonts.setdefault(group.font, Font()).charset = number or 0
        elif word == "plain":
            self._flush()
            group.font, group.hidden, group.deleted = self._default_font, False, False
        elif word == "deff":
            self._default_font = group.font = number or 0
        elif word in {"v", "deleted"}:
            self._flush()
            setattr(group, "hidden" if word == "v" else "deleted", number != 0)
        elif word == "ansicpg" and number:
            self._encoding = code_page(number) or self._encoding
        elif word in {"mac", "pc", "pca"}:
            self._encoding = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}[word]
        elif word == "deflang" and number:
            self.sides.set_language(number)
        elif word in {"yr", "mo", "dy", "hr", "min", "sec"}:
            self.sides.set_time(word, number or 0)
        else:
            self._layout(word, number, group)

    def _unicode(self, code: int) -> None:
        group = self._groups[-1]
        font = self._fonts.get(group.font)
        if 0xF000 <= code < 0xF100:  # noqa: PLR2004 # codes of symbol fonts
            self._add(symbol(font.name if font is not None else "", code))
        else:
            self._add(chr(code))
        self._skip = group.unicode_skip

    def _layout(self, word: str, number: int | None, group: Group) -> None:  # noqa: C901, PLR0912 # one a word
        if group.target == "stylesheet":
            if word == "s":
                self._style = number or 0
            elif word == "outlinelevel" and number is not None and 0 <= number < 9:  # noqa: PLR2004 # headings
                self._levels.setdefault(self._style, number + 1)
            return
        if group.target != "text":
            return
        flow = self._flows[-1]
        if word in {"par", "sect", "page"}:
            self._flush()
            flow.end_paragraph(group.form)
        elif word in {"cell", "nestcell"}:
            self._flush()
            if word == "cell":
                flow.end_cell()
            else:
                flow.end_paragraph(group.form._replace(in_table=True))
        elif word == "row":
            flow.end_row(head=self._head_row)
        elif word == "trowd":
            self._head_row = False
        elif word == "trhdr":
            self._head_row = True
        elif word == "pard":
            group.form = Format()
        elif word == "intbl":
            group.form = group.form._replace(in_table=True)
        elif word == "s":
            group.form = group.form._replace(style=number or 0)
        elif word == "outlinelevel":
            group.form = group.form._replace(outline=max(number or 0, 0))
        elif word == "ilvl":
            group.form = group.form._replace(depth=min(max(number or 0, 0), 8))

    def _open(self, word: str) -> None:
        """A destination begins: the group is read in another way."""
        group = self._groups[-1]
        if group.opens and (word in FLOWS or word in COLLECTED):
            group.target = "skip"  # a group is one thing
        elif word in FLOWS:
            if group.target == "text" and len(self._flows) < _MAX_FLOWS:
                group.opens = FLOWS[word]
                group.form = Format()
                if group.opens == "footnote":
                    self._flows[-1].note(self.sides.open_note())
                self._flows.append(Flow(self._reading, {}, body=False))
            else:
                group.target = "skip"
        elif word in COLLECTED:
            self.sides.begin(word)
            group.target, group.opens = "collect", word
            self._collected.append([])
        elif word in TABLES:
            group.target = word
        else:
            group.target = "skip"

    def _close(self, group: Group) -> None:
        if group.opens == "link":
            self._flows[-1].close_link()
        elif group.opens in COLLECTED:
            self._collect(group.opens, "".join(self._collected.pop()))
        elif group.opens in {"footnote", "annotation", "box", "header", "footer"}:
            self.sides.close(group.opens, self._flows.pop())

    def _collect(self, name: str, text: str) -> None:
        if name == "fldinst":
            match = _URL.match(text[:_MAX_COLLECTED])
            self._url = (match[1] or match[2]).replace("\\\\", "\\") if match else ""
        elif name in {"listtext", "pntext"}:
            self._flows[-1].label = text.strip()[:100]
        else:
            self.sides.take(name, text)
