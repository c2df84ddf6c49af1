"""What is measured of each pool: the smallest operation that needs a connection of it.

Every subject is opened over real servers with the variables given, as a service opens it.
"""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from sheaf_common.ids import new_id
from sheaf_common.pools.database import DatabaseSettings, database_pool
from sheaf_common.pools.redis import RedisSettings, redis_client
from sheaf_common.pools.s3 import S3Settings, s3_client_pool
from sheaf_dev.bench.callers import Operation

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Variables = Mapping[str, str]
Subject = Callable[[Variables], AbstractAsyncContextManager[Operation]]
"""Opens a pool from its variables; the operation uses it."""

OBJECT_BYTES: Final = 64 * 1024
_THREADS: Final = 64
_KEYS: Final = 16
_ROWS: Final = 1000
_VALUE: Final = os.urandom(512)
_CREATE: Final = (
    "CREATE TABLE {table} (id INT PRIMARY KEY, name VARCHAR(64), size BIGINT,"
    " state VARCHAR(16), changed DATETIME(6))"
)
_FILL: Final = (
    "INSERT INTO {table} SELECT seq, MD5(seq), seq * 7, 'queued', UTC_TIMESTAMP(6)"
    " FROM seq_1_to_{rows}"
)
_READ: Final = "SELECT id, name, size, state, changed FROM {table} WHERE id = :id"


@asynccontextmanager
async def s3_operations(variables: Variables) -> AsyncIterator[Operation]:
    """Alternately puts an object of 64 KiB and gets one."""
    settings = S3Settings.model_validate(variables)
    content = os.urandom(OBJECT_BYTES)
    numbers = itertools.count()

    def put(client: "S3Client", number: int) -> None:
        client.put_object(Bucket=settings.bucket, Key=f"bench/{number % _KEYS}", Body=content)

    def get(client: "S3Client", number: int) -> None:
        answer = client.get_object(Bucket=settings.bucket, Key=f"bench/{number % _KEYS}")
        if len(answer["Body"].read()) != OBJECT_BYTES:
            raise RuntimeError("the object that came back is not what was put")

    with ThreadPoolExecutor(_THREADS, "bench-s3") as threads:
        async with s3_client_pool(settings) as pool:

            async def run(work: "Callable[[S3Client, int], None]", number: int) -> None:
                async with pool.lease() as client:
                    loop = asyncio.get_running_loop()
                    await loop.run_in_executor(threads, work, client, number)

            for key in range(_KEYS):
                await run(put, key)

            async def operate() -> None:
                number = next(numbers)
                await run(get if number % 2 else put, number // 2)

            yield operate


@asynccontextmanager
async def database_operations(variables: Variables) -> AsyncIterator[Operation]:
    """Reads one row by its key."""
    table = f"bench_{new_id().hex}"
    read = text(_READ.format(table=table))
    numbers = itertools.count()
    async with database_pool(DatabaseSettings.model_validate(variables)) as pool:
        async with pool.connection() as connection:
            await connection.exec_driver_sql(_CREATE.format(table=table))
            await connection.exec_driver_sql(_FILL.format(table=table, rows=_ROWS))

        async def operate() -> None:
            wanted = next(numbers) % _ROWS + 1
            async with pool.connection() as connection:
                row = (await connection.execute(read, {"id": wanted})).one()
                if row.id != wanted:
                    raise RuntimeError("the row that came back is not what was asked for")

        yield operate


@asynccontextmanager
async def redis_operations(variables: Variables) -> AsyncIterator[Operation]:
    """Gets a value of 512 bytes."""
    async with redis_client(RedisSettings.model_validate(variables)) as client:
        await client.set("bench", _VALUE)

        async def operate() -> None:
            if await client.get("bench") != _VALUE:
                raise RuntimeError("the value that came back is not what was set")

        yield operate
