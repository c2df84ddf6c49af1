"""What two gateways and two metadata processes hold together of keys, over real servers.

Each of the four has a way to Redis of its own, which tests can cut.
"""

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from uuid import UUID

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.errors import Unauthenticated
from sheaf_common.ids import new_id
from sheaf_common.pools.redis import RedisSettings, redis_client
from sheaf_common.pools.redis_gate import RedisGate
from sheaf_common.pools.redis_marks import mark_name
from sheaf_dev.stack import Stack
from sheaf_gateway.adapters.keys import GrpcKeys
from sheaf_gateway.adapters.metadata import GrpcRecords
from sheaf_gateway.adapters.redis_limits import RedisKeys
from sheaf_gateway.domain.access import KeyOwner
from sheaf_gateway.rates import Allowance, Rate
from sheaf_gateway.service.authentication import Authenticator, AuthSettings
from support.metadata import Metadata, as_user, create_database, metadata_settings, served
from support.tcp_proxy import TcpProxy, tcp_proxy
from support.waiting import until_answer

_BUDGET_S: Final = 1.0
"""So long that a busy machine is not taken for a Redis that is down."""
_SHORT_S: Final = 0.6
_REVOKED: Final = "API_KEY_REVOKED"


class CountingRecords(GrpcRecords):
    """Counts how often it is asked whose a key is."""

    resolutions = 0

    async def resolve(self, sha256: bytes) -> KeyOwner:
        """See `GrpcRecords`."""
        self.resolutions += 1
        return await super().resolve(sha256)


@dataclass
class Side:
    """A gateway's part in this, at a metadata process, each with its way to Redis."""

    metadata: Metadata
    metadata_redis: TcpProxy
    gateway_redis: TcpProxy
    shared: RedisKeys
    records: CountingRecords
    keys: GrpcKeys

    def authenticator(self, remember_s: float = 5.0) -> Authenticator:
        """A gateway's authenticator, with nothing in its memory."""
        settings = AuthSettings(remember_s, 1_000_000, 1, Rate.of(1000, 1))
        return Authenticator(self.records, self.shared, settings)


@asynccontextmanager
async def side_over(database_url: str, redis_url: str) -> AsyncIterator[Side]:
    """One of the two sides."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        host, port = redis_url.removeprefix("redis://").partition("/")[0].split(":")
        for_metadata, for_gateway = [await enter(tcp_proxy(host, int(port))) for _ in range(2)]
        urls = [f"redis://127.0.0.1:{proxy.port}/0" for proxy in (for_metadata, for_gateway)]
        settings = metadata_settings(
            database_url,
            urls[0],
            api_key_cache_s=_SHORT_S,
            redis_budget_ms=int(_BUDGET_S * 1000) - 100,
        )
        metadata = await enter(served(settings))
        client = await enter(redis_client(RedisSettings.model_construct(url=SecretStr(urls[1]))))
        gate = RedisGate(client, budget_s=_BUDGET_S)
        keeping = asyncio.create_task(gate.keep())
        stack.callback(keeping.cancel)
        yield Side(
            metadata,
            for_metadata,
            for_gateway,
            RedisKeys(gate),
            CountingRecords(metadata.peer, 10),
            GrpcKeys(metadata.peer, 10),
        )


@pytest.fixture(scope="module")
async def sides(database_servers: Stack) -> AsyncIterator[Sequence[Side]]:
    """Both."""
    env = database_servers.env
    database_url = await create_database(env["DATABASE_URL"], f"test_{new_id().hex}")
    async with (
        side_over(database_url, env["REDIS_URL"]) as first,
        side_over(database_url, env["REDIS_URL"]) as second,
    ):
        yield first, second


@dataclass
class Key:
    """A key of ann's that is recorded."""

    key_id: str
    key: str

    @property
    def sha256(self) -> bytes:
        """Its hash."""
        return hashlib.sha256(self.key.encode()).digest()


@pytest.fixture
async def key(sides: Sequence[Side]) -> Key:
    """A new one; both gateways use Redis, whatever the test before did to it."""
    for side in sides:
        await until_answer(partial(side.shared.take, bytes(32), Rate(1, 1), None))
    made = Key(str(new_id()), f"sk_{secrets.token_urlsafe(32)}")
    request = metadata_pb2.CreateApiKeyRequest(
        key_id=made.key_id, user_id="ann", sha256=made.sha256, scopes=["documents:read"]
    )
    await sides[0].metadata.call("CreateApiKey", request)
    return made


@dataclass
class Traffic:
    """Requests with one key at several gateways, one after another at each of some callers."""

    key: str
    answers: list[tuple[float, float, str]] = field(default_factory=list)
    """When each began and ended, and the reason of its refusal; empty if it was let in."""
    _stopping: bool = False

    @asynccontextmanager
    async def at(self, *gateways: Authenticator) -> AsyncIterator[None]:
        """Runs for the block."""
        async with asyncio.TaskGroup() as group:
            for gateway in gateways * 4:
                group.create_task(self._call(gateway))
            try:
                yield
            finally:
                self._stopping = True

    async def _call(self, gateway: Authenticator) -> None:
        while not self._stopping:
            began = time.monotonic()
            try:
                await gateway.authenticate(None, self.key)
            except Unauthenticated as error:
                self.answers.append((began, time.monotonic(), error.reason))
            else:
                self.answers.append((began, time.monotonic(), ""))
            await asyncio.sleep(0)

    async def has_answers(self, count: int) -> None:
        """Returns when so many more have come."""
        wanted = len(self.answers) + count

        async def come() -> bool:
            return len(self.answers) >= wanted

        await until_answer(come)

    def since(self, moment: float) -> Counter[str]:
        """What was answered to requests that began after that."""
        return Counter(reason for began, _, reason in self.answers if began > moment)

    def before(self, moment: float) -> Counter[str]:
        """What had been answered by then. What was under way then may be either."""
        return Counter(reason for _, ended, reason in self.answers if ended <= moment)


