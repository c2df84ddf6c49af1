"""Idempotency keys between the real gateway's adapters and the real metadata service."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from sheaf_common.errors import Conflict
from sheaf_common.ids import new_id
from sheaf_dev.stack import Stack
from sheaf_gateway.adapters.idempotency import GrpcIdempotencyKeys
from sheaf_gateway.adapters.metadata import GrpcRecords
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.domain.object_keys import object_key
from sheaf_gateway.domain.registration import NewBatch
from sheaf_gateway.domain.uploads import AcceptedFile, StoredObject
from sheaf_gateway.idempotency import KEY_IN_FLIGHT, KEY_LOST, HeldKey, KeyOutcome
from support.metadata import Metadata, as_user, create_database, metadata_settings, served


@pytest.fixture(scope="module")
async def metadata(database_servers: Stack) -> AsyncIterator[Metadata]:
    """The service over a new database."""
    env = database_servers.env
    url = await create_database(env["DATABASE_URL"], f"test_{new_id().hex}")
    async with served(metadata_settings(url, env["REDIS_URL"])) as service:
        yield service


def batch(outcome: KeyOutcome, *names: str) -> NewBatch:
    """Files that end the work on a key."""
    files = [(new_id(), name) for name in names]
    stored = [StoredObject(object_key(each), 10, bytes(32), "text/plain") for each, _ in files]
    accepted = (AcceptedFile(*file, it) for file, it in zip(files, stored, strict=True))
    return NewBatch(new_id(), "tax", tuple(accepted), idempotency=outcome)


async def refusal(keys: GrpcIdempotencyKeys, held: HeldKey) -> Conflict:
    """Why a key is not given."""
    with pytest.raises(Conflict) as refused:
        await keys.begin(held, 60)
    return refused.value


async def test_a_key_is_held_renewed_and_answered(metadata: Metadata) -> None:
    """With what was kept, and the documents in the order of the files."""
    keys, records = GrpcIdempotencyKeys(metadata.peer, 10), GrpcRecords(metadata.peer, 10)
    first, second = HeldKey("key 1", uuid4()), HeldKey("key 1", uuid4())
    registered = batch(KeyOutcome(first, b"f" * 32, b"kept"), "b.txt", "a.txt")
    with as_user("ann"):
        assert await keys.begin(first, 0.001) is None
        await keys.renew(first, 30)
        refused = await refusal(keys, second)
        documents = (await records.register(registered, timeout_s=10)).documents
        again = (await records.register(registered, timeout_s=10)).documents
        answered = await keys.begin(second, 60)

    assert refused.reason == KEY_IN_FLIGHT
    assert 20 < (refused.retry_after_s or 0) <= 30
    assert answered is not None
    assert (answered.fingerprint, answered.answer) == (b"f" * 32, b"kept")
    expected = [(str(file.document_id), DocumentStatus.QUEUED) for file in registered.files]
    for found in (documents, again, answered.documents):
        assert [(each.document_id, each.status) for each in found] == expected


async def test_a_key_that_is_lost_registers_nothing_and_one_given_back_is_free(
    metadata: Metadata,
) -> None:
    """The holder before learns it from each call."""
    keys, records = GrpcIdempotencyKeys(metadata.peer, 10), GrpcRecords(metadata.peer, 10)
    first, second, third = (HeldKey("key 2", uuid4()) for _ in range(3))
    late = batch(KeyOutcome(first, b"f" * 32, b"kept"), "a.txt")
    with as_user("ann"):
        await keys.begin(first, 0.001)
        assert await keys.begin(second, 60) is None
        for work in (keys.renew(first, 60), records.register(late, timeout_s=10)):
            with pytest.raises(Conflict) as refused:
                await work
            assert refused.value.reason == KEY_LOST
        await keys.abandon(first)
        assert (await refusal(keys, third)).reason == KEY_IN_FLIGHT
        await keys.abandon(second)
        assert await keys.begin(third, 60) is None
    rows = await metadata.sql("SELECT 1 FROM batch WHERE id = :id", id=late.batch_id.bytes)
    assert rows == []
