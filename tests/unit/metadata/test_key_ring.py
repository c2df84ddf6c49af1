"""Resolved keys are remembered for a moment."""

import pytest

from sheaf_common.errors import Unauthenticated
from sheaf_common.ids import new_id
from sheaf_metadata.domain.api_keys import KeyOwner, RecordedKey
from sheaf_metadata.service.api_keys import KeyRing
from support.metadata_fakes import FakeApiKeys


def a_key(*, revoked: bool = False, expires_in_s: float | None = None) -> RecordedKey:
    """A recorded key of ann's."""
    return RecordedKey(KeyOwner(new_id(), "ann", (), None), revoked, expires_in_s)


def a_hash(number: int) -> bytes:
    """Some hash."""
    return number.to_bytes(32, "big")


async def test_a_key_is_looked_up_once_while_it_is_remembered() -> None:
    """A revocation takes effect when that ends."""
    keys = FakeApiKeys({a_hash(1): a_key()})
    ring = KeyRing(keys, remember_s=60, limit=10)
    for _ in range(3):
        assert (await ring.resolve(a_hash(1))).user_id == "ann"
    assert keys.finds == 1

    forgetful = KeyRing(keys, remember_s=0, limit=10)
    await forgetful.resolve(a_hash(1))
    keys.keys[a_hash(1)] = a_key(revoked=True)
    with pytest.raises(Unauthenticated) as refused:
        await forgetful.resolve(a_hash(1))
    assert refused.value.reason == "API_KEY_REVOKED"


async def test_a_key_is_not_remembered_beyond_its_end() -> None:
    """Its end is nearer than the memory's."""
    keys = FakeApiKeys({a_hash(1): a_key(expires_in_s=1e-9)})
    ring = KeyRing(keys, remember_s=60, limit=10)
    await ring.resolve(a_hash(1))
    keys.keys[a_hash(1)] = a_key(expires_in_s=-1)
    with pytest.raises(Unauthenticated) as refused:
        await ring.resolve(a_hash(1))
    assert refused.value.reason == "API_KEY_EXPIRED"


async def test_unknown_keys_are_not_remembered() -> None:
    """A new key works at once, and guesses fill no memory."""
    keys = FakeApiKeys()
    ring = KeyRing(keys, remember_s=60, limit=10)
    with pytest.raises(Unauthenticated):
        await ring.resolve(a_hash(1))
    keys.keys[a_hash(1)] = a_key()
    assert (await ring.resolve(a_hash(1))).user_id == "ann"


async def test_memory_is_bounded() -> None:
    """The least recently used key goes first."""
    keys = FakeApiKeys({a_hash(n): a_key() for n in range(4)})
    ring = KeyRing(keys, remember_s=60, limit=3)
    for number in (0, 1, 2, 0, 3):
        await ring.resolve(a_hash(number))
    assert keys.finds == 4
    await ring.resolve(a_hash(0))
    assert keys.finds == 4
    await ring.resolve(a_hash(1))
    assert keys.finds == 5
