"""The real system, started once for all tests that ask for it."""

import contextlib
import signal
from collections.abc import AsyncIterator

import psutil
import pytest

from sheaf_dev.services import SERVICES
from sheaf_dev.stack import Stack
from support.otlp import collector
from support.scheduling import SharedServersScheduling
from support.system import SHORT_LEASES, System


def pytest_configure() -> None:
    """A run that is told to stop stops as on Ctrl-C, and so comes to `pytest_unconfigure`.

    Ctrl-C itself is heard, here and by what is started, though a shell that starts the run in the
    background has it ignored.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist, which may be switched off
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SharedServersScheduling:
    """How the whole suite is shared out."""
    return SharedServersScheduling(config, log)


def pytest_unconfigure() -> None:
    """Whatever an interrupted fixture has not stopped is stopped here."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Every server and service on free loopback ports, with leases short enough to expire.

    Only requests that ask for it are traced: the sampler takes none by itself.
    """
    state_dir = tmp_path_factory.mktemp("system")
    with collector() as traces:
        traced = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": traces.endpoint,
            "OTEL_TRACES_SAMPLER_ARG": "0",
        }
        overrides = {name: dict(traced) for name in SERVICES}
        overrides["orchestrator"] |= SHORT_LEASES
        stack = Stack.private(state_dir, env_overrides=overrides)
        async with stack, System.over(stack, traces) as system:
            yield system
