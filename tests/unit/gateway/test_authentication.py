"""Keys are resolved by their hash, remembered while their mark stands, and counted."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sheaf_common.errors import OverCapacity, Unauthenticated
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.rates import Rate
from sheaf_gateway.service.authentication import Authenticator, AuthSettings
from support.gateway_fakes.common import KEY
from support.gateway_fakes.records import FakeRecords
from support.key_fakes import FakeSharedKeys

SHA256 = hashlib.sha256(KEY.encode()).digest()
SETTINGS: Mapping[str, Any] = {
    "remember_s": 5.0,
    "default_per_s": 10,
    "window_s": 5,
    "stranger_rate": Rate(3, 3),
}


class Clock:
    """A time that tests set."""

    now = 0.0

    def __call__(self) -> float:
        """The time that is set."""
        return self.now


class Gate:
    """An authenticator over fakes, which knows `KEY` unless a test says otherwise."""

    def __init__(self, shared: FakeSharedKeys | None = None, owner: KeyOwner | None = None) -> None:
        self.clock, self.records = Clock(), FakeRecords()
        self.shared = shared or FakeSharedKeys(self.clock)
        self.records.add_key(KEY, owner or KeyOwner("u", frozenset()))
        self.authenticator = Authenticator(
            self.records, self.shared, AuthSettings(**SETTINGS), self.clock
        )

    async def enter(self, key: str = KEY) -> str:
        """The user of a key that is let in."""
        return (await self.authenticator.authenticate(f"Bearer {key}", None)).owner.user_id

    async def refusal(self, key: str = KEY) -> str:
        """Why a key is refused."""
        with pytest.raises(Unauthenticated) as refused:
            await self.enter(key)
        return refused.value.reason


async def test_an_owner_is_remembered_for_five_seconds() -> None:
    """Then asked for again, though nothing has changed."""
    gate = Gate()
    for now in (0.0, 1.0, 4.9):
        gate.clock.now = now
        await gate.enter()
    assert gate.records.resolutions == 1

    gate.clock.now = 5.0
    await gate.authenticator.authenticate(None, KEY)
    assert gate.records.resolutions == 2


async def test_a_key_without_its_mark_is_asked_for_again() -> None:
    """So a revocation is in force at once where the owner is remembered, in every process."""
    shared = FakeSharedKeys()
    gates = [Gate(shared), Gate(shared)]
    for gate in gates:
        await gate.enter()
        await gate.enter()
        gate.records.keys.clear()
    del shared.marks[SHA256]

    assert [await gate.refusal() for gate in gates] == ["API_KEY_UNKNOWN"] * 2


async def test_a_mark_that_went_while_the_key_was_read_is_worth_nothing() -> None:
    """What was read before the change is used for that request and remembered for none."""
    gate = Gate()
    resolve = gate.records.resolve

    async def revoked_meanwhile(sha256: bytes) -> KeyOwner:
        owner = await resolve(sha256)
        gate.records.keys.clear()
        del gate.shared.marks[SHA256]
        return owner

    gate.records.resolve = revoked_meanwhile  # type: ignore[method-assign]
    assert await gate.enter() == "u"
    gate.records.resolve = resolve  # type: ignore[method-assign]

    assert await gate.refusal() == "API_KEY_UNKNOWN"


async def test_without_redis_nobody_is_remembered() -> None:
    """Each request asks; what was remembered before counts for nothing."""
    gate = Gate()
    await gate.enter()
    gate.shared.answers = False
    for _ in range(3):
        await gate.enter()
    assert gate.records.resolutions == 4

    gate.records.keys.clear()
    assert await gate.refusal() == "API_KEY_UNKNOWN"


async def test_an_unknown_key_is_asked_for_once_a_second() -> None:
    """One that is recorded here works at once."""
    gate = Gate()
    gate.records.keys.clear()
    for now in (0.0, 0.5, 0.9):
        gate.clock.now = now
        assert await gate.refusal() == "API_KEY_UNKNOWN"
    assert gate.records.resolutions == 1

    gate.records.add_key(KEY, KeyOwner("u", frozenset()))
    gate.authenticator.forget(SHA256)
    assert await gate.enter() == "u"


async def test_keys_that_are_made_up_are_looked_up_at_a_rate() -> None:
    """Beyond it they are refused unseen, while keys that were good before go in."""
    gate = Gate()
    await gate.enter()
    for number in range(3):
        assert await gate.refusal(f"sk_made_up_{number}") == "API_KEY_UNKNOWN"
    with pytest.raises(OverCapacity) as limited:
        await gate.enter("sk_made_up_3")
    gate.shared.answers = False

    assert (limited.value.reason, limited.value.retry_after_s) == ("UNKNOWN_KEYS_LIMITED", 1)
    assert await gate.enter() == "u"
    assert gate.records.resolutions == 5


async def test_a_good_key_takes_nothing_from_strangers() -> None:
    """Any number of them can be seen for the first time."""
    gate = Gate()
    for number in range(10):
        gate.records.add_key(f"sk_good_key_{number}", KeyOwner("u", frozenset()))
        await gate.enter(f"sk_good_key_{number}")

    assert gate.records.resolutions == 10


async def test_a_remembered_key_still_expires() -> None:
    """At its own time."""
    soon = datetime.now(UTC) + timedelta(milliseconds=250)
    gate = Gate(owner=KeyOwner("u", frozenset(), soon))
    await gate.enter()
    while datetime.now(UTC) <= soon:
        pass

    assert await gate.refusal() == "API_KEY_EXPIRED"


@pytest.mark.parametrize("answers", [True, False], ids=["redis", "alone"])
@pytest.mark.parametrize(("own_per_s", "quota"), [(0, 50), (2, 10)], ids=["default", "own"])
async def test_a_keys_own_rate_goes_before_the_default(
    answers: bool,  # noqa: FBT001 - a case
    own_per_s: int,
    quota: int,
) -> None:
    """Five seconds' requests may come at once, whoever counts; the next is refused."""
    gate = Gate(owner=KeyOwner("u", frozenset(), None, own_per_s))
    gate.shared.answers = answers
    entrances = [await gate.authenticator.authenticate(None, KEY) for _ in range(quota + 1)]

    assert [each.allowance.allowed for each in entrances] == [True] * quota + [False]
    assert entrances[0].allowance.remaining == quota - 1
    assert entrances[-1].allowance.retry_after_s == pytest.approx(5 / quota)


async def test_memories_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of good keys and of refused ones: the one not seen for longest is forgotten."""
    monkeypatch.setattr("sheaf_gateway.service.authentication._CACHE_SIZE", 3)
    monkeypatch.setattr("sheaf_gateway.service.limiting._KEYS", 3)
    gate = Gate()
    gate.shared.answers = False
    for number in range(5):
        gate.clock.now = float(number)
        gate.records.add_key(f"sk_key_0000000{number}", KeyOwner("u", frozenset()))
        await gate.enter(f"sk_key_0000000{number}")
        await gate.refusal(f"sk_bad_0000000{number}")
    gate.shared.answers = True
    for number in range(5):
        await gate.enter(f"sk_key_0000000{number}")

    memories = gate.authenticator
    assert len(memories._known) == len(memories._refused) == len(memories._local._whole_at) == 3
    assert hashlib.sha256(b"sk_key_00000004").digest() in memories._known
