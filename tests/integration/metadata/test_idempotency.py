"""Idempotency keys: one holder at a time, an end with the batch, an answer for a day."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import TextClause

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.errors import Conflict, InvalidInput, SheafError
from sheaf_common.ids import new_id
from sheaf_common.pools.database import database_pool
from sheaf_metadata.adapters.mysql import idempotency
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from sheaf_metadata.adapters.mysql.idempotency import MysqlIdempotencyKeys
from sheaf_metadata.service.idempotency import KeepIdempotency
from support.metadata import Metadata, as_user, duration, new_document
from support.metadata_plans import explained

FINGERPRINT = b"f" * 32


async def begin(
    metadata: Metadata,
    holder_id: str,
    key: str = "key-1",
    *,
    lease_s: float = 60,
    user_id: str = "ann",
) -> metadata_pb2.BeginIdempotentResponse:
    """Begins the work on a key."""
    request = metadata_pb2.BeginIdempotentRequest(
        idempotency_key=key, holder_id=holder_id, lease_ttl=duration(lease_s)
    )
    with as_user(user_id):
        answer: metadata_pb2.BeginIdempotentResponse = await metadata.call(
            "BeginIdempotent", request
        )
    return answer


async def renew(metadata: Metadata, holder_id: str, *, lease_s: float = 60) -> None:
    """Extends a lease."""
    request = metadata_pb2.RenewIdempotentRequest(
        idempotency_key="key-1", holder_id=holder_id, lease_ttl=duration(lease_s)
    )
    with as_user("ann"):
        await metadata.call("RenewIdempotent", request)


async def abandon(metadata: Metadata, holder_id: str) -> None:
    """Gives a key back."""
    request = metadata_pb2.AbandonIdempotentRequest(idempotency_key="key-1", holder_id=holder_id)
    with as_user("ann"):
        await metadata.call("AbandonIdempotent", request)


def registration(holder_id: str, *names: str) -> metadata_pb2.RegisterBatchRequest:
    """A batch that ends the work on the key."""
    return metadata_pb2.RegisterBatchRequest(
        batch_id=str(new_id()),
        documents=[new_document(name) for name in names or ("a.txt",)],
        idempotency=metadata_pb2.IdempotentOutcome(
            idempotency_key="key-1", holder_id=holder_id, fingerprint=FINGERPRINT, answer=b"kept"
        ),
    )


async def register(
    metadata: Metadata, request: metadata_pb2.RegisterBatchRequest
) -> metadata_pb2.RegisterBatchResponse:
    """Registers a batch for ann."""
    with as_user("ann"):
        answer: metadata_pb2.RegisterBatchResponse = await metadata.call("RegisterBatch", request)
    return answer


async def fill(metadata: Metadata, keys: int, life: str) -> None:
    """Makes records of ann's that nobody holds, to be kept so long from now."""
    await metadata.sql(
        "INSERT INTO idempotency_key (user_id, idempotency_key, holder_id, lease_expires_at,"  # noqa: S608 - our own words
        " created_at, expires_at) SELECT 'ann', CONCAT(seq, '-', UUID()), UNHEX(MD5(seq)),"
        f" UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + {life} FROM seq_1_to_{keys}"
    )
    await metadata.sql("ANALYZE TABLE idempotency_key")


@pytest.fixture
async def keeping(service: Metadata) -> AsyncIterator[KeepIdempotency]:
    """The use cases over the database, as a process of their own."""
    async with database_pool(service.settings.database, lock_wait_s=LOCK_WAIT_S) as pool:
        database = Database(pool, transaction_s=1.0)
        yield KeepIdempotency(MysqlIdempotencyKeys(database, life_s=3600))


async def count(metadata: Metadata, table: str) -> int:
    """How many rows there are."""
    ((rows,),) = await metadata.sql(f"SELECT COUNT(*) FROM {table}")  # noqa: S608 - our own names
    return int(rows)


async def test_a_key_is_answered_as_its_work_ended(metadata: Metadata) -> None:
    """To whoever asks, as it was then, whatever became of the documents since."""
    holder_id = str(new_id())
    assert not (await begin(metadata, holder_id)).HasField("answered")
    request = registration(holder_id, "b.txt", "a.txt")
    first = await register(metadata, request)
    await metadata.claimed()

    answered = (await begin(metadata, str(new_id()))).answered
    assert (answered.fingerprint, answered.answer) == (FINGERPRINT, b"kept")
    assert answered.registered.batch.batch_id == request.batch_id
    assert [each.document_id for each in answered.registered.documents] == [
        each.document_id for each in first.documents
    ]
    assert {each.status for each in answered.registered.documents} == {
        document_pb2.DOCUMENT_STATUS_QUEUED
    }


