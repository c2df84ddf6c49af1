"""The workflow limit follows the live workers, and survives not knowing them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.taskqueue.v1 import PollerInfo

from sheaf_common.errors import SheafError, Unavailable
from sheaf_orchestrator.adapters.census import LIVE_S, live_subprocesses, worker_identity
from sheaf_orchestrator.domain import GroupLimits, Lane
from sheaf_orchestrator.service import limits as module
from sheaf_orchestrator.service.limits import FORGET_S, FollowedLimits

OWN = GroupLimits(max_workflows=3, max_documents=64, max_bytes=2**25, max_work_s=0.2)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class FakeCensus:
    """So many subprocesses."""

    found: int | None = None
    failure: SheafError | None = None

    async def subprocesses(self, lane: Lane) -> int | None:
        """Of the text lane."""
        assert lane is Lane.TEXT
        if self.failure is not None:
            raise self.failure
        return self.found


@dataclass
class Clock:
    """Moved by hand."""

    now_s: float = 5000.0

    def monotonic(self) -> float:
        """As `time.monotonic`."""
        return self.now_s


def poller(identity: str, age_s: float) -> PollerInfo:
    """Somebody who began a poll so long ago."""
    began = Timestamp()
    began.FromDatetime(NOW - timedelta(seconds=age_s))
    return PollerInfo(identity=identity, last_access_time=began)


async def test_there_is_a_place_for_each_subprocess_and_one_more() -> None:
    """As many as are found, up and down; nothing else of the limits changes."""
    census = FakeCensus()
    followed = FollowedLimits(Lane.TEXT, OWN, census)
    places = []
    for census.found in (None, 1, 8, 2, 20_000):
        await followed.look()
        places.append(followed().max_workflows)

    assert places == [3, 2, 9, 3, 10_000]
    assert followed().max_documents == OWN.max_documents


async def test_the_last_number_holds_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal does not answer: for a minute nothing changes, then the own number counts."""
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    census = FakeCensus(8)
    followed = FollowedLimits(Lane.TEXT, OWN, census)
    await followed.look()

    census.failure = Unavailable("TEMPORAL_UNAVAILABLE", "")
    clock.now_s += FORGET_S - 1
    await followed.look()
    assert followed().max_workflows == 9
    clock.now_s += 1
    await followed.look()
    assert followed() == OWN

    census.failure = None
    await followed.look()
    assert followed().max_workflows == 9


def test_live_workers_are_counted_once() -> None:
    """By identity; who polled last over 75 s ago is gone, who tells nothing is not counted."""
    found = live_subprocesses(
        [
            poller("7@host subprocesses=2", 1),
            poller("7@host subprocesses=2", 30),
            poller("8@host subprocesses=4", LIVE_S - 1),
            poller("9@host subprocesses=16", LIVE_S + 1),
            poller("a stranger", 1),
        ],
        NOW,
    )

    assert found == 6
    assert live_subprocesses([poller("a stranger", 1)], NOW) is None
    assert live_subprocesses([poller(worker_identity(12), 0)], NOW) == 12
