"""Small objects that were put a moment ago, kept in memory for whoever processes them next.

An upload is read back within milliseconds, and each read costs storage and the store about
3 ms of CPU. The content under a key never changes, so what is kept is never wrong; it can
only be there longer than the object, by `keep_s`, when another process deletes that.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final

from sheaf_storage.domain import CHUNK_BYTES, ObjectInfo

SMALL_BYTES: Final = CHUNK_BYTES
"""A small object fits one message of the most efficient size."""


class RecentObjects:
    """Objects of at most 256 KiB, all together at most `limit_bytes`, the oldest going first.

    Belongs to one event loop. A limit of 0 keeps nothing. `clock` counts seconds.
    """

    def __init__(
        self, limit_bytes: int, keep_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limit_bytes = limit_bytes
        """The most bytes of content."""
        self._keep_s = keep_s
        self._clock = clock
        self._kept: dict[str, tuple[float, ObjectInfo, bytes]] = {}
        self.held_bytes = 0
        """Bytes of content that are kept now."""
        self.deletions = 0
        """How often objects were deleted. What was put while this grew may be deleted already."""

    def keep(self, info: ObjectInfo, content: bytes) -> None:
        """Keeps an object that is stored now, unless it is too large. Drops the oldest for it."""
        if len(content) > min(SMALL_BYTES, self.limit_bytes):
            return
        self.forget((info.key,))
        self._kept[info.key] = (self._clock() + self._keep_s, info, content)
        self.held_bytes += len(content)
        self._drop()

    def find(self, key: str) -> tuple[ObjectInfo, bytes] | None:
        """An object that is kept, and its content."""
        self._drop()
        found = self._kept.get(key)
        return None if found is None else found[1:]

    def forget(self, keys: Iterable[str]) -> None:
        """Drops objects; those that are not kept do not matter."""
        for key in keys:
            dropped = self._kept.pop(key, None)
            if dropped is not None:
                self.held_bytes -= len(dropped[2])

    def delete(self, keys: Iterable[str]) -> None:
        """As `forget`, of objects that are being deleted."""
        self.deletions += 1
        self.forget(keys)

    def _drop(self) -> None:
        """Drops what is too old or too much: the first ones, since a dict keeps their order."""
        now = self._clock()
        while self._kept:
            key, (until, _, _) = next(iter(self._kept.items()))
            if until > now and self.held_bytes <= self.limit_bytes:
                return
            self.forget((key,))
