"""How `bench` repeats operations, and what it makes of their times."""

import asyncio
import os

import pytest

from sheaf_dev.bench.callers import run_round
from sheaf_dev.bench.cpu import CpuMeter
from sheaf_dev.bench.statistics import percentile
from sheaf_dev.errors import DevError


async def test_a_round_has_as_many_operations_as_asked_for() -> None:
    """By as many callers at once, and no more."""
    running, most = 0, 0

    async def operate() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    done = await run_round(
        operate, callers=4, operations=50, meter=CpuMeter([os.getpid()]), deadline_s=10
    )

    assert (len(done.latencies_ms), most) == (50, 4)


async def test_a_round_that_hangs_is_given_up_by_name() -> None:
    """At its deadline, saying how far it came."""

    async def hang() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DevError, match="0 of 3 operations"):
        await run_round(hang, callers=2, operations=3, meter=CpuMeter([]), deadline_s=0.05)


@pytest.mark.parametrize(
    ("percent", "expected"), [(1, 1), (50, 50), (99, 99), (99.9, 100), (100, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    """The nearest rank, of a hundred values in any order."""
    assert percentile([float(value) for value in range(100, 0, -1)], percent) == expected
