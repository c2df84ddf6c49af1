"""The real system, started once for all tests that ask for it."""

from collections.abc import AsyncIterator

import pytest

from sheaf_dev.stack import Stack
from support.system import SHORT_LEASES, System


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Every server and service on free loopback ports, with leases short enough to expire."""
    state_dir = tmp_path_factory.mktemp("system")
    stack = Stack.private(state_dir, env_overrides={"orchestrator": SHORT_LEASES})
    async with stack, System.over(stack) as system:
        yield system
