"""The real system, started once for all tests that ask for it."""

import contextlib
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from sheaf_dev.stack import Stack
from support.system import SHORT_LEASES, System


def pytest_configure() -> None:
    """A run that is told to stop stops as on Ctrl-C, and so comes to `pytest_unconfigure`."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_unconfigure() -> None:
    """Whatever an interrupted fixture has not stopped is stopped here."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Every server and service on free loopback ports, with leases short enough to expire."""
    state_dir = tmp_path_factory.mktemp("system")
    stack = Stack.private(state_dir, env_overrides={"orchestrator": SHORT_LEASES})
    async with stack, System.over(stack) as system:
        yield system
