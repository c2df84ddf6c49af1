"""How a load test's clients behave, and what they count."""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from sheaf_dev.bench.load import clients as load_clients
from sheaf_dev.bench.load.clients import Tally, TargetRefuses
from sheaf_dev.bench.load.plan import LoadPlan
from sheaf_dev.bench.load.schedule import Schedule
from support.load_fakes import ACCEPTED, COMPLETED, FakeSystem, always
from support.waiting import until

REJECTED = {"documents": [{"status": "rejected", "problem": {"code": "TYPE_NOT_ALLOWED"}}]}
FAILED = {**COMPLETED, "status": "failed", "reason": "ENCRYPTED"}


async def test_a_slow_system_delays_nobody_who_comes_later() -> None:
    """The third upload begins when it is due though none is answered; latency counts from then."""
    answer, loop = asyncio.Event(), asyncio.get_running_loop()

    async def slow(_number: int) -> tuple[int, Any]:
        await answer.wait()
        return 202, ACCEPTED

    system = FakeSystem(upload=slow)
    offering = asyncio.create_task(system.offered(0.0, 0.02, 0.04))
    await until(lambda: len(system.began) == 3)
    answered = loop.time()
    answer.set()
    tally = await offering

    assert all(
        latency >= answered - began
        for latency, began in zip(tally.accept_s, system.began, strict=True)
    )
    assert tally.accept_s[0] > tally.accept_s[1] > tally.accept_s[2]


async def test_a_generator_that_is_held_up_says_so() -> None:
    """Its lag shows it, and latency counts the time that it cost."""

    async def hold_up(number: int) -> tuple[int, Any]:
        if number == 0:
            time.sleep(0.1)  # noqa: ASYNC251 # the claim is about a blocked loop
        return 202, ACCEPTED

    tally = await FakeSystem(upload=hold_up).offered(0.0, 0.02)

    assert tally.lag_s[1] > 0.07
    assert min(tally.accept_s) > 0.07


async def test_a_read_counts_from_when_it_is_due_too() -> None:
    """It is of a document that was sent, and has quantiles of its own."""
    system, tally = FakeSystem(), Tally()
    clients = system.clients()
    await clients.prime()
    await clients.offer(Schedule((0.0,), (0.01, 0.02)), tally)

    reads = [path for _, path, _ in system.calls if path.endswith("?fields=status")]
    assert reads == ["/v1/documents/1?fields=status"] * 2
    assert (len(tally.status_s), len(tally.lag_s), tally.requests) == (2, 3, 4)


async def test_a_document_is_followed_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for again while it is not terminal, after a pause if it was not waited for."""
    monkeypatch.setattr(load_clients, "_PAUSE_S", 0.05)

    async def read(number: int) -> tuple[int, Any]:
        return 200, {**COMPLETED, "status": "queued"} if number == 0 else COMPLETED

    system = FakeSystem(read=read)
    tally = await system.offered(0.0)

    assert (system.reads, tally.completed, tally.errors) == (2, 1, {})
    assert tally.result_s[0] > 0.05


async def test_a_document_that_never_ends_is_given_up() -> None:
    """So long after the last upload was due, by name."""
    queued = {**COMPLETED, "status": "queued"}
    tally = await FakeSystem(read=always(200, queued)).offered(0.0, drain_s=0.2)

    assert tally.errors == Counter(timeout_result=1)
    assert (tally.offered, tally.completed, tally.result_s) == (1, 0, [])


async def test_a_recognised_document_counts_as_completed_only() -> None:
    """Recognition has its own pace: it is left out of the time to a text document's result."""
    scan = {**COMPLETED, "progress": {"pages_done": 1, "pages_total": 1}}
    tally = await FakeSystem(read=always(200, scan)).offered(0.0)

    assert (tally.completed, tally.result_s, tally.errors) == (1, [], {})


@pytest.mark.parametrize(
    ("upload", "read", "kind"),
    [
        ((429, {"code": "OVER_CAPACITY"}), None, "http_429"),
        ((503, b"<html>no JSON</html>"), None, "http_503"),
        ((202, b"[]"), None, "bad_answer"),
        ((202, REJECTED), None, "rejected_TYPE_NOT_ALLOWED"),
        (None, (404, {}), "http_404"),
        (None, (200, FAILED), "ended_failed_ENCRYPTED"),
        (None, (200, {**FAILED, "status": "cancelled", "reason": None}), "ended_cancelled_None"),
    ],
)
async def test_what_comes_to_nothing_is_an_error_of_its_kind(
    upload: tuple[int, Any] | None, read: tuple[int, Any] | None, kind: str
) -> None:
    """And is not tried again."""
    system = FakeSystem(
        upload=None if upload is None else always(*upload),
        read=None if read is None else always(*read),
    )
    tally = await system.offered(0.0)

    assert tally.errors == Counter({kind: 1})
    assert (tally.completed, tally.result_s) == (0, [])
    assert len(system.calls) == (1 if upload else 2)


async def test_a_lost_connection_and_a_missed_deadline_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By kind, the deadline with the call that missed it."""
    monkeypatch.setattr(load_clients, "UPLOAD_S", 0.05)

    async def fail(number: int) -> tuple[int, Any]:
        if number == 0:
            raise aiohttp.ServerDisconnectedError
        await asyncio.Event().wait()
        raise AssertionError

    tally = await FakeSystem(upload=fail).offered(0.0, 0.0)

    assert tally.errors == Counter(connection=1, timeout_upload=1)


@pytest.mark.parametrize(("upload", "read"), [((415, {}), None), (None, (200, FAILED))])
async def test_a_file_of_a_corpus_may_end_as_it_likes(
    upload: tuple[int, Any] | None, read: tuple[int, Any] | None
) -> None:
    """A refusal, or an end with a reason, is no error where nobody knows what is in the file."""
    system = FakeSystem(
        upload=None if upload is None else always(*upload),
        read=None if read is None else always(*read),
    )
    tally = await system.offered(0.0, corpus=Path("corpus"))

    assert (tally.errors, tally.completed, tally.offered) == ({}, 0, 1)


@pytest.mark.parametrize("duplicates", ["process", "reuse"])
async def test_what_becomes_of_duplicates_is_asked(duplicates: str) -> None:
    """Unless copies are to be measured, everything is processed; also what is sent first."""
    system, plan = FakeSystem(), LoadPlan(duplicates=duplicates)  # type: ignore[arg-type]
    await system.clients(plan).prime()
    await system.offered(0.0, duplicates=duplicates)
    bodies = [body for method, _, body in system.calls if method == "POST"]
    said = f'name="duplicates"\r\n\r\n{duplicates}\r\n'.encode()
    assert [body.count(said) for body in bodies] == [1, 1]
    assert LoadPlan().duplicates == "process"


async def test_every_upload_has_content_of_its_own() -> None:
    """Also when documents are sent again, in this run or in another."""
    system = FakeSystem()
    await system.offered(0.0, 0.0, 0.0, 0.0, files=2)
    await system.clients(run=8).offer(Schedule((0.0,), ()), Tally())
    bodies = [body for method, _, body in system.calls if method == "POST"]
    contents = [
        part for body in bodies for part in body.split(b"\r\n") if part.startswith(b"text ")
    ]

    assert len(contents) == len(set(contents)) == 9


async def test_a_system_that_takes_nothing_is_not_measured() -> None:
    """Before anything is offered; its answer is told."""
    system = FakeSystem(upload=always(401, {"code": "UNAUTHENTICATED", "detail": "no such key"}))

    with pytest.raises(TargetRefuses, match="401 UNAUTHENTICATED no such key"):
        await system.clients().prime()
