"""Storage as a process of its own: start, metrics, drain, and bad configuration."""

import asyncio
import json
import re
import signal
from typing import Any
from urllib.request import urlopen

from sheaf.storage.v1 import storage_pb2
from support.storage_process import process, started

LARGE = b"%PDF-1.7\n" + bytes(range(256)) * (30 * 2**20 // 256)


async def test_sigterm_lets_a_running_download_end(
    environment: dict[str, str], prefix: str
) -> None:
    """The reader gets every byte, new calls are refused, and the process exits 0."""
    key = f"{prefix}original"
    async with started(environment) as (running, service):
        await service.put(key, LARGE)
        request = storage_pb2.GetObjectRequest(key=key)
        answers = service.peer.receive_stream(service.stub.GetObject, request, timeout_s=60)
        content = (await anext(answers)).data
        running.send_signal(signal.SIGTERM)
        await _until_logged(running, "stopping")
        async for answer in answers:
            content += answer.data
        code = await asyncio.wait_for(running.wait(), 20)

    assert content == LARGE
    assert code == 0


async def test_operators_see_operations_and_the_pool(
    environment: dict[str, str], prefix: str, unused_tcp_port: int
) -> None:
    """Latency by operation and outcome, and how full the pool and the buffers are."""
    environment |= {"STORAGE_METRICS_PORT": str(unused_tcp_port)}
    async with started(environment) as (_, service):
        await service.put(f"{prefix}original", b"some text")
        await service.get(f"{prefix}original")
        text = await asyncio.to_thread(_scrape, unused_tcp_port)

    for sample in (
        r'sheaf_s3_operation_seconds_count\{operation="put_object",outcome="ok"\} 1\.0',
        r'sheaf_s3_operation_seconds_count\{operation="get_object",outcome="ok"\} 1\.0',
        r'sheaf_pool_size\{pool="s3"\} 200\.0',
        r'sheaf_pool_used\{pool="s3"\} \d',
        r'sheaf_pool_waiting\{pool="s3"\} 0\.0',
        r'sheaf_storage_buffer_bytes\{kind="parts"\} 0\.0',
        r'sheaf_storage_bytes_total\{direction="put"\} 9\.0',
        r'sheaf_storage_bytes_total\{direction="get"\} 9\.0',
        r'sheaf_grpc_server_seconds_count\{code="OK",method="[^"]*PutObject"\} 1\.0',
    ):
        assert re.search(sample, text), sample


async def test_bad_variables_are_all_named_at_once(environment: dict[str, str]) -> None:
    """Exit code 2, and every one of them on standard error."""
    bad = environment | {"STORAGE_PART_SIZE_BYTES": "1024", "S3_POOL_SIZE": "0", "S3_BUCKET": ""}
    async with process(bad) as running:
        _, errors = await asyncio.wait_for(running.communicate(), 20)

    assert running.returncode == 2
    assert [
        name
        for name in ("STORAGE_PART_SIZE_BYTES", "S3_POOL_SIZE", "S3_BUCKET")
        if name.encode() in errors
    ] == ["STORAGE_PART_SIZE_BYTES", "S3_POOL_SIZE", "S3_BUCKET"]


async def test_config_prints_what_is_in_force(environment: dict[str, str]) -> None:
    """By variable name, with the secrets masked."""
    async with process(environment, "config", "--json") as running:
        output, _ = await asyncio.wait_for(running.communicate(), 20)
    listing: dict[str, Any] = json.loads(output)

    assert running.returncode == 0
    assert listing["S3_POOL_SIZE"]["value"] == 20
    assert environment["S3_SECRET_ACCESS_KEY"].encode() not in output


async def test_an_unreachable_bucket_fails_the_start(environment: dict[str, str]) -> None:
    """Exit code 1, and the log says what is wrong."""
    wrong = environment | {"S3_BUCKET": "no-such-bucket", "S3_START_TIMEOUT_S": "0"}
    async with process(wrong) as running:
        output, _ = await asyncio.wait_for(running.communicate(), 20)

    assert running.returncode == 1
    assert b"S3_MISCONFIGURED" in output


async def _until_logged(running: asyncio.subprocess.Process, event: str) -> None:
    assert running.stdout is not None
    async with asyncio.timeout(10):
        async for line in running.stdout:
            if json.loads(line)["event"] == event:
                return


def _scrape(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return str(answer.read().decode())