async def test_a_key_has_one_holder(metadata: Metadata) -> None:
    """Of twenty that begin at once; the others are told how long its lease lasts."""
    begun = await asyncio.gather(
        *(begin(metadata, str(new_id()), lease_s=30) for _ in range(20)), return_exceptions=True
    )
    refusals = [each for each in begun if isinstance(each, SheafError)]

    assert len(refusals) == 19
    assert {type(each) for each in refusals} == {Conflict}
    assert {each.reason for each in refusals} == {"IDEMPOTENCY_KEY_IN_FLIGHT"}
    assert all(25 < (each.retry_after_s or 0) <= 30 for each in refusals)


async def test_keys_are_each_users_own(metadata: Metadata) -> None:
    """And differ by case."""
    for user_id, key in (("ann", "key-1"), ("bob", "key-1"), ("ann", "KEY-1")):
        begun = await begin(metadata, str(new_id()), key, user_id=user_id)
        assert not begun.HasField("answered")


async def test_the_same_holder_may_begin_again(metadata: Metadata) -> None:
    """It asks so after an answer that did not come."""
    holder_id = str(new_id())
    await begin(metadata, holder_id)
    assert not (await begin(metadata, holder_id)).HasField("answered")


async def test_a_lease_that_ran_out_is_taken_over(metadata: Metadata) -> None:
    """By one of many; the holder before has lost the key, and registers nothing."""
    lost = str(new_id())
    await begin(metadata, lost, lease_s=0.001)
    holders = [str(new_id()) for _ in range(8)]
    begun = await asyncio.gather(
        *(begin(metadata, each) for each in holders), return_exceptions=True
    )
    (holder_id,) = (
        holder
        for holder, each in zip(holders, begun, strict=True)
        if not isinstance(each, BaseException)
    )

    for work in (renew(metadata, lost), register(metadata, registration(lost))):
        with pytest.raises(Conflict) as refused:
            await work
        assert refused.value.reason == "IDEMPOTENCY_KEY_LOST"
    await abandon(metadata, lost)
    assert [await count(metadata, table) for table in ("batch", "document", "event")] == [0, 0, 0]
    await renew(metadata, holder_id)
    await register(metadata, registration(holder_id))
    assert await count(metadata, "batch") == 1


async def test_a_renewed_lease_is_not_taken_over(metadata: Metadata) -> None:
    """Nor one that ran out, while its holder registers before anybody else comes."""
    holder_id = str(new_id())
    await begin(metadata, holder_id, lease_s=0.001)
    await renew(metadata, holder_id)
    with pytest.raises(Conflict):
        await begin(metadata, str(new_id()))

    await renew(metadata, holder_id, lease_s=0.001)
    await register(metadata, registration(holder_id))
    assert (await begin(metadata, str(new_id()))).HasField("answered")


async def test_an_abandoned_key_is_as_if_it_had_not_been_used(metadata: Metadata) -> None:
    """An answered one stays."""
    first, second = str(new_id()), str(new_id())
    await begin(metadata, first)
    await abandon(metadata, first)
    assert not (await begin(metadata, second)).HasField("answered")
    await register(metadata, registration(second))

    await abandon(metadata, second)
    assert (await begin(metadata, str(new_id()))).HasField("answered")


async def test_registering_again_answers_what_is_kept(metadata: Metadata) -> None:
    """A holder that does not know whether it has registered finds its own end, also at once."""
    holder_id = str(new_id())
    await begin(metadata, holder_id)
    request = registration(holder_id, "a.txt", "b.txt")
    answers = await asyncio.gather(*(register(metadata, request) for _ in range(6)))
    assert [await count(metadata, table) for table in ("batch", "document", "event")] == [1, 2, 2]
    await metadata.claimed()
    again = await register(metadata, request)

    for answer in (*answers, again):
        assert [(each.document_id, each.status) for each in answer.documents] == [
            (new.document_id, document_pb2.DOCUMENT_STATUS_QUEUED) for new in request.documents
        ]


