"""An upload that fails leaves nothing; one whose outcome is unknown keeps its objects."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sheaf_common.errors import (
    AlreadyExists,
    DeadlineExceeded,
    InternalError,
    InvalidInput,
    OverCapacity,
    SheafError,
    Unavailable,
)
from support.gateway import MULTIPART, PDF, AsgiCall, Gateway, build_gateway, form
from support.waiting import until

LARGE = b"a line of a large text\n" * 100_000
"""Over the size up to which a file is held in memory."""


def upload(gateway: Gateway) -> AsgiCall:
    """An upload whose body the test sends."""
    return gateway.call("POST", "/v1/documents", content_type=MULTIPART)


async def sent(gateway: Gateway, body: bytes) -> AsgiCall:
    """An upload, sent whole and answered."""
    call = upload(gateway)
    call.feed(body, more=False)
    await call.task
    return call


def failing(times: int, error: SheafError) -> Callable[[str], Awaitable[None]]:
    """Makes the first puts fail."""
    left = [times]

    async def hook(_filename: str) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise error

    return hook


async def test_a_transient_failure_of_storage_is_not_seen(gateway: Gateway) -> None:
    """A put is idempotent: it is tried again."""
    gateway.store.before_put = failing(2, Unavailable("PEER_UNAVAILABLE", "storage is away"))
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == 202
    assert gateway.store.puts == 3


async def test_storage_that_stays_down_is_a_503_and_nothing_stays(gateway: Gateway) -> None:
    """Also not the files that were stored before."""

    async def hook(filename: str) -> None:
        if filename == "b.pdf":
            raise Unavailable("PEER_UNAVAILABLE", "storage is away")

    gateway.store.before_put = hook
    call = await sent(gateway, form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF)))

    assert call.status == 503
    assert "retry-after" in call.headers
    assert gateway.store.puts == 1 + 4
    assert len(gateway.store.deleted) == 2
    assert gateway.nothing_left


async def test_a_put_that_was_stored_though_it_failed_is_deleted(gateway: Gateway) -> None:
    """Its key is known, so it is deleted whatever was answered."""

    async def lost_reply() -> None:
        raise DeadlineExceeded("CALL_TIMEOUT", "no answer")

    gateway.store.after_put = lost_reply
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == 504
    assert len(gateway.store.deleted) == 1
    assert gateway.nothing_left


async def test_a_refusal_of_the_gateways_own_request_is_a_bug(gateway: Gateway) -> None:
    """The client gets the fixed text, not storage's."""
    gateway.store.before_put = failing(9, InvalidInput("KEY_INVALID", "no key"))
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == 500
    assert b"KEY_INVALID" not in call.body
    assert gateway.nothing_left


@pytest.mark.parametrize(
    ("second", "status"),
    [
        pytest.param(form(("file", "b.pdf", PDF))[:-9], 400, id="broken body"),
        pytest.param(form(("file", "b.txt", b"x" * 3_000_000)), 413, id="body over the limit"),
        pytest.param(form(("file", "b.txt", LARGE))[:2_000_000], 400, id="broken while streaming"),
    ],
)
async def test_what_breaks_the_body_removes_what_was_stored(second: bytes, status: int) -> None:
    """The files before it, too."""
    gateway = build_gateway(max_body_bytes=2_900_000)
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF))[: -len("--\r\n")] + b"\r\n")
    await until(lambda: gateway.store.objects)
    second = second[len("--b0undary\r\n") :]
    for start in range(0, len(second), 100_000):
        call.feed(second[start : start + 100_000])
    call.feed(b"", more=False)
    await call.task

    assert call.status == status
    assert len(gateway.store.deleted) >= 1
    assert gateway.nothing_left


@pytest.mark.parametrize("size", [20_000, 2_000_000])
async def test_a_client_that_leaves_mid_body_leaves_nothing(gateway: Gateway, size: int) -> None:
    """Whether the file that breaks off was held or streamed."""
    call = upload(gateway)
    whole = form(("file", "a.pdf", PDF), ("file", "b.txt", b"x" * size))
    call.feed(whole[: size // 2])
    await until(lambda: gateway.store.objects)
    call.leave()
    await call.task

    assert call.status == 499
    assert gateway.nothing_left


async def test_a_client_that_stops_sending_is_told_so() -> None:
    """408, and nothing stays."""
    gateway = build_gateway(idle_timeout_s=0.02)
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF))[:-4])
    await until(lambda: call.status)
    call.leave()
    await call.task

    assert (call.status, b"UPLOAD_IDLE" in call.body) == (408, True)
    assert gateway.nothing_left