async def revoke(side: Side, key: Key) -> float:
    """Revokes a key at one side; when the answer came."""
    with as_user("ann"):
        await side.keys.revoke(UUID(key.key_id))
    return time.monotonic()


async def test_a_revoked_key_is_refused_at_once_at_every_gateway(
    sides: Sequence[Side], key: Key
) -> None:
    """Of hundreds of requests at two gateways that remember it, none is let in after the answer."""
    gateways = [side.authenticator() for side in sides]
    asked = sum(side.records.resolutions for side in sides)
    traffic = Traffic(key.key)
    async with traffic.at(*gateways):
        await traffic.has_answers(400)
        looked_up = sum(side.records.resolutions for side in sides) - asked
        began = time.monotonic()
        revoked_at = await revoke(sides[1], key)
        await traffic.has_answers(400)

    assert set(traffic.before(began)) == {""}
    assert looked_up <= 2 * 4, "a look-up at each caller's first request at most"
    assert set(traffic.since(revoked_at)) == {_REVOKED}
    assert traffic.since(revoked_at).total() >= 300


async def test_without_redis_a_revoked_key_is_refused_as_well(
    sides: Sequence[Side], key: Key
) -> None:
    """Every request asks the database then, whatever was remembered before."""
    gateways = [side.authenticator(_SHORT_S) for side in sides]
    for gateway in gateways:
        await gateway.authenticate(None, key.key)
    traffic = Traffic(key.key)
    ways = [proxy for side in sides for proxy in (side.metadata_redis, side.gateway_redis)]
    async with down(*ways), traffic.at(*gateways):
        await traffic.has_answers(200)
        began = time.monotonic()
        revoked_at = await revoke(sides[0], key)
        await traffic.has_answers(200)

    assert set(traffic.before(began)) == {""}
    assert set(traffic.since(revoked_at)) == {_REVOKED}


async def test_a_revocation_that_redis_cannot_be_told_of_waits(
    sides: Sequence[Side], key: Key
) -> None:
    """Gateways that still reach Redis use their memory: the answer comes when it has ended."""
    gateways = [side.authenticator(_SHORT_S) for side in sides]
    traffic = Traffic(key.key)
    async with down(*(side.metadata_redis for side in sides)), traffic.at(*gateways):
        await traffic.has_answers(100)
        began = time.monotonic()
        revoked_at = await revoke(sides[0], key)
        await traffic.has_answers(100)

    assert revoked_at - began >= _SHORT_S
    assert set(traffic.before(began)) == {""}
    assert set(traffic.since(revoked_at)) == {_REVOKED}


@asynccontextmanager
async def down(*proxies: TcpProxy) -> AsyncIterator[None]:
    """Those ways to Redis are cut for the block, and used again after it."""
    for proxy in proxies:
        await proxy.go_down()
    try:
        yield
    finally:
        for proxy in proxies:
            await proxy.listen()


async def test_two_gateways_share_a_keys_quota(sides: Sequence[Side], key: Key) -> None:
    """Together they let in exactly so many, and every request is told another remainder."""
    rate = Rate(quota=100, window_s=10_000)
    allowances: list[Allowance] = []

    async def call(side: Side) -> None:
        for _ in range(20):
            taken = await side.shared.take(key.sha256, rate, None)
            if taken is not None and taken.allowance is not None:
                allowances.append(taken.allowance)

    await asyncio.gather(*(call(side) for side in sides for _ in range(4)))

    assert len(allowances) == 160
    assert sum(each.allowed for each in allowances) == 100
    assert sorted(each.remaining for each in allowances if each.allowed) == list(range(100))
    assert all(0 < each.retry_after_s <= 100 for each in allowances if not each.allowed)
    assert all(each.whole_in_s <= 10_000 for each in allowances)


async def test_what_is_kept_of_a_key_ends_by_itself(
    database_servers: Stack, sides: Sequence[Side], key: Key
) -> None:
    """Not before its quota is whole again, and not before it is remembered no more."""
    lives = []
    async with Redis.from_url(database_servers.env["REDIS_URL"]) as redis:
        for window_s in (1, 60):
            await sides[0].shared.take(key.sha256, Rate(9, window_s), None)
            lives.append(await redis.pttl(mark_name(key.sha256)))

    assert 10_000 < lives[0] <= 15_000
    assert 60_000 < lives[1] <= 61_000


async def test_a_slow_redis_costs_one_budget_and_no_error(sides: Sequence[Side], key: Key) -> None:
    """Then each gateway counts by itself, at the same rate, until Redis is back."""
    side = sides[0]
    settings = AuthSettings(5.0, 3, 2, Rate(1000, 1))
    gateway = Authenticator(side.records, side.shared, settings)
    await gateway.authenticate(None, key.key)
    side.gateway_redis.stall()
    began = time.monotonic()
    try:
        entrances = [await gateway.authenticate(None, key.key) for _ in range(8)]
        took_s = time.monotonic() - began
    finally:
        side.gateway_redis.flow()
        side.gateway_redis.cut()
    # One share of the quota comes back each third of a second.
    assert 6 <= sum(each.allowance.allowed for each in entrances) <= 6 + took_s * 3
    assert _BUDGET_S <= took_s < _BUDGET_S + 1.5