async def test_a_key_ends_with_one_batch_only(metadata: Metadata) -> None:
    """Another batch under it is refused whole."""
    holder_id = str(new_id())
    await begin(metadata, holder_id)
    await register(metadata, registration(holder_id))
    with pytest.raises(Conflict) as refused:
        await register(metadata, registration(holder_id))
    assert refused.value.reason == "IDEMPOTENCY_KEY_LOST"
    assert await count(metadata, "batch") == await count(metadata, "event") == 1


async def test_a_refused_batch_leaves_its_key_to_its_holder(metadata: Metadata) -> None:
    """Nothing is registered, nothing is answered."""
    holder_id = str(new_id())
    await begin(metadata, holder_id)
    request = registration(holder_id)
    request.documents.add().CopyFrom(request.documents[0])
    with pytest.raises(InvalidInput):
        await register(metadata, request)
    await renew(metadata, holder_id)


async def test_an_expired_record_is_as_if_it_were_not_there(metadata: Metadata) -> None:
    """After the time that it is kept; the work begins anew, and is kept as long again."""
    holder_id = str(new_id())
    await begin(metadata, holder_id)
    ((kept_h,),) = await metadata.sql(
        "SELECT TIMESTAMPDIFF(HOUR, created_at, expires_at) FROM idempotency_key"
    )
    assert kept_h == 24
    await register(metadata, registration(holder_id))
    await metadata.sql(
        "UPDATE idempotency_key SET expires_at = UTC_TIMESTAMP(6),"
        " lease_expires_at = UTC_TIMESTAMP(6)"
    )

    again = str(new_id())
    assert not (await begin(metadata, again)).HasField("answered")
    await register(metadata, registration(again))
    assert await count(metadata, "batch") == 2
    assert (await begin(metadata, str(new_id()))).HasField("answered")


async def test_expired_records_are_pruned_and_no_others(
    metadata: Metadata, keeping: KeepIdempotency
) -> None:
    """Also by two at once, and more than one transaction's worth; each by its index."""
    await fill(metadata, 1200, "INTERVAL 0 SECOND")
    await fill(metadata, 3000, "INTERVAL 1 HOUR")
    holder_id = new_id()
    await begin(metadata, str(holder_id))
    held = {"user_id": "ann", "key": "key-1", "holder_id": holder_id.bytes}
    statements: list[tuple[TextClause, dict[str, Any], str]] = [
        (idempotency.FIND, held, "PRIMARY"),
        (idempotency.TAKE_OVER, {**held, "lease_us": 1, "life_s": 1}, "PRIMARY"),
        (idempotency.RENEW, {**held, "lease_us": 1}, "PRIMARY"),
        (idempotency.ABANDON, held, "PRIMARY"),
        (
            idempotency.COMPLETE,
            {**held, "fingerprint": FINGERPRINT, "answer": b"", "registered": b""},
            "PRIMARY",
        ),
        (idempotency.PRUNE, {"limit": 500}, "idempotency_expiry_idx"),
    ]
    async with metadata.engine.connect() as connection:
        for statement, parameters, index in statements:
            (row,) = await explained(connection, statement, parameters)
            assert row.key == index, statement
            assert "filesort" not in (row.Extra or "")

    pruned = await asyncio.gather(keeping.prune_all(), keeping.prune_all())
    assert sum(pruned) == 1200
    assert await count(metadata, "idempotency_key") == 3001


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("idempotency_key", ""),
        ("idempotency_key", "x" * 256),
        ("idempotency_key", "a\n"),
        ("idempotency_key", "a "),
        ("idempotency_key", "ü"),
        ("holder_id", "me"),
        ("lease_ttl", duration(0)),
        ("lease_ttl", duration(301)),
    ],
)
async def test_what_can_be_no_key_is_refused(metadata: Metadata, field: str, value: object) -> None:
    """With the field's name."""
    fields: dict[str, Any] = {
        "idempotency_key": "k", "holder_id": str(new_id()), "lease_ttl": duration(60), field: value
    }  # fmt: skip
    with as_user("ann"), pytest.raises(InvalidInput) as refused:
        await metadata.call("BeginIdempotent", metadata_pb2.BeginIdempotentRequest(**fields))
    assert refused.value.evidence["field"] == field


async def test_a_call_without_a_user_is_refused(metadata: Metadata) -> None:
    """A key is a user's."""
    request = metadata_pb2.BeginIdempotentRequest(
        idempotency_key="k", holder_id=str(new_id()), lease_ttl=duration(60)
    )
    with pytest.raises(InvalidInput) as refused:
        await metadata.call("BeginIdempotent", request)
    assert refused.value.reason == "USER_MISSING"
