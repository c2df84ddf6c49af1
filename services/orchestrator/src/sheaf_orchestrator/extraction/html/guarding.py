"""What an HTML text must not have, because the parser would take for ever or too much memory.

The parser compares each attribute of a tag with all before it, each new name with all known ones,
and walks up open elements: 30,000 attributes take seconds, 300,000 minutes. A node takes some
hundred bytes. A text that the rules here misread still meets the limits of the subprocess.
"""

import re
from itertools import islice
from typing import Final

_MAX_TAG_CHARACTERS: Final = 1_500
"""Only a tag this long is looked at closer: it may be a picture in a ``data:`` address."""
_MAX_ATTRIBUTES: Final = 500
_MAX_TAGS: Final = 1_000_000
_MAX_NAMES: Final = 10_000
_MAX_DEPTH: Final = 5_000
MAX_BYTES: Final = 32 * 1024 * 1024
"""What is read of a file; the rest is left out."""

_VALUE: Final = r"""\s*+=\s*+(?:"[^"]*+"?|'[^']*+'?|[^\s>"'][^\s>]*+)?+"""
_NAME: Final = r"(?:=[^\s/>=]*+|[^\s/>=]++)"
_ATTRIBUTE: Final = rf"{_NAME}(?:{_VALUE})?+"
_TAG: Final = re.compile(
    rf"<!--.*?(?:-->|\Z)|</?([a-zA-Z][^\s/>]*+)(?:[\s/]++|{_ATTRIBUTE})*+", re.DOTALL
)
"""Comments and tags, as the tokenizer of WHATWG HTML 13.2.5 sees them, nearly."""
_COUNTED: Final = re.compile(rf"({_NAME})(?:{_VALUE})?+")
_RAW: Final = {
    name: re.compile(f"</{name}", re.IGNORECASE)
    for name in ("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes")
}
"""Elements whose content holds no tags, and what ends them."""
_SEPARATORS: Final = (" ", "\n", "\t", "\r", "\f", "/", '"', "'")
_FEW_SEPARATORS: Final = 8_000
"""With no more in the whole text, no tag has attributes that matter."""
_MANY_SEPARATORS: Final = 60_000
"""With no more, there are no names of attributes that matter."""
_FEW_TAGS: Final = 15_000
"""With no more, neither their names nor their depth matter."""
_UNNESTED: Final = frozenset(
    {
        *("area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr"),
        *("html", "img", "input", "li", "link", "meta", "optgroup", "option", "p", "param"),
        *("source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr"),
    }
)
"""Elements that are empty, or end where the next of them begins."""


def guarded(text: str) -> tuple[str, str | None]:
    """The text that may be parsed, and what was left out of it, if anything was."""
    notes: list[str] = []
    tags = text.count("<")
    if tags > _MAX_TAGS:
        text = _until(text, _MAX_TAGS)
        notes.append(f"Only the first {_MAX_TAGS} tags were read.")
    separators = sum(map(text.count, _SEPARATORS))
    if tags > _FEW_TAGS or separators > _FEW_SEPARATORS:
        inspection = _Inspection(text, names_too=separators > _MANY_SEPARATORS)
        text = inspection.run()
        notes += inspection.notes
    return text, " ".join(notes) or None


def _until(text: str, count: int) -> str:
    for number, match in enumerate(re.finditer("<", text)):
        if number == count:
            return text[: match.start()]
    return text


class _Inspection:
    """Looks at every tag once."""

    def __init__(self, text: str, *, names_too: bool) -> None:
        self._text, self._names_too = text, names_too
        self._names: set[str] = set()
        self._depth = self._bared = 0
        self.notes: list[str] = []

    def run(self) -> str:
        """The text, tags of too many attributes made bare, cut where it becomes unreadable."""
        text = self._text
        pieces: list[str] = []
        done = position = 0
        while (tag := _TAG.search(text, position)) is not None:
            position, name = tag.end(), tag[1]
            if name is None:
                continue  # a comment
            name = name.lower()
            if (trouble := self._count(name, tag)) is not None:
                self.notes.append(trouble)
                text = text[: tag.start()]
                break
            long = position - tag.start() > _MAX_TAG_CHARACTERS
            if long and _is_flood(text, tag.end(1), position):
                pieces.append(text[done : tag.end(1)])
                done = position
                self._bared += 1
            if (closing := _RAW.get(name)) is not None and text[tag.start() + 1] != "/":
                found = closing.search(text, position)
                position = found.start() if found else len(text)
        if self._bared:
            self.notes.append(
                f"{self._bared} tags of over {_MAX_ATTRIBUTES} attributes were read without them."
            )
        return "".join([*pieces, text[done:]])

    def _count(self, name: str, tag: re.Match[str]) -> str | None:
        """What is wrong with the text from this tag on, if anything is."""
        self._names.add(name)
        if self._names_too:
            attributes = _COUNTED.findall(self._text, tag.end(1), tag.end())
            self._names.update(attributes[:_MAX_ATTRIBUTES])
        if len(self._names) > _MAX_NAMES:
            return f"The page has over {_MAX_NAMES} names of tags and attributes; it was cut there."
        if name not in _UNNESTED:
            opens = self._text[tag.start() + 1] != "/"
            self._depth = self._depth + 1 if opens else max(0, self._depth - 1)
        if self._depth > _MAX_DEPTH:
            return f"The page nests over {_MAX_DEPTH} deep; it was cut there."
        return None


def _is_flood(text: str, begin: int, end: int) -> bool:
    attributes = _COUNTED.finditer(text, begin, end)
    return sum(1 for _ in islice(attributes, _MAX_ATTRIBUTES)) == _MAX_ATTRIBUTES
