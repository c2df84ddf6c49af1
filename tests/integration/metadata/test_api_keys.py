"""API keys: recorded by hash, resolved, expired and revoked."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from sheaf.metadata.v1 import metadata_pb2
from sheaf_common.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from sheaf_common.ids import new_id
from sheaf_metadata import create_key
from sheaf_metadata.adapters.mysql import api_keys
from support.metadata import Metadata, as_user
from support.waiting import until_answer


def new_key(**fields: Any) -> metadata_pb2.CreateApiKeyRequest:
    """A key to record."""
    request = metadata_pb2.CreateApiKeyRequest(
        key_id=str(new_id()),
        user_id="ann",
        name="Ann's laptop",
        prefix="shf_abc",
        sha256=hashlib.sha256(new_id().bytes).digest(),
        scopes=["documents:read", "documents:write"],
    )
    request.MergeFrom(metadata_pb2.CreateApiKeyRequest(**fields))
    return request


def key_with(
    key: metadata_pb2.CreateApiKeyRequest, *scopes: str
) -> metadata_pb2.CreateApiKeyRequest:
    """The same key under a new id, with other scopes."""
    other = metadata_pb2.CreateApiKeyRequest()
    other.CopyFrom(key)
    other.key_id = str(new_id())
    del other.scopes[:]
    other.scopes.extend(scopes)
    return other


def in_s(seconds: float) -> Timestamp:
    """A time from now."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return stamp


async def resolve(metadata: Metadata, sha256: bytes) -> metadata_pb2.ResolveApiKeyResponse:
    """The owner of a key."""
    answer: metadata_pb2.ResolveApiKeyResponse = await metadata.call(
        "ResolveApiKey", metadata_pb2.ResolveApiKeyRequest(sha256=sha256)
    )
    return answer


async def test_a_recorded_key_has_an_owner(metadata: Metadata) -> None:
    """With what it allows and when it ends."""
    key = new_key(expires_at=in_s(3600), rate_limit_per_s=7)
    created = await metadata.call("CreateApiKey", key)
    owner = await resolve(metadata, key.sha256)

    assert created.key_id == owner.key_id == key.key_id
    assert (owner.user_id, list(owner.scopes)) == ("ann", list(key.scopes))
    assert owner.rate_limit_per_s == 7
    assert owner.expires_at.ToMicroseconds() == key.expires_at.ToMicroseconds()


async def test_the_same_hash_again_answers_the_first_id(metadata: Metadata) -> None:
    """Also when many record it at once."""
    key = new_key()
    first = await metadata.call("CreateApiKey", key)
    others = [new_key(sha256=key.sha256) for _ in range(8)]
    answers = await asyncio.gather(*(metadata.call("CreateApiKey", each) for each in others))
    assert {answer.key_id for answer in answers} == {first.key_id}
    assert await metadata.sql("SELECT COUNT(*) FROM api_key") == [(1,)]


async def test_a_key_gets_the_scopes_that_it_lacks(metadata: Metadata) -> None:
    """At once for who asks this process, also when many add some; none is lost."""
    key = new_key()
    created = await metadata.call("CreateApiKey", key)
    await resolve(metadata, key.sha256)

    again = [key_with(key, f"extra:{number}") for number in range(6)]
    answers = await asyncio.gather(*(metadata.call("CreateApiKey", each) for each in again))
    owner = await resolve(metadata, key.sha256)
    assert {answer.key_id for answer in answers} == {created.key_id}
    assert set(owner.scopes) == {*key.scopes, *(f"extra:{number}" for number in range(6))}

    await metadata.call("CreateApiKey", key_with(key))
    assert len((await resolve(metadata, key.sha256)).scopes) == 8


async def test_a_key_has_sixteen_scopes_at_most(metadata: Metadata) -> None:
    """Also when it gets them one after another."""
    key = new_key()
    await metadata.call("CreateApiKey", key)
    await metadata.call("CreateApiKey", key_with(key, *(f"extra:{n}" for n in range(14))))
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("CreateApiKey", key_with(key, "one:more"))

    assert refused.value.evidence["field"] == "scopes"
    assert len((await resolve(metadata, key.sha256)).scopes) == 16


