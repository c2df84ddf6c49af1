"""Idempotency keys as the gateway's tests have them: in memory, kept by one holder each."""

from dataclasses import dataclass, field

from sheaf_common.errors import Conflict, SheafError
from sheaf_gateway.domain.documents import Document
from sheaf_gateway.domain.registration import NewBatch
from sheaf_gateway.idempotency import KEY_IN_FLIGHT, KEY_LOST, HeldKey
from sheaf_gateway.ports.idempotency import KeyAnswer


@dataclass
class FakeIdempotencyKeys:
    """The IdempotencyKeys port. Leases do not run out by themselves: see `take_over`."""

    held: dict[str, HeldKey] = field(default_factory=dict)
    answered: dict[str, KeyAnswer] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    errors: dict[str, SheafError] = field(default_factory=dict)
    """What a call by that name raises, after it has done its work."""

    async def begin(self, held: HeldKey, lease_ttl_s: float) -> KeyAnswer | None:
        """One holder at a time."""
        self.calls.append("begin")
        if held.key in self.answered:
            return self.answered[held.key]
        if self.held.setdefault(held.key, held) != held:
            raise Conflict(KEY_IN_FLIGHT, "another has it", retry_after_s=lease_ttl_s / 2)
        self._fail("begin")
        return None

    async def renew(self, held: HeldKey, lease_ttl_s: float) -> None:
        """It is the holder's still, or lost."""
        self.calls.append("renew")
        self._fail("renew")
        if self.held.get(held.key) != held:
            raise lost()

    async def abandon(self, held: HeldKey) -> None:
        """As if it had not been used."""
        self.calls.append("abandon")
        self._fail("abandon")
        if self.held.get(held.key) == held and held.key not in self.answered:
            del self.held[held.key]

    def complete(self, batch: NewBatch, documents: tuple[Document, ...]) -> None:
        """What a registration does with the batch's key."""
        if (outcome := batch.idempotency) is None:
            return
        if self.held.get(outcome.held.key) != outcome.held:
            raise lost()
        self.answered.setdefault(
            outcome.held.key, KeyAnswer(outcome.fingerprint, outcome.answer, documents)
        )

    def take_over(self, other: HeldKey) -> None:
        """The lease has run out, and another holder has begun."""
        self.held[other.key] = other

    def _fail(self, call: str) -> None:
        if (error := self.errors.get(call)) is not None:
            raise error


def lost() -> Conflict:
    """The key is another's."""
    return Conflict(KEY_LOST, "another has taken it over", retry_after_s=1.0)
