"""Pauses of both clients are recorded, not slept."""

import asyncio

import pytest


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause would have been."""
    taken: list[float] = []
    really = asyncio.sleep

    async def pause(seconds: float) -> None:
        taken.append(seconds)
        await really(0)

    monkeypatch.setattr("sheaf_client.driver.time.sleep", taken.append)
    monkeypatch.setattr("sheaf_client.async_driver.asyncio.sleep", pause)
    return taken