async def test_another_users_hash_is_refused(metadata: Metadata) -> None:
    """And so is a known id with another hash."""
    key = new_key()
    await metadata.call("CreateApiKey", key)
    for other in (new_key(sha256=key.sha256, user_id="bob"), new_key(key_id=key.key_id)):
        with pytest.raises(AlreadyExists) as refused:
            await metadata.call("CreateApiKey", other)
        assert refused.value.reason == "API_KEY_EXISTS"


async def test_the_first_key_is_recorded_by_a_command(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the key alone, and says what cannot be recorded."""
    monkeypatch.setenv("DATABASE_URL", metadata.settings.database.url.get_secret_value())
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("GRPC_TOKEN", "t")
    codes = [
        await asyncio.to_thread(create_key.main, ["--user", user, "--scopes", "ops,keys"])
        for user in ("ann", "a b")
    ]
    said = capsys.readouterr()
    owner = await resolve(metadata, hashlib.sha256(said.out.rstrip("\n").encode()).digest())

    assert codes == [0, 1]
    assert (owner.user_id, list(owner.scopes)) == ("ann", ["ops", "keys"])
    assert "FIELD_INVALID: user_id" in said.err


async def test_an_unknown_key_is_refused(metadata: Metadata) -> None:
    """And works as soon as it is recorded."""
    key = new_key()
    with pytest.raises(Unauthenticated) as refused:
        await resolve(metadata, key.sha256)
    assert refused.value.reason == "API_KEY_UNKNOWN"

    await metadata.call("CreateApiKey", key)
    assert (await resolve(metadata, key.sha256)).user_id == "ann"


async def test_an_expired_key_is_refused(metadata: Metadata) -> None:
    """From its very end, although it was resolved just before."""
    key = new_key(expires_at=in_s(0.6))
    await metadata.call("CreateApiKey", key)
    await resolve(metadata, key.sha256)
    async with asyncio.timeout(2):
        reason = await refusal_in_the_end(metadata, key.sha256)
    assert reason == "API_KEY_EXPIRED"
    assert datetime.now(UTC) >= key.expires_at.ToDatetime(tzinfo=UTC)


async def refusal_in_the_end(metadata: Metadata, sha256: bytes) -> str:
    """Resolves a key until it is refused; the reason."""
    while True:
        try:
            await resolve(metadata, sha256)
        except Unauthenticated as error:
            return error.reason


async def listed(metadata: Metadata, user_id: str = "ann", **fields: Any) -> Any:
    """A page of a user's keys."""
    with as_user(user_id):
        return await metadata.call("ListApiKeys", metadata_pb2.ListApiKeysRequest(**fields))


async def revoke(metadata: Metadata, key_id: str, user_id: str = "ann") -> metadata_pb2.ApiKey:
    """Revokes a key; it after that."""
    with as_user(user_id):
        answer: metadata_pb2.RevokeApiKeyResponse = await metadata.call(
            "RevokeApiKey", metadata_pb2.RevokeApiKeyRequest(key_id=key_id)
        )
    return answer.key


async def test_a_revoked_key_is_refused(metadata: Metadata) -> None:
    """From the answer on; repeated, it stays revoked since the first time."""
    key = new_key()
    await metadata.call("CreateApiKey", key)
    await resolve(metadata, key.sha256)
    first, second = [await revoke(metadata, key.key_id) for _ in range(2)]
    with pytest.raises(Unauthenticated) as refused:
        await resolve(metadata, key.sha256)

    assert refused.value.reason == "API_KEY_REVOKED"
    assert first.revoked_at.ToMicroseconds() == second.revoked_at.ToMicroseconds() > 0


async def test_a_user_sees_and_revokes_only_own_keys(metadata: Metadata) -> None:
    """Another one's key is not there."""
    key = new_key()
    await metadata.call("CreateApiKey", key)
    with pytest.raises(NotFound) as refused:
        await revoke(metadata, key.key_id, "bob")

    assert refused.value.reason == "API_KEY_NOT_FOUND"
    assert list((await listed(metadata, "bob")).keys) == []
    assert (await resolve(metadata, key.sha256)).user_id == "ann"


async def test_keys_are_listed_newest_first_page_by_page(metadata: Metadata) -> None:
    """With all that is recorded of them, ended ones included; no page repeats or skips one."""
    keys = [new_key(name=f"key {number}", rate_limit_per_s=number) for number in range(5)]
    for key in keys:
        await metadata.call("CreateApiKey", key)
    await revoke(metadata, keys[2].key_id)
    found, token = [], ""
    while True:
        page = await listed(metadata, page_size=2, page_token=token)
        found += page.keys
        if not (token := page.next_page_token):
            break

    assert [(key.key_id, key.name, key.rate_limit_per_s) for key in found] == [
        (key.key_id, key.name, key.rate_limit_per_s) for key in reversed(keys)
    ]
    assert [key.HasField("revoked_at") for key in found] == [False, False, True, False, False]
    assert {(key.prefix, tuple(key.scopes)) for key in found} == {
        ("shf_abc", ("documents:read", "documents:write"))
    }


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"page_token": "a2V5czE"}, "CURSOR_INVALID"),
        ({"page_token": "A" * 28}, "CURSOR_INVALID"),
        ({"page_size": 201}, "FIELD_INVALID"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    metadata: Metadata, fields: dict[str, Any], reason: str
) -> None:
    """By what is wrong with it."""
    with pytest.raises(InvalidInput) as refused:
        await listed(metadata, **fields)
    assert refused.value.reason == reason


