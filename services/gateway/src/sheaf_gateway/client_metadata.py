"""What a client writes on its documents: a JSON object, checked and written compactly. No I/O.

It is kept as it was sent but for the space between its tokens, so numbers, escapes and the order
of members come back unchanged. It is refused where readers would differ about it (RFC 7493).
"""

import json
import math
import re
from typing import Final

from sheaf_common.errors import InvalidInput

MAX_BYTES: Final = 4096
MAX_SENT_BYTES: Final = 16 * 1024
"""With the space between its tokens, before anything of it is looked at."""
MAX_MEMBERS: Final = 64
MAX_DEPTH: Final = 8
METADATA_ALLOWED: Final = (
    f"a JSON object of at most {MAX_BYTES} bytes without the space between its tokens, with at most"
    f" {MAX_MEMBERS} members, nested at most {MAX_DEPTH} deep"
)

_SPACE: Final = re.compile(r"[ \t\n\r]*+")
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?")
_WORD: Final = re.compile(r"true|false|null")


def compact_metadata(content: bytes) -> str:
    """The object without the space that means nothing.

    Raises:
        InvalidInput: `METADATA_INVALID`, which says what is wrong and where, in characters from
            1, and repeats nothing of it.
    """
    if len(content) > MAX_SENT_BYTES:
        raise _invalid(f"it is longer than {MAX_SENT_BYTES} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _invalid(f"byte {error.start + 1} is not UTF-8") from None
    compact = _Reader(text).read()
    size = len(compact.encode())
    if size > MAX_BYTES:
        raise _invalid(f"it has {size} bytes")
    return compact


class _Reader:
    """Reads one text, token by token; calls itself no deeper than objects may be nested."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._kept: list[str] = []

    def read(self) -> str:
        """The whole text as one object."""
        if not self._take("{"):
            raise self._wrong("an object must begin")
        self._object(1)
        self._skip()
        if self._at < len(self._text):
            raise self._wrong("nothing may follow the object")
        return "".join(self._kept)

    def _object(self, depth: int) -> None:
        names: set[str] = set()
        if self._take("}"):
            return
        while True:
            self._skip()
            begin = self._at
            name = self._string()
            if name is None:
                raise self._wrong("the name of a member must stand")
            if name in names:
                raise self._wrong("a name stands for the second time", begin)
            names.add(name)
            if depth == 1 and len(names) > MAX_MEMBERS:
                raise self._wrong(f"there are more than {MAX_MEMBERS} members", begin)
            if not self._take(":"):
                raise self._wrong("a colon must stand")
            self._value(depth)
            if self._take("}"):
                return
            if not self._take(","):
                raise self._wrong("a comma or the object's end must stand")

    def _array(self, depth: int) -> None:
        if self._take("]"):
            return
        while True:
            self._value(depth)
            if self._take("]"):
                return
            if not self._take(","):
                raise self._wrong("a comma or the array's end must stand")

    def _value(self, depth: int) -> None:
        opened = self._take("{") or self._take("[")
        if opened:
            if depth == MAX_DEPTH:
                raise self._wrong(f"it is nested more than {MAX_DEPTH} deep", self._at - 1)
            (self._object if opened == "{" else self._array)(depth + 1)
        elif self._string() is None and self._match(_WORD) is None:
            begin = self._at
            number = self._match(_NUMBER)
            if number is None:
                raise self._wrong("a value must stand")
            if not math.isfinite(float(number)):
                raise self._wrong("a number is too large", begin)

    def _string(self) -> str | None:
        """The string that stands here, as it reads; None if there is none."""
        self._skip()
        begin = self._at
        token = self._match(_STRING)
        if token is None:
            if self._text.startswith('"', begin):
                raise self._wrong("a string is not closed, or has what no string may have")
            return None
        value: str = json.loads(token)
        try:
            value.encode()
        except UnicodeEncodeError:
            raise self._wrong("a string has half of a surrogate pair", begin) from None
        return value

    def _take(self, sign: str) -> str:
        """`sign`, if it stands here; else nothing."""
        self._skip()
        if not self._text.startswith(sign, self._at):
            return ""
        self._at += 1
        self._kept.append(sign)
        return sign

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            return None
        self._at = found.end()
        self._kept.append(found[0])
        return found[0]

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _wrong(self, problem: str, at: int | None = None) -> InvalidInput:
        place = (self._at if at is None else at) + 1
        return _invalid(f"{problem} at character {place}", place)


def _invalid(problem: str, place: int | None = None) -> InvalidInput:
    evidence = {"field": "metadata", "allowed": METADATA_ALLOWED}
    if place is not None:
        evidence["position"] = str(place)
    return InvalidInput(
        "METADATA_INVALID", f"metadata must be {METADATA_ALLOWED}: {problem}", evidence=evidence
    )
