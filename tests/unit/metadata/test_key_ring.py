"""Keys are resolved as they are recorded; their use is noted beside that."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from sheaf_common.context import RequestContext, bound
from sheaf_common.errors import NotFound, Unauthenticated
from sheaf_common.ids import new_id
from sheaf_metadata.domain.api_keys import ApiKey, KeyOwner, RecordedKey
from sheaf_metadata.service import key_use
from sheaf_metadata.service.api_keys import KeyRing
from sheaf_metadata.service.key_use import KeyUse
from support.metadata_fakes import FakeApiKeys, FakeKeyMarks
from support.waiting import until


def a_key(*, revoked: bool = False, expires_in_s: float | None = None) -> RecordedKey:
    """A recorded key of ann's."""
    return RecordedKey(KeyOwner(new_id(), "ann", (), None), revoked, expires_in_s)


def a_hash(number: int) -> bytes:
    """Some hash."""
    return number.to_bytes(32, "big")


def a_ring(
    keys: FakeApiKeys, marks: FakeKeyMarks | None = None, *, remembered_s: float = 60
) -> KeyRing:
    """A ring over fakes."""
    return KeyRing(keys, marks or FakeKeyMarks(), KeyUse(keys, limit=10), remembered_s)


@pytest.mark.parametrize(
    ("becomes", "reason"),
    [
        (a_key(revoked=True), "API_KEY_REVOKED"),
        (a_key(expires_in_s=-1e-9), "API_KEY_EXPIRED"),
        (None, "API_KEY_UNKNOWN"),
    ],
)
async def test_what_is_recorded_is_in_force(becomes: RecordedKey | None, reason: str) -> None:
    """From the next question on, whichever process recorded it: nothing is remembered here."""
    keys = FakeApiKeys({a_hash(1): a_key()})
    ring = a_ring(keys)
    assert (await ring.resolve(a_hash(1))).user_id == "ann"
    keys.keys.clear()
    if becomes is not None:
        keys.keys[a_hash(1)] = becomes

    with pytest.raises(Unauthenticated) as refused:
        await ring.resolve(a_hash(1))
    assert (refused.value.reason, keys.finds) == (reason, 2)


async def test_a_revocation_removes_the_keys_mark_after_its_commit() -> None:
    """Also when it is repeated: the first may have been cut off in between."""
    key, marks = a_key(), FakeKeyMarks()
    keys = FakeApiKeys({a_hash(1): key})
    ring = a_ring(keys, marks)
    for count in (1, 2):
        await ring.revoke(key.owner.key_id)
        assert marks.removals == [a_hash(1)] * count
    assert keys.keys[a_hash(1)].revoked


async def test_a_revocation_is_not_answered_before_it_is_in_force() -> None:
    """It tries Redis again and again, and else waits until nobody can remember the key."""
    key = a_key()
    heard_late = FakeKeyMarks(deaf_for=2)
    await a_ring(FakeApiKeys({a_hash(1): key}), heard_late).revoke(key.owner.key_id)
    never_heard, begun = FakeKeyMarks(deaf_for=1000), time.monotonic()
    ring = a_ring(FakeApiKeys({a_hash(1): key}), never_heard, remembered_s=0.25)
    await ring.revoke(key.owner.key_id)

    assert len(heard_late.removals) == 3
    assert len(never_heard.removals) > 1
    assert time.monotonic() - begun >= 0.25


async def test_another_ones_key_is_not_there() -> None:
    """It is not revoked, and its mark stays."""
    key, marks = a_key(), FakeKeyMarks()
    ring = a_ring(FakeApiKeys({a_hash(1): key}), marks)
    with bound(RequestContext("r", "bob")), pytest.raises(NotFound):
        await ring.revoke(key.owner.key_id)

    assert marks.removals == []


async def test_a_key_that_is_recorded_again_loses_its_mark() -> None:
    """It may have got scopes that others remember it without."""
    marks = FakeKeyMarks()
    key = ApiKey(new_id(), "ann", "", "", a_hash(1), (), None)
    await a_ring(FakeApiKeys(), marks).create(key)

    assert marks.removals == [a_hash(1)]


class Clock:
    """A time that tests set."""

    now = 0.0

    def __call__(self) -> float:
        """The time that is set."""
        return self.now


@asynccontextmanager
async def writing(use: KeyUse) -> AsyncIterator[None]:
    """What is noted is written for the block."""
    task = asyncio.create_task(use.run())
    try:
        yield
    finally:
        task.cancel()


async def test_a_use_is_written_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many keys in one statement, each at most once."""
    monkeypatch.setattr(key_use, "_PERIOD_S", 0.001)
    keys, clock = FakeApiKeys(), Clock()
    use = KeyUse(keys, limit=10, clock=clock)
    first, second = new_id(), new_id()
    for key_id in (first, second, first):
        use.note(key_id)
    async with writing(use):
        await until(lambda: keys.uses)
        for now in (1.0, 59.9, 60.0):
            clock.now = now
            use.note(first)
        await until(lambda: len(keys.uses) == 2)

    assert keys.uses == [[first, second], [first]]


async def test_a_use_that_cannot_be_written_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next use is noted again."""
    monkeypatch.setattr(key_use, "_PERIOD_S", 0.001)
    keys = FakeApiKeys(fails=True)
    use, key_id = KeyUse(keys, limit=10), new_id()
    with capture_logs() as logs:
        async with writing(use):
            use.note(key_id)
            await until(lambda: logs)
            keys.fails = False
            use.note(key_id)
            await until(lambda: keys.uses)

    assert [each["event"] for each in logs] == ["last use of API keys not written"]
    assert keys.uses == [[key_id]]


async def test_noted_uses_are_bounded() -> None:
    """Beyond it a use is not noted, and the key noted first is forgotten."""
    keys = FakeApiKeys()
    use = KeyUse(keys, limit=3)
    ids: list[UUID] = [new_id() for _ in range(5)]
    for key_id in ids:
        use.note(key_id)

    assert (len(use._pending), len(use._noted)) == (3, 3)
