"""Claims about the embedded servers, asked through the variables that the stack exports."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncmy
import asyncmy.errors
import boto3
import psutil
import pytest
import redis.asyncio

from sheaf_dev.credentials import Credentials
from sheaf_dev.embedded import SERVERS
from sheaf_dev.embedded.mariadb import MariaDB
from sheaf_dev.probes import http_status
from sheaf_dev.stack import Stack


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """All servers, no services."""
    async with Stack.private(tmp_path_factory.mktemp("servers"), services=()) as stack:
        yield stack


async def query(stack: Stack, *statements: str) -> Any:
    """Runs statements in the database that DATABASE_URL names; the last one's first row."""
    url = urlsplit(stack.env["DATABASE_URL"])
    connection = await asyncmy.connect(
        host=url.hostname,
        port=url.port,
        user=url.username,
        password=url.password,
        database=url.path.strip("/"),
        autocommit=True,
    )
    try:
        async with connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
            return await cursor.fetchone()
    finally:
        connection.close()


def s3(stack: Stack) -> Any:
    """A client as a service would make it."""
    return boto3.client(
        "s3",
        endpoint_url=stack.env["S3_ENDPOINT_URL"],
        region_name=stack.env["S3_REGION"],
        aws_access_key_id=stack.env["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=stack.env["S3_SECRET_ACCESS_KEY"],
    )


@pytest.mark.parametrize("name", SERVERS)
async def test_a_started_server_serves(stack: Stack, name: str) -> None:
    """It answers the question that says so."""
    await stack.ask(name)


@pytest.mark.parametrize("name", SERVERS)
async def test_a_server_listens_on_loopback_only(stack: Stack, name: str) -> None:
    """And on the port that the stack gives out."""
    connections = psutil.Process(stack.pid(name)).net_connections("inet")
    listening = {c.laddr for c in connections if c.status == psutil.CONN_LISTEN}
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert stack.port(name) in {address.port for address in listening}


async def test_the_database_is_durable_and_speaks_utf8(stack: Stack) -> None:
    """As the services expect it."""
    row = await query(
        stack,
        "SELECT @@innodb_flush_log_at_trx_commit, @@character_set_server, @@global.time_zone,"
        " @@max_connections",
    )
    assert row == (1, "utf8mb4", "+00:00", 500)


async def test_the_database_shares_no_temporary_files(stack: Stack) -> None:
    """Another server that starts would remove its temporary tables under it."""
    folder = stack.layout.state_dir / "mariadb-tmp"
    assert await query(stack, "SELECT @@tmpdir") == (str(folder),)


def test_the_database_is_set_up_in_no_shared_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that are set up at once would remove each other's temporary tables, and fail."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    server = MariaDB(tmp_path / "mariadb", {"mysql": 3306}, Credentials())
    server.prepare(lambda _: None)
    assert (server.directory / "mysql").is_dir()


async def test_the_database_knows_nobody_without_password(stack: Stack) -> None:
    """Not even root on loopback."""
    with pytest.raises(asyncmy.errors.OperationalError, match="Access denied"):
        await asyncmy.connect(host="127.0.0.1", port=stack.port("mariadb"), user="root")


async def test_rows_survive_a_killed_database(stack: Stack) -> None:
    """What was committed is there after kill -9, on the same port."""
    await query(stack, "CREATE TABLE kept (id INT)", "INSERT INTO kept VALUES (7)")
    port = stack.port("mariadb")
    await stack.kill_process("mariadb")
    await stack.start_process("mariadb")
    assert stack.port("mariadb") == port
    assert await query(stack, "SELECT id FROM kept") == (7,)


async def test_objects_survive_a_killed_store(stack: Stack) -> None:
    """What was put is there after kill -9, and more can be put at once."""
    s3(stack).put_object(Bucket=stack.env["S3_BUCKET"], Key="kept", Body=b"x" * 100_000)
    await stack.kill_process("seaweedfs")
    await stack.start_process("seaweedfs")
    client = s3(stack)
    client.put_object(Bucket=stack.env["S3_BUCKET"], Key="more", Body=b"y")
    kept = client.get_object(Bucket=stack.env["S3_BUCKET"], Key="kept")["Body"].read()
    assert kept == b"x" * 100_000


async def test_the_store_has_room_for_several_buckets(stack: Stack) -> None:
    """Each of which has volumes of its own."""
    client = s3(stack)
    for name in ("one", "two", "three", "four"):
        client.create_bucket(Bucket=name)
        client.put_object(Bucket=name, Key="key", Body=b"x" * 1_000_000)
    sizes = [client.head_object(Bucket=n, Key="key")["ContentLength"] for n in ("one", "four")]
    assert sizes == [1_000_000, 1_000_000]


async def test_the_cache_forgets_instead_of_refusing(stack: Stack) -> None:
    """It is bounded, evicts the least recently used, and writes nothing to disk."""
    async with redis.asyncio.from_url(stack.env["REDIS_URL"], decode_responses=True) as client:
        names = ("maxmemory", "maxmemory-policy", "appendonly", "save")
        settings = await client.config_get(*names)
    assert settings == {
        "maxmemory": str(256 * 1024 * 1024),
        "maxmemory-policy": "allkeys-lru",
        "appendonly": "no",
        "save": "",
    }


async def test_temporal_comes_back_where_it_was(stack: Stack) -> None:
    """Stopped and started again: same address, and its UI with it."""
    before = stack.address("temporal")
    await stack.stop_process("temporal")
    assert not stack.is_running("temporal")
    await stack.start_process("temporal")
    assert stack.address("temporal") == before
    assert await http_status(stack.port("temporal", "ui"), "/") == 200
