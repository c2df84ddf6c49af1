"""The records of idempotency keys."""

from typing import Protocol

from sheaf_metadata.domain.idempotency import HeldKey, KeyAnswer


class IdempotencyKeys(Protocol):
    """Records of idempotency keys. One that has expired is as if it were not there."""

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Gives the key to the holder, for so long; or says what the work on it ended with.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`, with what is left of the other's lease.
        """
        ...

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Extends the lease to so long from now.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_LOST`.
        """
        ...

    async def abandon(self, held: HeldKey) -> None:
        """Forgets the key, if the holder has it and the work on it has not ended."""
        ...

    async def prune(self, limit: int) -> int:
        """Deletes at most so many expired records; returns how many."""
        ...
