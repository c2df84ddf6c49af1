"""The form of a document: its fields with their values, read by pikepdf.

pdfium tells a field's value only with its form environment, in which some files loop for ever.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pikepdf

from sheaf_orchestrator.extraction.cleaning import clean_text
from sheaf_orchestrator.extraction.pdf.pdfium import Content, Rect
from sheaf_orchestrator.extraction.pdf.qpdf import UNREADABLE, open_pdf
from sheaf_orchestrator.extraction.result import FormField

_MAX_DEPTH = 32
_MAX_CHARACTERS = 100_000
_NAME_CHARACTERS = 1_000
_PUSH_BUTTON, _RADIO, _PASSWORD = 1 << 16, 1 << 15, 1 << 13
_HIDDEN = (1 << 1) | (1 << 5)
"""The flags Hidden and NoView."""
_OFF: Final = "Off"
_NOWHERE: Final = (0.0, 0.0, 0.0, 0.0)
_DIRECT: Final = (0, 0)
"""The number of an object that is part of another."""
_KINDS: Final = {"/Tx": "text", "/Btn": "checkbox", "/Ch": "choice", "/Sig": "signature"}


class Widget(NamedTuple):
    """A place on a page where a field shows its value."""

    kind: str
    """As ``FormField.kind``, or ``button`` for what is only pressed."""
    value: str | None
    """The field's value as shown; of a checkbox or radio button, its state when it is on."""
    rect: Rect
    """Known only of what shows something."""
    has_drawing: bool
    """Whether the file holds a picture of what it shows."""
    is_up_to_date: bool
    """Whether that is its value."""
    hidden: bool

    @property
    def shows(self) -> bool:
        """Whether it shows anything: a value, or the caption of a button."""
        return self.rect != _NOWHERE


class _Field:
    """A node of the tree of fields, with what it has from the nodes above."""

    __slots__ = ("_above", "_keys", "_node", "kind", "name", "value")

    def __init__(self, node: Any, above: "_Field | None") -> None:
        self._node, self._above = node, above
        self.name: str
        self.kind: str
        self.value: Any
        # Asked first: a key that is not there costs five times what one costs that is.
        self._keys = node.keys()
        self.name = self._name(above.name if above else "")
        self.value = self.own("/V", above.value if above else None)
        name = self.own("/FT")
        if name is None:
            self.kind = above.kind if above else "text"
        elif name == "/Btn":
            self.kind = self._button()
        else:
            self.kind = _KINDS.get(str(name), "text")

    def own(self, key: str, default: Any = None) -> Any:
        """An entry of the node itself."""
        return self._node.get(key) if key in self._keys else default

    def inherited(self, key: str) -> Any:
        """An entry of the nearest node that has it."""
        if key in self._keys:
            return self._node.get(key)
        return self._above.inherited(key) if self._above else None

    def has(self, key: str) -> bool:
        """Whether the node itself has an entry."""
        return key in self._keys

    @property
    def flags(self) -> int:
        """What ``/Ff`` says."""
        return int(self.inherited("/Ff") or 0)

    def _name(self, above: str) -> str:
        title = self.own("/T")
        if title is None:
            return above
        own = clean_text(str(title)[:_NAME_CHARACTERS])
        return f"{above}.{own}"[-_NAME_CHARACTERS:] if above else own

    def _button(self) -> str:
        flags = self.flags
        return "button" if flags & _PUSH_BUTTON else "radio" if flags & _RADIO else "checkbox"


def open_form(content: Content, password: bytes | None, limit: int) -> "Form | None":
    """The form, of which at most ``limit`` widgets are read; None if pikepdf cannot read it."""
    try:
        return Form(open_pdf(content, password), limit)
    except UNREADABLE:
        return None


