"""The text of a paragraph of Word: runs, fields, links, symbols, notes, what is drawn in it."""

import re
from collections.abc import Callable
from typing import Final

from sheaf_orchestrator.extraction.office.inline import Inline
from sheaf_orchestrator.extraction.office.opc import R, Relationships
from sheaf_orchestrator.extraction.office.reading import HIDDEN, Reading
from sheaf_orchestrator.extraction.office.symbols import symbol
from sheaf_orchestrator.extraction.office.wordstyles import W, number, value
from sheaf_orchestrator.extraction.office.xml import Element, local

_DROPPED: Final = frozenset(
    {"del", "moveFrom", "pPr", "rPr", "sdtPr", "sdtEndPr", "rt", "instrText", "delText",
     "delInstrText", "ctrlPr", "fPr", "sSupPr", "sSubPr", "radPr", "naryPr", "dPr", "tblPr"}
)  # fmt: skip
_PLAIN: Final = {
    "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "",
}  # fmt: skip
_URL: Final = re.compile(r'^\s*HYPERLINK\s+(?:"([^"]*)"|([^\\"\s]\S*))', re.IGNORECASE)
_MAX_INSTRUCTION: Final = 4_096
_MAX_FIELDS: Final = 64
_OFF: Final = frozenset({"0", "false", "off"})


class _Field:
    """A field or link that is open: its instruction, then its result."""

    def __init__(self, url: str | None = None, *, shown: bool = False) -> None:
        self.instruction = ""
        self.shown = shown
        self.url = url
        self.parts: list[str] = []
        self.entry: str | None = None


class Runs:
    """Reads the runs of one part after the other; a field may go on over paragraphs."""

    def __init__(self, reading: Reading, relations: Relationships) -> None:
        self._reading, self._relations = reading, relations
        self._fields: list[_Field] = []
        self._inline = Inline()
        self.boxes: list[Element] = []
        """Text boxes met in the paragraph, for after it."""
        self.drawn: list[tuple[str, str]] = []
        """Kind and relationship id of the charts and diagrams met in it."""
        self.notes: dict[tuple[str, str], str] = {}
        """Labels of the footnotes and endnotes referred to, by kind and id."""
        self._readers: dict[str, Callable[[Element], None]] = {
            "r": self._run,
            "t": lambda element: self._add(element.text),
            "fldChar": self._field_mark,
            "fldSimple": self._simple_field,
            "hyperlink": self._hyperlink,
            "sym": self._symbol,
            "footnoteReference": lambda element: self._note("footnote", element),
            "endnoteReference": lambda element: self._note("endnote", element),
            "txbxContent": self.boxes.append,
            "AlternateContent": self._alternate,
            "textpath": lambda element: self._add(element.get("string")),
            "f": self._fraction,
            "chart": lambda element: self.drawn.append(("chart", element.get(R + "id", ""))),
            "relIds": lambda element: self.drawn.append(("diagram", element.get(R + "dm", ""))),
        }

    def read(self, paragraph: Element, inline: Inline) -> None:
        """Put the paragraph's text into ``inline``."""
        self._inline = inline
        self._walk(paragraph)
        for field in self._fields:
            self._close_link(field)

    def _walk(self, element: Element) -> None:
        for child in element:
            name = local(child)
            if name in _PLAIN:
                self._add(_PLAIN[name])
            elif (reader := self._readers.get(name)) is not None:
                reader(child)
            elif name == "instrText" and self._fields:
                field = self._fields[-1]
                field.instruction = (field.instruction + (child.text or ""))[:_MAX_INSTRUCTION]
            elif name not in _DROPPED:
                if name == "sup":
                    self._add("^")
                elif name == "sub" and local(element).startswith("sS"):
                    self._add("_")
                self._walk(child)

    def _add(self, text: str | None) -> None:
        if not text or any(not field.shown for field in self._fields):
            return
        for field in reversed(self._fields):
            if field.url:
                field.parts.append(text)
                return
        self._inline.add(text)

    def _run(self, run: Element) -> None:
        properties = run.find(W + "rPr")
        vanish = None if properties is None else properties.find(W + "vanish")
        if vanish is not None and vanish.get(W + "val") not in _OFF:
            self._reading.once(HIDDEN, "Some text of the document is hidden in it.")
        self._walk(run)

    def _field_mark(self, mark: Element) -> None:
        kind = mark.get(W + "fldCharType")
        if kind == "begin":
            if len(self._fields) < _MAX_FIELDS:
                field = _Field()
                field.entry = _form_entry(mark.find(W + "ffData"))
                self._fields.append(field)
        elif not self._fields:
            return
        elif kind == "separate":
            field = self._fields[-1]
            field.shown = True
            if match := _URL.match(field.instruction):
                field.url = (match[1] or match[2]).replace("\\\\", "\\")
        elif kind == "end":
            field = self._fields.pop()
            self._close_link(field)
            if field.entry is not None:
                self._add(field.entry)

    def _close_link(self, field: _Field) -> None:
        text, field.parts = "".join(field.parts), []
        if field.url and text:
            self._inline.link(text, field.url)
            self._reading.composer.link(field.url, text)

    def _simple_field(self, element: Element) -> None:
        match = _URL.match(element.get(W + "instr", "")[:_MAX_INSTRUCTION])
        self._linked(element, (match[1] or match[2]) if match else None)

    def _hyperlink(self, element: Element) -> None:
        relation = self._relations.get(element.get(R + "id", ""))
        self._linked(element, relation.target if relation and relation.external else None)

    def _linked(self, element: Element, url: str | None) -> None:
        if len(self._fields) >= _MAX_FIELDS or any(not field.shown for field in self._fields):
            self._walk(element)
            return
        field = _Field(url, shown=True)
        self._fields.append(field)
        self._walk(element)
        if field in self._fields:
            self._fields.remove(field)
        self._close_link(field)

    def _symbol(self, element: Element) -> None:
        try:
            code = int(element.get(W + "char", "")[:8], 16)
        except ValueError:
            return
        self._add(symbol(element.get(W + "font", ""), code))

    def _note(self, kind: str, element: Element) -> None:
        key = (kind, element.get(W + "id", ""))
        if any(not field.shown for field in self._fields):
            return
        label = self.notes.setdefault(key, str(len(self.notes) + 1))
        self._inline.note(label)

    def _alternate(self, element: Element) -> None:
        """The first choice; the fallback holds the same for older programs."""
        for child in element:
            if local(child) == "Choice":
                self._walk(child)
                return
        self._walk(element)

    def _fraction(self, element: Element) -> None:
        for index, child in enumerate(child for child in element if local(child) != "fPr"):
            if index:
                self._add("/")
            self._walk(child)


def _form_entry(entry: Element | None) -> str | None:
    """What a checkbox or a drop-down field of a form shows, which is not in its text."""
    if entry is None:
        return None
    box = entry.find(W + "checkBox")
    if box is not None:
        checked = box.find(W + "checked")
        if checked is None:
            checked = box.find(W + "default")
        ticked = checked is not None and checked.get(W + "val") not in _OFF
        return "\u2612" if ticked else "\u2610"
    choices = entry.find(W + "ddList")
    if choices is not None:
        entries = choices.findall(W + "listEntry")
        chosen = number(value(choices, "result") or value(choices, "default"))
        return entries[chosen].get(W + "val") if 0 <= chosen < len(entries) else None
    return None
