"""A tree of names, walked without trust."""

from collections.abc import Iterator
from typing import Any, Final

import pikepdf

_MAX_DEPTH: Final = 32
_MAX_LOOKED_AT: Final = 10_000
"""Entries and nodes, together."""
_DIRECT: Final = (0, 0)
"""The number of an object that is part of another."""


class NameTree:
    """The entries of a tree in order (ISO 32000-1, 7.9.6), as far as it is looked at.

    No node is gone through twice, nor what lies deeper than 32 nodes; 10,000 entries and nodes are
    looked at.
    """

    looked_at = 0
    """Entries that were given out."""
    whole = True
    """Whether there were no more."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._left = _MAX_LOOKED_AT
        self._seen: set[tuple[int, int]] = set()

    def entries(self) -> Iterator[tuple[Any, Any]]:
        """Key and value of each entry. Raises what pikepdf does of damaged nodes."""
        yield from self._below(self._root, 0)

    def _below(self, node: Any, depth: int) -> Iterator[tuple[Any, Any]]:
        if depth > _MAX_DEPTH or not isinstance(node, pikepdf.Dictionary):
            return
        if node.objgen != _DIRECT:
            if node.objgen in self._seen:
                return
            self._seen.add(node.objgen)
        names = _array(node, "/Names")
        for index in range(0, len(names) - 1, 2):
            if not self._goes_on():
                return
            self.looked_at += 1
            yield names[index], names[index + 1]
        kids = _array(node, "/Kids")
        for index in range(len(kids)):
            if not self._goes_on():
                return
            yield from self._below(kids[index], depth + 1)

    def _goes_on(self) -> bool:
        self.whole = self._left > 0
        self._left -= 1
        return self.whole


def _array(node: Any, key: str) -> Any:
    found = node.get(key)
    return found if isinstance(found, pikepdf.Array) else ()
