"""When keys were used last, written beside the requests that use them."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from itertools import islice
from typing import Final
from uuid import UUID

import structlog

from sheaf_common.errors import SheafError
from sheaf_metadata.ports.api_keys import ApiKeys

log = structlog.get_logger()

_A_STATEMENT: Final = 500
_PERIOD_S: Final = 1.0
_ONCE_IN_S: Final = 60.0


class KeyUse:
    """Notes uses at once, and writes each key's at most once a minute.

    `limit` bounds how many keys are kept in mind, beyond which the one noted first is forgotten,
    and how many wait to be written, beyond which a use is not noted. What is noted and not
    written is lost with the process.
    """

    def __init__(
        self, keys: ApiKeys, *, limit: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._limit = limit
        self._clock = clock
        self._noted: OrderedDict[UUID, float] = OrderedDict()
        self._pending: dict[UUID, None] = {}
        self._due = asyncio.Event()

    def note(self, key_id: UUID) -> None:
        """Says that a key is used now. Never blocks."""
        now = self._clock()
        noted = self._noted.get(key_id)
        if noted is not None and now < noted + _ONCE_IN_S:
            return
        if len(self._pending) >= self._limit:
            return
        self._noted[key_id] = now
        self._noted.move_to_end(key_id)
        self._pending[key_id] = None
        if len(self._noted) > self._limit:
            self._noted.popitem(last=False)
        self._due.set()

    async def run(self) -> None:
        """Writes what was noted. Runs until cancelled."""
        while True:
            await self._due.wait()
            self._due.clear()
            while self._pending:
                await self._write(list(islice(self._pending, _A_STATEMENT)))
            await asyncio.sleep(_PERIOD_S)

    async def _write(self, key_ids: list[UUID]) -> None:
        for key_id in key_ids:
            del self._pending[key_id]
        try:
            await self._keys.used(key_ids)
        except SheafError as error:
            log.warning("last use of API keys not written", keys=len(key_ids), error=str(error))
            for key_id in key_ids:
                self._noted.pop(key_id, None)
