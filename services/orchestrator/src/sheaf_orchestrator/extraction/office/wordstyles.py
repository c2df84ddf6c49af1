"""What makes a paragraph of Word a heading or an item of a list."""

import re
from itertools import islice
from typing import Final, NamedTuple

from sheaf_orchestrator.extraction.office.xml import Element, local

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING: Final = re.compile(r"heading\s*([1-9])", re.IGNORECASE)
_CHAIN: Final = 16
_BODY_LEVEL: Final = 9
_MAX_STYLES: Final = 20_000
_LEVELS: Final = 9
_SIMPLE: Final = re.compile(r"%\d[.)]?")
_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_ROMAN_BELOW: Final = 4000


class NumPr(NamedTuple):
    """Which list a paragraph belongs to, and how deep."""

    list_id: str | None
    depth: int | None


class Label(NamedTuple):
    """What stands before an item of a list."""

    depth: int
    number: int | None
    """Of an item that is plainly numbered; None for others."""
    text: str
    """As shown, e.g. ``2.1``, ``(a)``; empty for a bullet."""


def value(parent: Element | None, name: str) -> str | None:
    """The ``w:val`` of a child, if there is one."""
    child = None if parent is None else parent.find(W + name)
    if child is None:
        return None
    found: str | None = child.get(W + "val")
    return found


def number(text: str | None, default: int = 0) -> int:
    """A decimal of the file; the default for anything else."""
    try:
        return int(text) if text is not None and len(text) < 12 else default  # noqa: PLR2004 # no bignum
    except ValueError:
        return default


def num_pr(properties: Element | None) -> NumPr | None:
    """The list that the properties of a paragraph or style name."""
    listed = None if properties is None else properties.find(W + "numPr")
    if listed is None:
        return None
    depth = value(listed, "ilvl")
    return NumPr(value(listed, "numId"), None if depth is None else number(depth))


class _Style(NamedTuple):
    name: str
    base: str | None
    outline: int | None
    listed: NumPr | None


class Styles:
    """The styles of a document; ``root`` is that of ``styles.xml``."""

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, _Style] = {}
        self.language: str | None = None
        if root is None:
            return
        language = root.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr/{W}lang")
        if language is not None:
            self.language = language.get(W + "val")
        for style in root.iterchildren(W + "style"):
            if style.get(W + "type") == "paragraph" and len(self._styles) < _MAX_STYLES:
                properties = style.find(W + "pPr")
                outline = value(properties, "outlineLvl")
                self._styles[style.get(W + "styleId", "")] = _Style(
                    value(style, "name") or "",
                    value(style, "basedOn"),
                    None if outline is None else number(outline),
                    num_pr(properties),
                )

    def _chain(self, style_id: str | None) -> list[_Style]:
        chain: list[_Style] = []
        while style_id in self._styles and len(chain) < _CHAIN:
            chain.append(self._styles[style_id])
            style_id = chain[-1].base
        return chain

    def level(self, style_id: str | None, outline: str | None) -> int | None:
        """The level of a heading from 1; None for other paragraphs."""
        if outline is not None:
            return number(outline) + 1 if number(outline) < _BODY_LEVEL else None
        for style in self._chain(style_id):
            if match := _HEADING.fullmatch(style.name.strip()):
                return int(match[1])
            if style.name.strip().lower() == "title":
                return 1
            if style.outline is not None:
                return style.outline + 1 if style.outline < _BODY_LEVEL else None
        match = _HEADING.fullmatch(style_id or "")
        return int(match[1]) if match and not self._styles else None

    def listed(self, style_id: str | None) -> NumPr | None:
        """The list that the style puts its paragraphs in."""
        return next((each.listed for each in self._chain(style_id) if each.listed), None)


class Level(NamedTuple):
    """How one depth of a list counts: from where, in which shape, in which text."""

    start: int
    kind: str
    text: str


class Numbering:
    """The lists of a document with their counters; ``root`` is that of ``numbering.xml``."""

    def __init__(self, root: Element | None) -> None:
        self._kinds: dict[str, dict[int, Level]] = {}
        self._lists: dict[str, tuple[str, dict[int, Level]]] = {}
        self._counters: dict[str, list[int | None]] = {}
        self._begun: set[str] = set()
        if root is None:
            return
        for element in root:
            if local(element) == "abstractNum" and len(self._kinds) < _MAX_STYLES:
                levels = {}
                for level in islice(element.iterchildren(W + "lvl"), _LEVELS):
                    levels[number(level.get(W + "ilvl"))] = _level(level)
                self._kinds[element.get(W + "abstractNumId", "")] = levels
            elif local(element) == "num" and len(self._lists) < _MAX_STYLES:
                overrides = {}
                for override in islice(element.iterchildren(W + "lvlOverride"), _LEVELS):
                    depth = number(override.get(W + "ilvl"))
                    level = override.find(W + "lvl")
                    base = self._kinds.get(value(element, "abstractNumId") or "", {}).get(depth)
                    start = value(override, "startOverride")
                    if level is not None:
                        overrides[depth] = _level(level)
                    elif start is not None and base is not None:
                        overrides[depth] = base._replace(start=number(start, 1))
                kind = value(element, "abstractNumId") or ""
                self._lists[element.get(W + "numId", "")] = (kind, overrides)

    def add(self, list_id: str, levels: dict[int, Level]) -> None:
        """A list that is not in XML."""
        self._kinds[list_id] = levels
        self._lists[list_id] = (list_id, {})

    def label(self, listed: NumPr) -> Label | None:
        """Count the next paragraph of a list; None if the list does not exist."""
        if listed.list_id is None or listed.list_id not in self._lists:
            return None
        depth = min(max(listed.depth or 0, 0), _LEVELS - 1)
        kind, overrides = self._lists[listed.list_id]
        levels = {**self._kinds.get(kind, {}), **overrides}
        level = levels.get(depth, Level(1, "bullet", ""))
        counters = self._counters.setdefault(kind, [None] * _LEVELS)
        if overrides and listed.list_id not in self._begun:
            for each in overrides:
                if 0 <= each < _LEVELS:
                    counters[each] = None
        self._begun.add(listed.list_id)
        previous = counters[depth]
        counters[depth] = level.start if previous is None else previous + 1
        counters[depth + 1 :] = [None] * (_LEVELS - depth - 1)
        if level.kind in {"bullet", "none"}:
            return Label(depth, None, "")
        shown = level.text
        for each in range(depth + 1):
            above = levels.get(each, Level(1, "decimal", ""))
            count = counters[each]
            shown = shown.replace(f"%{each + 1}", shape(count or above.start, above.kind))
        plain = level.kind == "decimal" and _SIMPLE.fullmatch(level.text.strip())
        return Label(depth, counters[depth] if plain else None, shown.strip())


def _level(element: Element) -> Level:
    return Level(
        number(value(element, "start"), 1),
        value(element, "numFmt") or "decimal",
        (value(element, "lvlText") or "")[:100],
    )


def shape(count: int, kind: str) -> str:
    """A count as a list shows it: ``4``, ``d``, ``IV``, ``04``."""
    if kind in {"lowerRoman", "upperRoman"} and 0 < count < _ROMAN_BELOW:
        rest, text = count, ""
        for worth, sign in _ROMAN:
            text += sign * (rest // worth)
            rest %= worth
        return text.upper() if kind == "upperRoman" else text
    if kind in {"lowerLetter", "upperLetter"} and 0 < count < _ROMAN_BELOW:
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letter.upper() if kind == "upperLetter" else letter
    return f"{count:02d}" if kind == "decimalZero" else str(count)
