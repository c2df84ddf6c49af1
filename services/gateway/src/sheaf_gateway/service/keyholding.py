"""Holding an idempotency key while an upload goes on, and giving it back if nothing came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

import structlog

from sheaf_common.errors import Conflict, InvalidInput, SheafError
from sheaf_gateway.domain.uploads import FileOutcome
from sheaf_gateway.idempotency import KEY_LOST, Fingerprint, HeldKey, KeyOutcome
from sheaf_gateway.ports.idempotency import IdempotencyKeys, KeyAnswer
from sheaf_gateway.service import answers
from sheaf_gateway.service.finishing import FinishingWork

log = structlog.get_logger()

RENEWING: Final = "renew an idempotency key"
"""The task that renews a lease."""
_RENEWALS: Final = 3
"""How often a lease is renewed in its own length: two may fail."""


@dataclass(frozen=True, slots=True)
class KeyedUpload:
    """An upload under a key: who holds it, and what has come of the body so far."""

    held: HeldKey
    fingerprint: Fingerprint

    def outcome(self, batch_id: UUID, outcomes: tuple[FileOutcome, ...]) -> KeyOutcome:
        """How the work on the key ends, once the whole body has come."""
        answer = answers.encoded(batch_id, outcomes)
        return KeyOutcome(self.held, self.fingerprint.digest(), answer)


class KeyHolding:
    """Begins, keeps and gives back idempotency keys of the current request's user."""

    def __init__(
        self,
        keys: IdempotencyKeys,
        finishing: FinishingWork,
        *,
        lease_s: float,
        secret_hash: Callable[[], Any],
    ) -> None:
        self._keys = keys
        self._finishing = finishing
        self._lease_s = lease_s
        self._secret_hash = secret_hash

    def fingerprint(self) -> Fingerprint:
        """That of a body of which nothing has come yet."""
        return Fingerprint(self._secret_hash)

    async def begin(self, key: str) -> KeyedUpload | KeyAnswer:
        """Takes a key; or what the work on it has ended with.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_IN_FLIGHT`. SheafError: it is not known who holds it.
        """
        held = HeldKey(key, uuid4())
        try:
            first = await self._keys.begin(held, self._lease_s)
        except Conflict:
            raise
        except BaseException:
            # It may have been given all the same.
            await self._finishing.run(self.abandon(held))
            raise
        return KeyedUpload(held, self.fingerprint()) if first is None else first

    @asynccontextmanager
    async def kept(self, held: HeldKey) -> AsyncIterator[None]:
        """Renews the lease beside the block, and ends the block if it is lost.

        Raises:
            Conflict: `IDEMPOTENCY_KEY_LOST`.
        """
        lost: list[Conflict] = []
        try:
            async with asyncio.timeout(None) as until_lost:
                renewing = asyncio.create_task(self._renew(held, until_lost, lost), name=RENEWING)
                try:
                    yield
                finally:
                    renewing.cancel()
        except TimeoutError:
            if not lost:
                raise
            raise lost[0] from None

    async def abandon(self, held: HeldKey) -> None:
        """Gives a key back, as if it had not been used; if that fails, its lease runs out."""
        try:
            await self._keys.abandon(held)
        except SheafError as error:
            log.warning("an idempotency key is left to its lease", reason=error.reason)

    async def _renew(
        self, held: HeldKey, until_lost: asyncio.Timeout, lost: list[Conflict]
    ) -> None:
        while True:
            await asyncio.sleep(self._lease_s / _RENEWALS)
            try:
                await self._keys.renew(held, self._lease_s)
            except SheafError as error:
                log.warning("an idempotency key was not renewed", reason=error.reason)
                if isinstance(error, Conflict) and error.reason == KEY_LOST:
                    lost.append(error)
                    until_lost.reschedule(asyncio.get_running_loop().time())
                    return


def key_reused() -> InvalidInput:
    """The key was used for something else."""
    return InvalidInput(
        "IDEMPOTENCY_KEY_REUSED",
        "this idempotency key was used for an upload with other files or fields",
        evidence={"header": "Idempotency-Key"},
    )
