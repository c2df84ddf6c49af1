"""Whether documents are still open, asked for all who wait at once.

Each waiter looks once in a while without having been woken. Hundreds that each read their row every
second would load the database the more, the less it gets done.
"""

import asyncio
from collections.abc import Collection
from contextvars import Context
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sheaf_metadata.ports.reading import Reads

_COLLECT_S: Final = 0.05
"""Who asks within that time is asked for in one query."""


@dataclass(slots=True)
class _Question:
    """Documents that are asked for together, and which of them are open."""

    answered: "asyncio.Future[Collection[UUID]]"
    ids: set[UUID] = field(default_factory=set)


class OpenCheck:
    """Collects questions for a moment. Belongs to one event loop; `Waiters` bounds who asks."""

    def __init__(self, reads: Reads, *, collect_s: float = _COLLECT_S) -> None:
        self._reads = reads
        self._collect_s = collect_s
        self._next: _Question | None = None
        self._asking: set[asyncio.Task[None]] = set()

    async def is_open(self, document_id: UUID) -> bool:
        """Whether it was there and not terminal, at some moment after the call began.

        Raises:
            SheafError: as `Reads`.
        """
        question = self._next
        if question is None:
            question = self._next = _Question(asyncio.get_running_loop().create_future())
            # Nobody's request: its deadline would be that of all.
            task = asyncio.create_task(self._ask(question), context=Context())
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)
        question.ids.add(document_id)
        return document_id in await asyncio.shield(question.answered)

    async def _ask(self, question: _Question) -> None:
        await asyncio.sleep(self._collect_s)
        self._next = None
        try:
            question.answered.set_result(await self._reads.open_documents(question.ids))
        except Exception as error:  # noqa: BLE001 - it is raised by all who asked
            question.answered.set_exception(error)
            question.answered.exception()  # they may all have left
