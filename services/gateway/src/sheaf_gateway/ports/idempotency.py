"""Who works on an idempotency key."""

from dataclasses import dataclass
from typing import Protocol

from sheaf_gateway.domain.documents import Document
from sheaf_gateway.idempotency import HeldKey


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What the work on an idempotency key has ended with."""

    fingerprint: bytes
    """What it was about, 32 bytes."""
    answer: bytes
    """What was kept of it besides."""
    documents: tuple[Document, ...]
    """As they were registered, in the order of the batch's files."""


class IdempotencyKeys(Protocol):
    """Says who works on an idempotency key. Acts for the current request's user."""

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """Gives the key to the holder, for so long; or says what the work on it has ended with.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`, with what is left of another's lease.
        """
        ...

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """Extends the lease to so long from now. Raises Conflict `IDEMPOTENCY_KEY_LOST`."""
        ...

    async def abandon(self, held: HeldKey) -> None:
        """Gives the key back as if it had not been used; one that is lost or answered stays."""
        ...
