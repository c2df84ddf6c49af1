"""The gauges of the running system agree with what the servers themselves say."""

import asyncio

from redis.asyncio import Redis
from sqlalchemy import text

from support.metrics import pool
from support.system import System
from support.waiting import until_answer


async def test_gauges_agree_with_the_servers(system: System) -> None:
    """Database connections with SHOW PROCESSLIST, Redis connections with INFO clients."""
    many = {f"{number}.txt": b"text number %d" % number for number in range(10)}
    accepted = await asyncio.gather(*(system.processed(many) for _ in range(8)))
    await system.finished([document_id for ids in accepted for document_id in ids])

    # Gauges and lists cannot be read at one moment: a connection may come in between.
    await until_answer(lambda: _database_agrees(system))
    await until_answer(lambda: _redis_agrees(system))


async def _database_agrees(system: System) -> bool:
    async with system.engine.connect() as own:
        shown = (await own.execute(text("SHOW PROCESSLIST"))).mappings().all()
        own_id = (await own.execute(text("SELECT CONNECTION_ID()"))).scalar_one()
        in_pools = [each for each in shown if each["User"] == "sheaf" and each["Id"] != own_id]
        opened = await pool(system, "metadata", "open", "db")
        idle = system.engine.pool.checkedin()  # type: ignore[attr-defined] # of the tests
        return bool(len(in_pools) - idle == opened > 1)


async def _redis_agrees(system: System) -> bool:
    async with Redis.from_url(system.stack.env["REDIS_URL"]) as redis:
        clients = (await redis.info("clients"))["connected_clients"]
        both = [await pool(system, name, "open", "redis") for name in ("metadata", "gateway")]
        return bool(clients - 1 == sum(both) > min(both) > 0)
