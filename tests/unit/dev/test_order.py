"""Claims about the order of starts and stops."""

import asyncio

import pytest

from sheaf_dev import order

NEEDS: dict[str, tuple[str, ...]] = {
    "gateway": ("storage", "metadata"),
    "mariadb": (),
    "metadata": ("mariadb",),
    "seaweedfs": (),
    "storage": ("seaweedfs",),
}


async def test_each_starts_after_what_it_needs() -> None:
    """In whatever order they are named."""
    started: list[str] = []

    async def start(name: str) -> None:
        assert set(NEEDS[name]) <= set(started)
        await asyncio.sleep(0)
        started.append(name)

    await order.start_each(NEEDS, start)
    assert sorted(started) == sorted(NEEDS)


async def test_what_is_independent_starts_side_by_side() -> None:
    """One that hangs does not delay another's chain."""
    storage_started = asyncio.Event()

    async def start(name: str) -> None:
        if name == "mariadb":
            await storage_started.wait()
        elif name == "storage":
            storage_started.set()

    async with asyncio.timeout(5):
        await order.start_each(NEEDS, start)


async def test_one_failure_cancels_the_rest_and_is_raised() -> None:
    """As itself, not in a group."""
    cancelled: list[str] = []

    async def start(name: str) -> None:
        if name == "mariadb":
            raise LookupError(name)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    with pytest.raises(LookupError, match="mariadb"):
        await order.start_each(NEEDS, start)
    assert cancelled == ["seaweedfs"]


async def test_what_is_not_there_is_not_waited_for() -> None:
    """A service that is run by hand, a server that is the user's."""
    async with asyncio.timeout(5):
        await order.start_each({"gateway": ("storage", "metadata")}, lambda _: asyncio.sleep(0))


def test_nothing_stops_before_what_needs_it() -> None:
    """The gateway goes first, the servers last."""
    assert order.stop_levels(NEEDS) == [
        ["gateway"],
        ["metadata", "storage"],
        ["mariadb", "seaweedfs"],
    ]
