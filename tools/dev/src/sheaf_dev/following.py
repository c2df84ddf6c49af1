"""A batch on its way: looked at when something of it has ended."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from sheaf_client import AsyncClient, Batch, SheafClientError

LOOK_S: Final = 10.0
"""A batch is looked at so often though no event came."""
POLL_S: Final = 2.0
"""How long a look waits for the end where there are no events."""
_PAUSE_S: Final = 0.2
"""Between two looks: what ends together is looked at together."""


async def looks(sheaf: AsyncClient, batch_id: str) -> AsyncGenerator[Batch, None]:
    """The batch whenever something of it may have ended, until its end.

    Woken by its events; where they cannot be had, by long polls. Raises SheafClientError.
    """
    following = _Following(sheaf, batch_id)
    listening = asyncio.create_task(following.listen())
    try:
        while True:
            batch = await sheaf.get_batch(batch_id, wait_s=following.wait_s)
            yield batch
            if batch.finished_at is not None:
                return
            await following.woken()
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


class _Following:
    """What a batch's events say."""

    def __init__(self, sheaf: AsyncClient, batch_id: str) -> None:
        self._sheaf = sheaf
        self._batch_id = batch_id
        self._ended = asyncio.Event()
        self.wait_s = 0.0

    async def listen(self) -> None:
        """Notes each end, to the last; from then on, or where there are no events, looks wait."""
        try:
            async with aclosing(self._sheaf.events_of_batch(self._batch_id)) as events:
                async for event in events:
                    if event.ends_document or event.ends_batch:
                        self._ended.set()
        except SheafClientError:
            pass  # no stream is to be had: what is wrong with the batch, a look will tell
        self.wait_s = POLL_S
        self._ended.set()

    async def woken(self) -> None:
        """Returns once something has ended, or it is time to look again."""
        if self.wait_s:
            return
        await asyncio.sleep(_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_S):
                await self._ended.wait()
        self._ended.clear()
