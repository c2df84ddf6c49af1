"""Failpoints do nothing unless armed, and what arms them is checked."""

import asyncio
from pathlib import Path

import pytest

from sheaf_common import failpoints
from sheaf_common.failpoints import arm, failpoint, parse
from support.waiting import until


@pytest.fixture(autouse=True)
def _disarm() -> object:
    yield
    arm({})


async def test_an_unarmed_failpoint_is_passed() -> None:
    """Nothing happens where nothing is armed."""
    arm({})

    await failpoint("anything")


@pytest.mark.parametrize("text", ["x", "=kill", "x=explode", "x=pause"])
def test_a_malformed_failpoint_is_refused(text: str) -> None:
    """An entry that cannot be meant is an error at start."""
    with pytest.raises(ValueError, match="SHEAF_FAILPOINTS"):
        parse(text)


async def test_a_pause_lasts_until_its_file_exists(tmp_path: Path) -> None:
    """A paused place says that it was reached, and goes on when told."""
    go = tmp_path / "go"
    arm({failpoints.VARIABLE: f"here=pause@{go}"})
    waiting = asyncio.create_task(failpoint("here"))
    reached = tmp_path / "go.reached"
    await until(reached.exists)
    assert not waiting.done()

    go.touch()

    await asyncio.wait_for(waiting, 5)


async def test_a_kill_happens_once_when_it_has_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file remembers the kill, so that the restarted process lives."""
    kills: list[int] = []
    monkeypatch.setattr(
        "sheaf_common.failpoints.os.kill", lambda _pid, number: kills.append(number)
    )
    arm({failpoints.VARIABLE: f"here=kill@{tmp_path / 'done'}"})

    await failpoint("here")
    await failpoint("here")

    assert len(kills) == 1
