"""An upload that is sent again under its key ends in one batch: at two gateways, after crashes."""

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from sheaf_common.ids import new_id
from sheaf_dev.samples.generator import text_pdf
from support.system import Files, System
from support.waiting import until_answer

pytestmark = pytest.mark.timeout(120)

_RETRIES_S = 30


def pdfs(seed: int) -> dict[str, bytes]:
    """Some documents."""
    return {f"{seed}-{number}.pdf": text_pdf(seed * 100 + number, 1) for number in range(3)}


async def send(http: httpx.AsyncClient, files: Files, key: str) -> httpx.Response:
    """One upload under a key."""
    parts = [("files", item) for item in files.items()]
    headers = {"Idempotency-Key": f'"{key}"'}
    return await http.post("/v1/documents", files=parts, data={"product": "tax"}, headers=headers)


async def send_until_taken(http: httpx.AsyncClient, files: Files, key: str) -> httpx.Response:
    """The upload, sent again until no other request is at it; then it must be taken."""
    answers: list[httpx.Response] = []

    async def is_answered() -> bool:
        answers.append(await send(http, files, key))
        return answers[-1].status_code != 409

    await until_answer(is_answered, timeout_s=_RETRIES_S)
    refusals = {answer.json()["code"] for answer in answers[:-1]}
    assert refusals <= {"IDEMPOTENCY_KEY_IN_FLIGHT"}
    assert answers[-1].status_code == 202, answers[-1].text
    return answers[-1]


async def batches(system: System, document_ids: list[str]) -> tuple[int, list[str]]:
    """How many rows were made since those, and their ids."""
    made = sorted({row.document_id for row in await system.rows()} - set(document_ids))
    return len(made), made


async def test_twenty_at_once_at_two_gateways_make_one_batch(system: System) -> None:
    """Each is told to wait, or gets the one answer; and so does every later one."""
    before = [row.document_id for row in await system.rows()]
    files, key = pdfs(71), str(new_id())
    async with system.second_gateway() as other:
        gateways = (system.http, other)
        answers = await asyncio.gather(
            *(send(gateways[number % 2], files, key) for number in range(20))
        )
        later = [await send_until_taken(http, files, key) for http in gateways]
    taken = [answer for answer in answers if answer.status_code == 202]

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len([each for each in taken if "idempotency-replayed" not in each.headers]) == 1
    assert {answer.content for answer in (*taken, *later)} == {taken[0].content}
    assert [answer.headers["idempotency-replayed"] for answer in later] == ["true", "true"]
    ids = [document["id"] for document in taken[0].json()["documents"]]
    assert await batches(system, before) == (3, sorted(ids))
    await system.finished(ids)
    await system.assert_nothing_lost_or_doubled()


@pytest.mark.parametrize(
    ("failpoint", "replayed"),
    [
        pytest.param("gateway.put_done", False, id="between put and register"),
        pytest.param("gateway.registered", True, id="between register and answer"),
    ],
)
async def test_a_retry_after_a_crash_ends_in_one_batch(
    system: System, tmp_path: Path, failpoint: str, *, replayed: bool
) -> None:
    """At another gateway: it takes the key over, or finds what the dead one has registered."""
    before = [row.document_id for row in await system.rows()]
    files, key = pdfs(72 + replayed), str(new_id())
    armed = {"SHEAF_FAILPOINTS": f"{failpoint}=kill@{tmp_path / 'hit'}", "IDEMPOTENCY_LEASE_S": "1"}
    async with system.second_gateway(**armed) as other:
        with pytest.raises(httpx.TransportError):
            await send(other, files, key)
        assert await system.stack.wait_exit("gateway-2", 30) == -signal.SIGKILL
        answer = await send_until_taken(system.http, files, key)

    assert ("idempotency-replayed" in answer.headers) is replayed
    ids = [document["id"] for document in answer.json()["documents"]]
    assert await batches(system, before) == (3, sorted(ids))
    await system.finished(ids)
    await system.assert_nothing_lost_or_doubled()
