"""Storage as a process of its own."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sheaf_common.grpc.settings import GrpcSettings
from support.storage import Service, calling


@asynccontextmanager
async def process(
    env: dict[str, str], *arguments: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`sheaf-storage`, killed at the end if it still runs."""
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sheaf_storage", *arguments,
        env={"PATH": os.environ["PATH"], **env},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


async def port_of(running: asyncio.subprocess.Process) -> int:
    """The port on which it serves, once it is ready."""
    assert running.stdout is not None
    port = 0
    async for line in running.stdout:
        entry = json.loads(line)
        if entry["event"] == "gRPC is served":
            port = entry["port"]
        if entry["event"] == "ready":
            return port
    raise AssertionError("it ended before it was ready")


@asynccontextmanager
async def started(
    environment: dict[str, str],
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Service]]:
    """A running process and its caller."""
    trust = GrpcSettings.model_validate({"GRPC_TOKEN": environment["GRPC_TOKEN"]})
    async with process(environment) as running:
        async with asyncio.timeout(20):
            port = await port_of(running)
        async with calling(port, trust) as service:
            yield running, service
