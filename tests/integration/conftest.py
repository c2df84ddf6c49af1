"""Real servers, each started once for the whole run and shared by the tests that ask for it."""

from collections.abc import AsyncIterator

import pytest

from sheaf_dev.stack import Stack


@pytest.fixture(scope="session")
async def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack of the S3 server alone; `env` says where it is and how to be let in."""
    folder = tmp_path_factory.mktemp("seaweedfs")
    async with Stack.private(folder, services=(), servers=("seaweedfs",)) as stack:
        yield stack


@pytest.fixture(scope="session")
async def database_servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A stack of MariaDB and Valkey alone; `env` has their URLs. The user may do anything."""
    folder = tmp_path_factory.mktemp("database")
    async with Stack.private(folder, services=(), servers=("mariadb", "valkey")) as stack:
        yield stack
