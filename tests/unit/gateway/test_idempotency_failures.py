"""An Idempotency-Key is given back by what created nothing, held by what is unknown, or lost."""

import asyncio
from uuid import uuid4

import httpx
import pytest

from sheaf_common.errors import (
    AlreadyExists,
    DeadlineExceeded,
    OverCapacity,
    SheafError,
    Unavailable,
)
from sheaf_gateway.idempotency import HeldKey
from sheaf_gateway.service.keyholding import RENEWING
from support.gateway import MULTIPART, PDF, AsgiCall, Gateway, build_gateway, form
from support.waiting import until


async def post(gateway: Gateway) -> httpx.Response:
    """An upload under the key."""
    async with gateway.http() as http:
        files, headers = {"file": ("a.pdf", PDF)}, {"Idempotency-Key": '"8e03978e"'}
        return await http.post("/v1/documents", files=files, headers=headers)


def upload(gateway: Gateway) -> AsgiCall:
    """An upload under the key, whose body the test sends."""
    headers = {"content_type": MULTIPART, "idempotency_key": "8e03978e"}
    return gateway.call("POST", "/v1/documents", **headers)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(form(("file", "a.bin", b"\x00")), 415, id="all rejected"),
        pytest.param(form(("file", "a.pdf", PDF))[:-9], 400, id="broken"),
        pytest.param(b"", 400, id="empty"),
        pytest.param(form(("ocr", None, b"?"), ("file", "a.pdf", PDF)), 422, id="field"),
    ],
)
async def test_what_created_nothing_leaves_its_key_unused(
    gateway: Gateway, body: bytes, status: int
) -> None:
    """It may be mended and sent again under the same key."""
    call = upload(gateway)
    call.feed(body, more=False)
    await call.task
    assert call.status == status
    assert gateway.nothing_left
    assert not gateway.records.idempotency.held

    assert (await post(gateway)).status_code == 202


async def test_a_client_that_leaves_leaves_its_key_unused(gateway: Gateway) -> None:
    """And no object."""
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF))[:-9])
    await until(lambda: gateway.records.idempotency.held)
    call.leave()
    await call.task
    assert gateway.nothing_left
    assert not gateway.records.idempotency.held


async def test_a_refused_registration_leaves_its_key_unused(gateway: Gateway) -> None:
    """Nothing is registered, so nothing is answered again."""
    gateway.records.answers = [AlreadyExists("BATCH_EXISTS", "there already")]
    assert (await post(gateway)).status_code == 409
    assert gateway.nothing_left
    assert not gateway.records.idempotency.held


@pytest.mark.parametrize("commits", [True, False])
async def test_an_unknown_registration_leaves_its_key_in_flight(*, commits: bool) -> None:
    """Whether it was committed or not: if it was, the next one finds its answer."""
    gateway = build_gateway(register_timeout_s=0.01)
    gateway.records.commits = commits
    gateway.records.answers = [DeadlineExceeded("CALL_TIMEOUT", "late")] * 5
    assert (await post(gateway)).status_code == 504
    gateway.records.answers = []

    again = await post(gateway)
    assert "abandon" not in gateway.records.idempotency.calls
    assert again.status_code == (202 if commits else 409)
    assert ("idempotency-replayed" in again.headers) is commits


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(Unavailable("COMMIT_UNKNOWN", "lost"), 503, id="down"),
        pytest.param(OverCapacity("DATABASE_POOL_TIMEOUT", "busy"), 429, id="busy"),
    ],
)
async def test_a_key_that_may_have_been_given_is_given_back(
    gateway: Gateway, error: SheafError, status: int
) -> None:
    """Else the next try would wait for a lease that nobody uses."""
    gateway.records.idempotency.errors = {"begin": error}
    call = upload(gateway)
    await call.task
    assert (call.status, call.received) == (status, 0)
    assert not gateway.records.idempotency.held


async def test_a_lease_is_renewed_while_the_upload_goes_on() -> None:
    """Each third of it, though metadata is away for a while; not after the answer."""
    gateway = build_gateway(idempotency_lease_s=0.03)
    keys = gateway.records.idempotency
    keys.errors = {"renew": Unavailable("PEER_UNAVAILABLE", "away")}
    call = upload(gateway)
    await until(lambda: keys.calls.count("renew") >= 2)
    keys.errors = {}
    await until(lambda: keys.calls.count("renew") >= 4)
    call.feed(form(("file", "a.pdf", PDF)), more=False)
    await call.task

    assert call.status == 202
    await until(lambda: RENEWING not in {task.get_name() for task in asyncio.all_tasks()})


@pytest.mark.parametrize("lease_s", [0.03, 60])
async def test_an_upload_that_lost_its_key_is_given_up(lease_s: float) -> None:
    """Learned while it goes on, or when it registers: 409, nothing of it stays."""
    gateway = build_gateway(idempotency_lease_s=lease_s)
    keys = gateway.records.idempotency
    call = upload(gateway)
    call.feed(form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF))[:-20])
    await until(lambda: gateway.store.objects)
    other = HeldKey("8e03978e", uuid4())
    keys.take_over(other)
    if lease_s == 60:
        call.feed(form(("file", "a.pdf", PDF), ("file", "b.pdf", PDF))[-20:], more=False)
    await call.task

    assert call.status == 409
    assert b"IDEMPOTENCY_KEY_LOST" in call.body
    assert call.headers["retry-after"] == "1"
    assert gateway.nothing_left
    assert keys.held == {"8e03978e": other}
    assert gateway.records.registrations == (1 if lease_s == 60 else 0)
