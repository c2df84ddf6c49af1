"""The real gateway, storage and metadata with their servers; nothing that extracts."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sheaf_dev.stack import Stack


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Intake alone, for all tests of this folder: what is accepted stays queued."""
    stack = Stack.private(
        tmp_path_factory.mktemp("intake"),
        services=("storage", "metadata", "gateway"),
        servers=("seaweedfs", "mariadb", "valkey"),
        env_overrides={
            "gateway": {
                "UPLOAD_MAX_FILE_BYTES": str(20 * 2**20),
                "UPLOAD_MAX_BODY_BYTES": str(30 * 2**20),
                "UPLOAD_REGISTER_TIMEOUT_S": "3",
            }
        },
    )
    async with stack:
        yield stack


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway, with a good key."""
    headers = {"Authorization": f"Bearer {stack.env['SHEAF_API_KEY']}"}
    async with httpx.AsyncClient(
        base_url=stack.env["SHEAF_URL"], headers=headers, timeout=30
    ) as client:
        yield client
