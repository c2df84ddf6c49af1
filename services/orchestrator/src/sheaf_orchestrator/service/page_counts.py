"""How far the documents are that this process recognises, for renewals to tell."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class PageCount:
    """Pages of one document; `done` only grows while anybody counts."""

    total: int
    done: int = 0
    counting: int = 0

    def add(self, pages: int) -> None:
        """So many more are done."""
        self.done = min(self.total, self.done + pages)


class PageCounts:
    """One count for each workflow, shared by its activities here: each reads other pages."""

    def __init__(self) -> None:
        self._counts: dict[str, PageCount] = {}

    @contextmanager
    def counting(self, workflow_id: str, *, done: int, total: int) -> Iterator[PageCount]:
        """The workflow's count, kept for the block; `done` pages were read before it."""
        count = self._counts.setdefault(workflow_id, PageCount(total))
        count.done = max(count.done, done)
        count.counting += 1
        try:
            yield count
        finally:
            count.counting -= 1
            if not count.counting:
                del self._counts[workflow_id]
