"""The targets of the real system, live."""

import asyncio
from typing import Any

from sheaf_common.telemetry.kpis import TARGETS
from support.system import System
from support.waiting import until_answer


async def read(system: System, window_s: int = 60) -> dict[str, Any]:
    """The answer, which must be one."""
    answer = await system.http.get("/v1/ops/kpis", params={"window": window_s})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def without_value(answer: dict[str, Any]) -> set[str]:
    """The targets that have none."""
    return {kpi["name"] for kpi in answer["kpis"] if kpi["value"] is None}


async def test_every_target_is_measured(system: System) -> None:
    """After a few documents each has a value and a verdict; no bound of theirs is exceeded."""
    files = {f"{number}.txt": b"some text %d" % number for number in range(5)}
    uploads = await asyncio.gather(*(system.processed(files) for _ in range(4)))
    await system.finished([document_id for ids in uploads for document_id in ids])
    answer: dict[str, Any] = {}

    async def measured() -> bool:
        nonlocal answer
        answer = await read(system)
        return not without_value(answer)

    await until_answer(measured)
    kpis = {kpi["name"]: kpi for kpi in answer["kpis"]}
    assert list(kpis) == [target.name for target in TARGETS]
    assert all(kpi["ok"] is (kpi["value"] < kpi["threshold"]) for kpi in kpis.values())
    assert answer["unavailable"] == []
    assert answer["ok"] is all(kpi["ok"] for kpi in kpis.values())
    for name in ("accept_p99_ms", "result_p99_ms", "activity_p99_ms"):
        assert 0 < kpis[name]["value"] < 60_000
    for name in ("pool_s3_used", "pool_db_used", "pool_redis_used"):
        assert 0 < kpis[name]["value"] <= 1


async def test_a_stopped_orchestrator_leaves_its_targets_open(system: System) -> None:
    """They have no value and no verdict; all others are answered, at once."""
    await system.finished(await system.processed({"before.txt": b"some text"}))
    await system.stack.stop_process("orchestrator")
    try:
        answer = await read(system, 300)
    finally:
        await system.stack.start_process("orchestrator")
        await system.healthy()

    assert without_value(answer) == {"pending_workflows", "activity_p99_ms"}
    assert {part["part"] for part in answer["unavailable"]} == {"orchestrator", "backlog"}
    assert answer["ok"] is not True
