"""Keys are resolved by their hash and remembered for a moment."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from sheaf_common.errors import Unauthenticated
from sheaf_gateway.domain import KeyOwner
from sheaf_gateway.service.authentication import Authenticator
from support.gateway_fakes import KEY, FakeRecords


class Clock:
    """A time that tests set."""

    now = 0.0

    def __call__(self) -> float:
        """The time that is set."""
        return self.now


async def test_an_owner_is_forgotten_after_five_seconds() -> None:
    """So a revoked key ends within five."""
    records, clock = FakeRecords(), Clock()
    records.add_key(KEY, KeyOwner("u", frozenset()))
    authenticator = Authenticator(records, 5.0, clock)
    await authenticator.authenticate(f"Bearer {KEY}", None)
    records.keys.clear()
    clock.now = 4.9
    remembered = await authenticator.authenticate(None, KEY)
    clock.now = 5.0

    assert remembered.user_id == "u"
    with pytest.raises(Unauthenticated, match="API_KEY_UNKNOWN"):
        await authenticator.authenticate(None, KEY)


async def test_an_unknown_key_is_asked_for_each_time() -> None:
    """Only owners are remembered."""
    records = FakeRecords()
    authenticator = Authenticator(records, 5.0)
    for _ in range(2):
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(None, KEY)

    assert records.resolutions == 2


async def test_a_remembered_key_still_expires() -> None:
    """At its own time."""
    records = FakeRecords()
    soon = datetime.now(UTC) + timedelta(milliseconds=20)
    records.add_key(KEY, KeyOwner("u", frozenset(), soon))
    authenticator = Authenticator(records, 5.0)
    await authenticator.authenticate(None, KEY)
    while datetime.now(UTC) <= soon:
        pass

    with pytest.raises(Unauthenticated, match="API_KEY_EXPIRED"):
        await authenticator.authenticate(None, KEY)


async def test_the_memory_of_owners_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one not seen for longest is forgotten."""
    monkeypatch.setattr("sheaf_gateway.service.authentication._CACHE_SIZE", 3)
    records = FakeRecords()
    authenticator = Authenticator(records, 5.0)
    for number in range(5):
        key = f"sk_key_0000000{number}"
        records.add_key(key, KeyOwner("u", frozenset()))
        await authenticator.authenticate(None, key)

    assert len(authenticator._owners) == 3
    assert hashlib.sha256(b"sk_key_00000004").digest() in authenticator._owners
