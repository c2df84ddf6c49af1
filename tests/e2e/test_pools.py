"""The gauges of the running system agree with what the servers themselves say."""

import asyncio

from redis.asyncio import Redis
from sqlalchemy import text

from support.metrics import pool
from support.system import System


async def test_gauges_agree_with_the_servers(system: System) -> None:
    """Database connections with SHOW PROCESSLIST, Redis connections with INFO clients."""
    many = {f"{number}.txt": b"text number %d" % number for number in range(10)}
    accepted = await asyncio.gather(*(system.processed(many) for _ in range(8)))
    await system.finished([document_id for ids in accepted for document_id in ids])

    async with (
        system.engine.connect() as own,
        Redis.from_url(system.stack.env["REDIS_URL"]) as redis,
    ):
        shown = (await own.execute(text("SHOW PROCESSLIST"))).mappings().all()
        own_id = (await own.execute(text("SELECT CONNECTION_ID()"))).scalar_one()
        in_pools = [each for each in shown if each["User"] == "sheaf" and each["Id"] != own_id]
        opened = await pool(system, "metadata", "open", "db")
        idle = system.engine.pool.checkedin()  # type: ignore[attr-defined] # of the tests
        assert len(in_pools) - idle == opened > 1

        clients = (await redis.info("clients"))["connected_clients"]
        both = [await pool(system, name, "open", "redis") for name in ("metadata", "gateway")]
        assert clients - 1 == sum(both) > min(both) > 0
