"""Nobody starves: where a single file comes in line beside a flood, in both lanes."""

import pytest

from sheaf.metadata.v1 import document_pb2, metadata_pb2
from sheaf_common.ids import new_id
from support.metadata import (
    OCR,
    TEXT,
    Metadata,
    attachment,
    holding,
    needs_ocr,
    new_document,
)


async def position(
    metadata: Metadata, document_id: str, lane: document_pb2.Lane.ValueType = TEXT
) -> int:
    """How many documents of a lane are claimed before that one, of at most a hundred."""
    group = await metadata.claimed(lane=lane)
    return [each.document_id for each in group.documents].index(document_id)


async def to_ocr(metadata: Metadata, group: metadata_pb2.ClaimedGroup) -> None:
    """Hands a group over."""
    await metadata.record(
        group.workflow_id, *(needs_ocr(each.document_id) for each in group.documents)
    )


async def test_a_single_file_is_next_whatever_another_has_queued(metadata: Metadata) -> None:
    """A flood of a thousand files that is worked off slower than was estimated.

    Its last file was due a while ago; one that comes only now is not put behind it.
    """
    flood = f"flood-{new_id()}"
    await metadata.register(*(new_document(size_bytes=10**7) for _ in range(1000)), user_id=flood)
    await metadata.claimed(max_documents=50)
    await metadata.sql("UPDATE document SET claim_at = claim_at - INTERVAL 5 MINUTE")
    (single,) = await metadata.registered(1, user_id="modest")
    await metadata.registered(50, user_id=flood)
    assert await position(metadata, single) <= 2


async def test_a_single_scan_is_next_whatever_another_has_queued(metadata: Metadata) -> None:
    """In the lane that scans are handed over to, each user has a queue of its own as well."""
    await metadata.registered(60, user_id=f"flood-{new_id()}")
    await to_ocr(metadata, await metadata.claimed())
    await metadata.claimed(lane=OCR, max_documents=2)
    (single,) = await metadata.registered(1, user_id="modest")
    await to_ocr(metadata, await metadata.claimed())
    assert await position(metadata, single, OCR) <= 2


async def test_attachments_are_their_owners_share(metadata: Metadata) -> None:
    """A mail with a hundred large files stands before nobody else's single one."""
    (mail,) = await metadata.registered(1, user_id=f"flood-{new_id()}")
    group = await metadata.claimed()
    files = [attachment(mail, f"{number}", size_bytes=10**8) for number in range(100)]
    await metadata.record(group.workflow_id, holding(mail, *files))
    (single,) = await metadata.registered(1, user_id="modest")
    assert await position(metadata, single) <= 2


@pytest.mark.parametrize("lane", [TEXT, OCR])
async def test_priority_is_a_bounded_shift(
    metadata: Metadata, lane: document_pb2.Lane.ValueType
) -> None:
    """High before normal before low, in both lanes; what has waited a minute longer is before."""
    (old,) = await metadata.registered(1, user_id="old")
    priorities = (
        document_pb2.PRIORITY_LOW,
        document_pb2.PRIORITY_NORMAL,
        document_pb2.PRIORITY_HIGH,
    )
    ids = [
        (await metadata.registered(1, user_id=f"u{each}", priority=each))[0] for each in priorities
    ]
    if lane == OCR:
        await to_ocr(metadata, await metadata.claimed())
    await metadata.sql(
        "UPDATE document SET claim_at = claim_at - INTERVAL 61 SECOND WHERE user_id = 'old'"
    )
    group = await metadata.claimed(lane=lane)
    assert [each.document_id for each in group.documents] == [old, *reversed(ids)]


async def test_a_flood_is_not_put_off_for_ever(metadata: Metadata) -> None:
    """What comes over an hour after it was due is behind it."""
    await metadata.registered(2, user_id=f"flood-{new_id()}", product="flood")
    await metadata.sql("UPDATE document SET claim_at = claim_at - INTERVAL 2 HOUR")
    (single,) = await metadata.registered(1, user_id="modest")
    assert await position(metadata, single) == 2