async def test_the_last_use_of_a_key_is_recorded(metadata: Metadata) -> None:
    """Soon after it; within a minute it is not written again, whichever process noted it."""
    key = new_key()
    await metadata.call("CreateApiKey", key)
    assert not (await listed(metadata)).keys[0].HasField("last_used_at")
    await resolve(metadata, key.sha256)

    async def is_recorded() -> bool:
        (found,) = (await listed(metadata)).keys
        return bool(found.HasField("last_used_at"))

    await until_answer(is_recorded)
    ((written,),) = await metadata.sql("SELECT last_used_at FROM api_key")
    changed = []
    for age in ("59 SECOND", "1 MINUTE"):
        await metadata.sql(f"UPDATE api_key SET last_used_at = UTC_TIMESTAMP(6) - INTERVAL {age}")  # noqa: S608 - our own words
        (before,) = await metadata.sql("SELECT last_used_at FROM api_key")
        async with metadata.engine.begin() as connection:
            await connection.execute(api_keys.USED, {"ids": [UUID(key.key_id).bytes]})
        (after,) = await metadata.sql("SELECT last_used_at FROM api_key")
        changed.append(after != before)
    assert (changed, written is None) == ([False, True], False)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"sha256": b"short"}, "sha256"),
        ({"user_id": "a b"}, "user_id"),
        ({"prefix": "p" * 17}, "prefix"),
        ({"name": "n" * 256}, "name"),
        ({"scopes": ["a b"]}, "scopes"),
        ({"rate_limit_per_s": -1}, "rate_limit_per_s"),
    ],
)
async def test_a_field_that_cannot_be_recorded_is_named(
    metadata: Metadata, fields: dict[str, Any], field: str
) -> None:
    """Nothing is recorded."""
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("CreateApiKey", new_key(**fields))
    assert refused.value.evidence["field"] == field


async def test_a_user_cannot_make_another_ones_key(metadata: Metadata) -> None:
    """Internal callers may."""
    with as_user("bob"), pytest.raises(PermissionDenied):
        await metadata.call("CreateApiKey", new_key())
