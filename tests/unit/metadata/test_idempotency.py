"""Expired idempotency keys are deleted for as long as the service runs."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from sheaf_common.errors import SheafError, Unavailable
from sheaf_metadata.domain.idempotency import HeldKey, KeyAnswer
from sheaf_metadata.service.idempotency import KeepIdempotency
from support.waiting import until


@dataclass
class FakeKeys:
    """The IdempotencyKeys port, of which only pruning is asked; `failures` are raised first."""

    expired: int
    failures: list[SheafError] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Not asked."""
        raise AssertionError

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Not asked."""
        raise AssertionError

    async def abandon(self, held: HeldKey) -> None:
        """Not asked."""
        raise AssertionError

    async def prune(self, limit: int) -> int:
        """Deletes."""
        if self.failures:
            raise self.failures.pop()
        self.limits.append(limit)
        pruned = min(limit, self.expired)
        self.expired -= pruned
        return pruned


async def test_pruning_goes_on_after_a_failure_a_bounded_number_at_a_time() -> None:
    """All that has expired in a period, and what expires later in the next."""
    keys = FakeKeys(1700, [Unavailable("DATABASE_UNAVAILABLE", "away")])
    pruning = asyncio.create_task(KeepIdempotency(keys).prune(0.001))
    await until(lambda: not keys.expired)
    keys.expired = 3
    await until(lambda: not keys.expired)
    pruning.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pruning

    assert not keys.failures
    assert set(keys.limits) == {500}