async def test_an_upload_has_an_end() -> None:
    """However steadily it drips."""
    gateway = build_gateway(timeout_s=0.05)
    call = upload(gateway)
    for byte in form(("file", "a.pdf", PDF)):
        call.feed(bytes([byte]))
        await asyncio.sleep(0.002)
        if call.status:
            break
    call.leave()
    await call.task

    assert (call.status, b"UPLOAD_TIMEOUT" in call.body) == (408, True)
    assert gateway.nothing_left


async def test_a_put_under_way_is_awaited_before_its_object_is_deleted(gateway: Gateway) -> None:
    """What is stored after the deletion would stay."""
    go = asyncio.Event()

    async def wait(_filename: str) -> None:
        await go.wait()

    gateway.store.before_put = wait
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF))[:-9], more=False)
    await until(lambda: gateway.store.running)
    for _ in range(20):
        await asyncio.sleep(0)
    deleted_early = list(gateway.store.deleted)
    go.set()
    await call.task

    assert (call.status, deleted_early) == (400, [])
    assert gateway.nothing_left


async def test_only_what_may_be_stored_is_deleted(gateway: Gateway) -> None:
    """Not what storage refused."""
    body = form(("file", "bad", b"\x00"), ("file", "a.pdf", PDF), ("file", "b.pdf", PDF))
    call = upload(gateway)
    call.feed(body[:-70])
    await until(lambda: gateway.store.objects)
    (key,) = gateway.store.objects
    call.feed(b"", more=False)
    await call.task

    assert (call.status, gateway.store.deleted) == (400, [key])


async def test_a_deletion_that_fails_does_not_hide_the_problem(gateway: Gateway) -> None:
    """It is tried twice, then left to the sweep."""
    tries = []

    async def away() -> None:
        tries.append(1)
        raise Unavailable("PEER_UNAVAILABLE", "storage is away")

    gateway.store.before_delete = away
    call = await sent(gateway, form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF))[:-9])

    assert (call.status, len(tries)) == (400, 2)


async def test_cancelling_an_upload_still_cleans_up(gateway: Gateway) -> None:
    """As the end of the drain does."""
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF))[:-4])
    await until(lambda: gateway.services.intake._admission._in_flight)
    call.task.cancel()
    await asyncio.wait([call.task])
    await gateway.finishing.drain()

    assert gateway.nothing_left


async def test_a_definite_rejection_deletes_the_objects(gateway: Gateway) -> None:
    """Nothing is registered, so nothing stays."""
    gateway.records.answers = [AlreadyExists("DOCUMENT_EXISTS", "another's")]
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert (call.status, gateway.records.registrations) == (409, 1)
    assert gateway.nothing_left


async def test_a_refusal_for_capacity_to_the_end_deletes_the_objects() -> None:
    """It was refused before any work, every time."""
    gateway = build_gateway(register_timeout_s=0.05)
    gateway.records.answers = [OverCapacity("PEER_OVERLOADED", "full")] * 1000
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == 429
    assert gateway.nothing_left


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("PEER_UNAVAILABLE", "away"),
        DeadlineExceeded("CALL_TIMEOUT", "no answer"),
        InternalError(),
    ],
)
@pytest.mark.parametrize("commits", [False, True])
async def test_an_unknown_registration_is_called_again(
    gateway: Gateway, error: SheafError, *, commits: bool
) -> None:
    """Never assumed: by its idempotence the second call reads what the first did."""
    gateway.records.answers, gateway.records.commits = [error, error], commits
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert (call.status, gateway.records.registrations) == (202, 3)
    assert len(gateway.records.rows) == len(gateway.store.objects) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("PEER_UNAVAILABLE", "away"), 503),
        (DeadlineExceeded("CALL_TIMEOUT", "no answer"), 504),
    ],
)
async def test_a_registration_unknown_to_the_end_keeps_the_objects(
    error: SheafError, status: int
) -> None:
    """It may have been committed; the sweep decides."""
    gateway = build_gateway(register_timeout_s=0.05)
    gateway.records.answers, gateway.records.commits = [error] * 1000, True
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == status
    assert gateway.store.deleted == []
    assert len(gateway.store.objects) == 1


async def test_a_rejection_after_an_unknown_outcome_keeps_the_objects(gateway: Gateway) -> None:
    """The first call may have committed."""
    gateway.records.answers = [
        Unavailable("PEER_UNAVAILABLE", "away"),
        InvalidInput("ID_TOO_OLD", "too old"),
    ]
    call = await sent(gateway, form(("file", "a.pdf", PDF)))

    assert call.status == 400
    assert gateway.store.deleted == []


async def test_a_registration_is_finished_though_the_request_is_cancelled(
    gateway: Gateway,
) -> None:
    """Once begun."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go.wait()

    gateway.records.before_register = wait
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF)), more=False)
    await begun.wait()
    call.task.cancel()
    await asyncio.wait([call.task])
    go.set()
    await gateway.finishing.drain()

    assert len(gateway.records.rows) == len(gateway.store.objects) == 1
    assert gateway.store.deleted == []
