"""Uploads are refused while what was taken waits too long, and told when to come back."""

import json

import pytest

from sheaf_common.errors import OverCapacity, Unavailable
from sheaf_gateway.backlog import LaneQueue, seconds_until_young
from sheaf_gateway.service.backlog import BacklogLimit
from support.gateway import MULTIPART, PDF, Gateway, build_gateway, form
from support.gateway_fakes.services import FakeQueue


def queue(documents: int, age_s: float, rate: float) -> LaneQueue:
    """A queue of text documents."""
    return LaneQueue("text", documents, age_s, rate)


@pytest.mark.parametrize(
    ("seen", "wait_s"),
    [
        pytest.param(queue(1000, 100, 0), 60, id="nothing drains"),
        # 10 a second came, 5 a second drain: it stays too old until all of it has gone.
        pytest.param(queue(1000, 100, 5), 200, id="slower than it came"),
        # Of 10 a second the first 20 s are too old: 200, and 10 more in each second of 20.
        pytest.param(queue(1000, 100, 20), 20, id="faster than it came"),
        pytest.param(queue(10, 100, 20), 1, id="soon"),
        pytest.param(queue(100_000, 100, 1), 300, id="not soon"),
    ],
)
def test_the_wait_follows_from_the_rate_at_which_the_queue_drains(
    seen: LaneQueue, wait_s: float
) -> None:
    """Until the oldest is younger than 80 s; between one second and five minutes."""
    assert seconds_until_young(seen, 80) == pytest.approx(wait_s)


@pytest.mark.parametrize("rate", [11.0, 15.0, 40.0])
def test_the_wait_is_that_of_a_queue_that_is_really_drained(rate: float) -> None:
    """Ten a second came for 100 s; simulated by hundredths of a second, none joins."""
    arrived = [-100 + number / 10 for number in range(1000)]
    for hundredth in range(100_000):
        now = hundredth / 100
        left = arrived[int(now * rate) :]
        if not left or now - left[0] < 80:
            break
    assert seconds_until_young(queue(1000, 100, rate), 80) == pytest.approx(now, abs=0.2)


def refused(limit: BacklogLimit) -> bool:
    """Whether an upload would be."""
    try:
        limit.check()
    except OverCapacity:
        return True
    return False


async def test_it_opens_again_well_below_the_limit() -> None:
    """Just below it stays shut, or just above it stays open, so that it does not flap."""
    seen = FakeQueue(drained_per_second=1)
    limit = BacklogLimit(seen, {"text": 100})
    said = []
    for age_s in (99, 100, 101, 99, 81, 79, 81, 99, 101):
        seen.oldest_age_s = age_s
        await limit.look()
        said.append(refused(limit))
    assert said == [False, False, True, True, True, False, False, False, True]


async def test_what_was_seen_holds_for_a_while_though_metadata_is_silent() -> None:
    """For half a minute; then uploads are taken again, unless metadata is known to be down."""
    now, seen = 0.0, FakeQueue(oldest_age_s=101)
    limit = BacklogLimit(seen, {"text": 100}, lambda: now)
    await limit.look()
    seen.error = Unavailable("PEER_UNAVAILABLE", "down")
    with pytest.raises(Unavailable):
        await limit.look()
    now = 29
    assert refused(limit)
    now = 31
    assert not refused(limit)


async def test_a_flood_of_scans_shuts_nobody_out_unless_told_to() -> None:
    """The OCR lane has a limit of its own, and none by default."""
    for changes, status in (({}, 202), ({"max_ocr_backlog_age_s": 10.0}, 429)):
        gateway = build_gateway(**changes)
        gateway.queue.lane, gateway.queue.oldest_age_s = "ocr", 100_000
        await gateway.services.backlog.look()
        call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
        call.feed(form(("file", "a.pdf", PDF)), more=False)
        await call.task
        assert call.status == status


async def test_an_upload_is_refused_before_a_byte_is_read(gateway: Gateway) -> None:
    """429 with what waits; Retry-After is from once to twice the wait; nothing is left."""
    gateway.queue.queued_documents, gateway.queue.oldest_age_s = 4000, 400
    gateway.queue.drained_per_second = 100
    await gateway.services.backlog.look()
    told = []
    for _ in range(40):
        call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
        await call.task
        assert (call.status, call.received) == (429, 0)
        told.append(int(call.headers["retry-after"]))
    problem = json.loads(call.body)

    assert (problem["code"], problem["lane"]) == ("BACKLOG_TOO_OLD", "text")
    assert (problem["age_s"], problem["limit_s"]) == ("400.0", "300")
    assert problem["queued_documents"] == "4000"
    # 10 a second came; of them 160 s are too old; 90 a second are gained: 17.8 s.
    assert 18 <= min(told) < max(told) <= 36
    assert gateway.nothing_left


async def test_a_stranger_hears_nothing_of_the_backlog(gateway: Gateway) -> None:
    """Who has no key is told so, however old it is; reads go on for who has."""
    gateway.queue.oldest_age_s = 400
    await gateway.services.backlog.look()
    async with gateway.http(key=None) as http:
        assert (await http.post("/v1/documents")).status_code == 401
    async with gateway.http() as http:
        assert (await http.get("/v1/documents")).status_code == 200
        assert (await http.get("/ht/")).status_code == 200