class Form:
    """The form of an open document; ``close`` it."""

    failed = False
    """Whether some of it could not be read."""

    def __init__(self, pdf: pikepdf.Pdf, limit: int) -> None:
        self._pdf, self._left = pdf, limit
        self._parents: dict[tuple[int, int], _Field] = {}
        self._fields: dict[str, FormField] = {}
        self._stale = bool(pdf.Root.AcroForm.get("/NeedAppearances", False))

    def close(self) -> None:
        """Give its memory back."""
        self._pdf.close()

    @property
    def fields(self) -> list[FormField]:
        """The fields of the pages that were read, in the order of their first widget."""
        return list(self._fields.values())

    def widgets(self, index: int) -> list[Widget | None]:
        """The annotations of page ``index`` (from 0), in order; None for what is no widget.

        Empty if they cannot be read, or are more than the limit.
        """
        found: list[Widget | None] = []
        try:
            found += self._widgets(index)
        except UNREADABLE:
            self.failed = True
            return []
        return found

    def _widgets(self, index: int) -> Iterator[Widget | None]:
        annotations = self._pdf.pages[index].obj.get("/Annots") or ()
        if len(annotations) > self._left:
            self.failed = True
            return
        self._left -= len(annotations)
        for annotation in annotations:
            if annotation.get("/Subtype") != "/Widget":
                yield None
                continue
            field = self._field(annotation, 0)
            value = _value(field)
            if field.kind != "button":
                self._note(field.name, field.kind, value, index + 1)
            shows = value is not None or field.kind in {"button", "signature"}
            yield Widget(
                kind=field.kind,
                value=value,
                rect=_rect(field) if shows else _NOWHERE,
                has_drawing=shows and field.has("/AP"),
                is_up_to_date=not self._stale,
                hidden=shows and bool(int(field.own("/F", 0)) & _HIDDEN),
            )

    def _field(self, node: Any, depth: int) -> _Field:
        known = node.objgen if depth else _DIRECT
        if known in self._parents:
            return self._parents[known]
        parent = node.get("/Parent") if depth < _MAX_DEPTH and "/Parent" in node else None
        field = _Field(node, None if parent is None else self._field(parent, depth + 1))
        if known != _DIRECT:
            self._parents[known] = field
        return field

    def _note(self, name: str, kind: str, value: str | None, page: int) -> None:
        known = self._fields.get(name)
        if known is None or (known.value is None and value is not None):
            self._fields[name] = FormField(name=name, kind=kind, value=value, page=page)


def _rect(field: _Field) -> Rect:
    numbers = [float(each) for each in field.own("/Rect", ())]
    if len(numbers) != 4:  # noqa: PLR2004 # a rectangle
        return _NOWHERE
    x0, y0, x1, y1 = numbers
    return (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _value(field: _Field) -> str | None:
    if field.kind in {"checkbox", "radio"}:
        state = _text(field.own("/AS", field.value)).removeprefix("/")
        return None if state in {"", _OFF} else _option(field, state)
    if field.value is None or field.kind == "button":
        return None
    if field.kind == "signature":
        return _signer(field.value)
    if field.kind == "text" and field.flags & _PASSWORD:
        return None
    if isinstance(field.value, pikepdf.Array):
        values = [_text(each) for each in list(field.value)[:_NAME_CHARACTERS]]
    else:
        values = [_text(field.value)]
    if field.kind == "choice":
        values = [_shown(field, value) for value in values]
    return clean_text(", ".join(values)) or None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, pikepdf.Stream):
        return bytes(value.read_bytes()).decode("utf-8", "replace")[:_MAX_CHARACTERS]
    if isinstance(value, (pikepdf.Array, pikepdf.Dictionary)):
        return ""
    return str(value)[:_MAX_CHARACTERS]


def _option(field: _Field, state: str) -> str:
    """The name of a button's state: where states are numbers, what the field calls them."""
    options = field.inherited("/Opt") if state.isdecimal() else None
    if isinstance(options, pikepdf.Array) and int(state[:6]) < len(options):
        return clean_text(_text(options[int(state[:6])])) or state
    return clean_text(state)


def _shown(field: _Field, value: str) -> str:
    """The words that a choice shows for a value."""
    options = field.inherited("/Opt")
    if isinstance(options, pikepdf.Array):
        for option in list(options)[:_NAME_CHARACTERS]:
            if isinstance(option, pikepdf.Array) and len(option) > 1 and _text(option[0]) == value:
                return _text(option[1])
    return value


def _signer(value: Any) -> str | None:
    if not isinstance(value, pikepdf.Dictionary):
        return None
    return clean_text(_text(value.get("/Name"))) or "signed"
