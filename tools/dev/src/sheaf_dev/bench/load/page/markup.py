"""Elements of a page; text and attributes are escaped where they are written."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, tostring

Child = Element | str | float | None
"""None is nothing; a number stands as JSON writes it."""

_NOT_TEXT: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(tag: str, *children: Child, **attributes: str | float) -> Element:
    """An element; `class_` is `class`, `stroke_width` is `stroke-width`."""
    made = Element(tag, {_name(name): _text(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            made.append(child)
        elif child is not None:
            _append_text(made, _text(child))
    return made


def table(columns: Sequence[Child], rows: Iterable[Sequence[Child]]) -> Element:
    """A table; numbers stand right."""
    head = element("tr", *(element("th", column) for column in columns))
    body = (element("tr", *(_cell(value) for value in row)) for row in rows)
    whole = element("table", element("thead", head), element("tbody", *body))
    return element("div", whole, class_="table")


def facts(pairs: Iterable[tuple[str, Child]]) -> Element:
    """A list of names with what is to be said of each."""
    children: list[Element] = []
    for name, value in pairs:
        children += (element("dt", name), element("dd", value))
    return element("dl", *children)


def as_html(root: Element) -> str:
    """The document that `root` is the `html` element of."""
    return "<!doctype html>\n" + tostring(root, encoding="unicode", method="html") + "\n"


def _cell(value: Child) -> Element:
    is_number = isinstance(value, int | float)
    return element("td", value, class_="number") if is_number else element("td", value)


def _name(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _text(value: str | float) -> str:
    """What no document may hold, control characters and halves of pairs, is replaced."""
    return _NOT_TEXT.sub("\ufffd", str(value))


def _append_text(parent: Element, text: str) -> None:
    if len(parent):
        last = parent[-1]
        last.tail = (last.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
