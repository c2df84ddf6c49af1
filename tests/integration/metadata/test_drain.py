"""How fast the queues are worked off, as the database knows it: whoever claims, all count."""

from sheaf_common.pools.database import database_pool
from sheaf_metadata.adapters.mysql.database import LOCK_WAIT_S, Database
from sheaf_metadata.adapters.mysql.sweeping import MysqlHousekeeping
from sheaf_metadata.domain.documents import Lane
from sheaf_metadata.service.backlog import WatchBacklog
from support.metadata import OCR, Metadata, metadata_settings, needs_ocr


async def test_claims_through_any_replica_count_in_the_lane_of_the_claim(
    metadata: Metadata, database_url: str
) -> None:
    """Though the document is in another by then; each claim of the OCR lane counts there."""
    now = 0.0
    settings = metadata_settings(database_url, "redis://unused").database
    async with database_pool(settings, lock_wait_s=LOCK_WAIT_S) as pool:
        other = WatchBacklog(MysqlHousekeeping(Database(pool, transaction_s=1.0)), lambda: now)
        await other.look()
        await metadata.registered(8)
        group = await metadata.claimed(max_documents=5)
        scans = [each.document_id for each in group.documents[:2]]
        await metadata.record(group.workflow_id, *map(needs_ocr, scans))
        await metadata.claimed(lane=OCR, max_documents=1)
        now = 5.0
        await other.look()
        now = 7.0
        rates = {each.lane: each.drained_per_second for each in await other.look()}

    assert rates == {Lane.TEXT: 1.0, Lane.OCR: 0.2}
