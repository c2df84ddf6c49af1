"""The command line over the real system, as people and scripts use it."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from sheaf_client import AsyncClient
from sheaf_dev import cli
from support.system import System

NOBODYS = "0190b6a0-0000-7000-8000-000000000000"
Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs one command; its exit code, output and complaints."""
    for name in ("SHEAF_URL", "SHEAF_API_KEY"):
        monkeypatch.setenv(name, system.stack.env[name])

    async def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = await asyncio.to_thread(cli.run, list(arguments))
        return code, *capsys.readouterr()

    return run


async def objects(run: Run, *arguments: str) -> list[dict[str, Any]]:
    """What a command that succeeds prints with --json, line by line."""
    code, out, complaints = await run(*arguments, "--json")
    assert code == 0, complaints
    return [json.loads(line) for line in out.splitlines()]


async def test_files_go_all_the_way(run: Run, tmp_path: Path) -> None:
    """Sent, listed, shown, followed, fetched, reprocessed, cancelled, deleted."""
    text = f"the words of {uuid4()}"
    product = f"cli-{uuid4()}"
    (tmp_path / "good.txt").write_text(text)
    (tmp_path / "bad.bin").write_bytes(bytes(range(256)))
    (sent,) = await objects(run, "process", str(tmp_path), "--product", product)
    outcomes = {Path(each["path"]).name: each for each in sent["documents"]}
    good = outcomes["good.txt"]["id"]

    assert {name: each["status"] for name, each in outcomes.items()} == {
        "good.txt": "completed", "bad.bin": "rejected",
    }  # fmt: skip
    (listed,) = await objects(run, "list", "--product", product)
    assert (listed["id"], listed["status"]) == (good, "completed")
    assert good in (await run("list", "--status", "completed", "--limit", "500"))[1]
    assert (await objects(run, "get", good)) == [listed]
    assert good in (await run("get", listed["batch_id"]))[1]
    assert (await run("get", good, "--text"))[1].strip() == text
    assert text in (await run("get", good, "--markdown"))[1].replace("\\", "")
    (result,) = json.loads("[" + (await run("get", good, "--result"))[1] + "]")
    assert result["document_id"] == good
    assert (await run("get", good, "--original", str(tmp_path / "out")))[0] == 0
    assert (tmp_path / "out").read_text() == text
    (again,) = await objects(run, "reprocess", good, "--ocr", "never", "--after-attempt", "1")
    assert (again["attempt"], again["options"]["ocr"]) == (2, "never")
    events = await objects(run, "watch", good, "--timeout", "60")
    assert [event["type"] for event in events][-1] == "document.completed"
    assert (await objects(run, "cancel", good))[0]["status"] == "completed"
    assert (await objects(run, "delete", good, "--yes")) == [{"id": good, "deleted": True}]
    code, _, complaint = await run("get", good)
    assert (code, "404 DOCUMENT_NOT_FOUND" in complaint, complaint.count("\n")) == (1, True, 1)


async def test_keys_are_made_listed_and_revoked(run: Run) -> None:
    """The key itself is printed once, alone, so that a script can take it."""
    code, out, told = await run("keys", "create", "cli", "--scope", "documents:read", "--days", "1")
    key = out.strip()
    (listed,) = [
        each for each in await objects(run, "keys", "list") if key.startswith(each["prefix"])
    ]

    assert code == 0
    assert (listed["name"], listed["scopes"]) == ("cli", ["documents:read"])
    assert listed["id"] in told
    assert key not in told
    assert (await run("keys", "revoke", listed["id"]))[0] == 0
    assert "revoked" in (await run("keys", "list"))[1]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["get", "nope"], 1, "'nope'"),
        (["get", NOBODYS, "--text", "--result"], 2, "--text and --result"),
        (["cancel"], 2, "at least one ID"),
        (["cancel", NOBODYS, "nope"], 1, "nope"),
        (["reprocess", NOBODYS, "--ocr", "sometimes"], 2, "sometimes"),
        (["delete", NOBODYS], 2, "--yes"),
        (["list", "--since", "yesterday"], 2, "yesterday"),
        (["list", "--limit", "0"], 2, "--limit"),
        (["watch", NOBODYS, "--timeout", "9"], 1, "404"),
        (["keys", "revoke", "sk_something"], 2, "keys list"),
        (["process", "/not/there"], 1, "/not/there"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
async def test_what_is_wrong_is_named(
    run: Run, arguments: list[str], code: int, named: str
) -> None:
    """On standard error, a line for each; 1 where an answer says no, 2 where it is the usage."""
    got, out, complaint = await run(*arguments)

    assert (got, out) == (code, "")
    assert named.lower() in complaint.lower()
    assert all(line.startswith("sheaf: ") for line in complaint.splitlines())


async def test_a_server_that_is_not_there_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a key that is wrong is no secret that is told."""
    monkeypatch.setenv("SHEAF_API_KEY", "sk_wrong_key_0123456789")
    assert "401" in (complaint := (await run("list"))[2])
    assert "sk_wrong" not in complaint
    monkeypatch.setenv("SHEAF_URL", "sheaf.example")
    assert "http://" in (await run("list"))[2]


async def test_ctrl_c_ends_a_watch_at_once(system: System) -> None:
    """Without a traceback."""
    env = {name: system.stack.env[name] for name in ("SHEAF_URL", "SHEAF_API_KEY")}
    async with AsyncClient(env["SHEAF_URL"], env["SHEAF_API_KEY"]) as sheaf:
        upload = await sheaf.upload(("a.txt", str(uuid4()).encode()))
        events = [each async for each in sheaf.events_of_batch(upload.batch_id, timeout_s=60)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sheaf_dev", "watch", "--json",
        "--after", str(events[-1].position - 1),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **env},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert json.loads(await process.stdout.readline()) == msgspec.to_builtins(events[-1])
            process.send_signal(signal.SIGINT)
            _, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert (process.returncode, complaint) == (130, b"")
