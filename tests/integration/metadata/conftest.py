"""The metadata service over real servers; each test module has a database of its own."""

from collections.abc import AsyncIterator

import pytest

from sheaf_common.ids import new_id
from sheaf_dev.stack import Stack
from support.metadata import Metadata, create_database, metadata_settings, served


@pytest.fixture(scope="module")
async def database_url(database_servers: Stack) -> str:
    """A new, empty database."""
    return await create_database(database_servers.env["DATABASE_URL"], f"test_{new_id().hex}")


@pytest.fixture(scope="module")
async def service(database_servers: Stack, database_url: str) -> AsyncIterator[Metadata]:
    """The service over the module's database."""
    settings = metadata_settings(database_url, database_servers.env["REDIS_URL"])
    async with served(settings) as service:
        yield service


@pytest.fixture
async def metadata(service: Metadata) -> Metadata:
    """The service with nothing recorded."""
    await service.empty()
    return service
