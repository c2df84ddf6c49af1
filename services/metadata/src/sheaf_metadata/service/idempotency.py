"""Idempotency keys: one holder works on each, and what it ends with is answered for a day."""

import asyncio
from dataclasses import dataclass
from typing import Final

import structlog

from sheaf_common.errors import SheafError
from sheaf_metadata.domain.idempotency import HeldKey, KeyAnswer, check_key, check_lease
from sheaf_metadata.domain.registration import check_user
from sheaf_metadata.ports.idempotency import IdempotencyKeys

log = structlog.get_logger()

_PRUNED_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class KeepIdempotency:
    """Checks and asks. Every method raises `InvalidInput` and as `IdempotencyKeys`."""

    keys: IdempotencyKeys

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Gives the key to the holder; or says what the work on it ended with."""
        check_user(held.user_id)
        check_key(held)
        check_lease(lease_ttl_s)
        return await self.keys.begin(held, lease_ttl_s)

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Extends the lease."""
        check_user(held.user_id)
        check_key(held)
        check_lease(lease_ttl_s)
        await self.keys.renew(held, lease_ttl_s)

    async def abandon(self, held: HeldKey) -> None:
        """Gives the key back unused."""
        check_user(held.user_id)
        check_key(held)
        await self.keys.abandon(held)

    async def prune(self, period_s: float) -> None:
        """Deletes what has expired, each period all there is, in short transactions.

        Runs until it is cancelled; several processes may do it. A database that does not answer
        is asked again a period later.
        """
        while True:
            await asyncio.sleep(period_s)
            try:
                pruned = await self.prune_all()
            except SheafError as error:
                log.warning("expired idempotency keys are left for later", reason=error.reason)
            else:
                if pruned:
                    log.info("expired idempotency keys are deleted", keys=pruned)

    async def prune_all(self) -> int:
        """Deletes what has expired by now; returns how many records that were."""
        total = 0
        while pruned := await self.keys.prune(_PRUNED_AT_ONCE):
            total += pruned
            if pruned < _PRUNED_AT_ONCE:
                break
        return total
