"""Claims about a stack's processes: started, crashed, killed, found again, stopped."""

import asyncio
import os
import signal
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from sheaf_dev import envfile, leftovers, state
from sheaf_dev.errors import AlreadyRunningError, NotReadyError, StartError
from sheaf_dev.leftovers import MARKER
from sheaf_dev.ports import is_free
from sheaf_dev.stack import Stack

from .conftest import gone

SmallStack = Callable[..., Stack]


def sleeper(env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A process that does nothing, in a session of its own."""
    return subprocess.Popen(["sleep", "1000"], env=env, start_new_session=True)  # noqa: S607


async def test_a_stack_is_up_when_everything_serves(small_stack: SmallStack) -> None:
    """And its file of variables is there as long as it is."""
    stack = small_stack()
    async with stack:
        await stack.ask("storage")
        await stack.ask("valkey")
        assert envfile.read(stack.layout.env) == stack.env
    assert not stack.layout.env.exists()


async def test_a_stopped_stack_leaves_no_process_and_no_port(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    """Not even the child of a service in a session of its own."""
    stack = small_stack(FAKE_CHILD=str(tmp_path / "child"))
    async with stack:
        pids = [stack.pid("valkey"), stack.pid("storage"), int((tmp_path / "child").read_text())]
        ports = [stack.port("valkey"), stack.port("storage")]
    assert [gone(pid) for pid in pids] == [True, True, True]
    assert [is_free(port) for port in ports] == [True, True]


async def test_two_stacks_run_side_by_side(small_stack: SmallStack) -> None:
    """Also when they start at the same moment."""
    first, second = small_stack("one"), small_stack("two")
    await asyncio.gather(first.start(), second.start())
    try:
        names = ("valkey", "storage")
        addresses = {stack.address(name) for stack in (first, second) for name in names}
        assert len(addresses) == 4
        await first.ask("storage")
        await second.ask("storage")
    finally:
        await asyncio.gather(first.stop(), second.stop())


async def test_a_folder_has_one_stack(small_stack: SmallStack) -> None:
    """A second one is refused and disturbs nothing."""
    async with small_stack() as running:
        with pytest.raises(AlreadyRunningError):
            await small_stack().start()
        await running.ask("storage")


async def test_ports_stay_the_same_at_the_next_start(small_stack: SmallStack) -> None:
    """So that what was configured by hand goes on working."""
    async with small_stack() as stack:
        before = stack.addresses()
    async with small_stack() as stack:
        assert stack.addresses() == before


async def test_a_failed_start_says_why_and_leaves_nothing(small_stack: SmallStack) -> None:
    """The error holds the process's last lines, and the rest is stopped."""
    stack = small_stack(FAKE_FAILS="1")
    with pytest.raises(StartError, match="storage exited with 3") as raised:
        await stack.start()
    assert raised.value.tail == ("the fake has no heart for this",)
    assert gone(stack.pid("valkey"))
    kept = state.read(stack.layout.state)
    assert kept is not None
    assert (kept.phase, kept.error) == ("failed", str(raised.value))


async def test_a_crash_is_reported_with_the_last_lines(small_stack: SmallStack) -> None:
    """Whoever runs the stack learns which process ended, how, and what it said."""
    async with small_stack() as stack:
        os.kill(stack.pid("storage"), signal.SIGKILL)
        crash = await asyncio.wait_for(stack.crashed(), 10)
    assert (crash.name, crash.how, crash.tail) == (
        "storage",
        "was killed by SIGKILL",
        ("the fake serves",),
    )


async def test_a_killed_process_can_be_started_again(small_stack: SmallStack) -> None:
    """On the same port; killing it on purpose is no crash."""
    async with small_stack() as stack:
        address = stack.address("storage")
        await stack.kill_process("storage")
        with pytest.raises(NotReadyError):
            await stack.ask("storage")
        await stack.start_process("storage")
        assert stack.address("storage") == address
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stack.crashed(), 0.05)


async def test_a_process_that_ends_by_itself_can_be_waited_for(small_stack: SmallStack) -> None:
    """Its exit code is what one gets."""
    async with small_stack() as stack:
        await stack.stop_process("storage")
        await stack.start_process("storage", extra_env={"FAKE_FAILS": "1"}, wait=False)
        assert await stack.wait_exit("storage", 10) == 3


async def test_a_service_can_have_more_instances(small_stack: SmallStack) -> None:
    """Each on its own port, all stopped with the stack."""
    async with small_stack() as stack:
        await stack.start_process("storage-2", service="storage")
        await stack.ask("storage-2")
        assert stack.port("storage-2") != stack.port("storage")
        second = stack.pid("storage-2")
    assert gone(second)


async def test_a_port_lost_at_the_last_moment_is_replaced(small_stack: SmallStack) -> None:
    """A stranger who listens between choice and start costs an attempt, not the start."""
    stack = small_stack()
    async with stack:
        port = stack.port("storage")
    with socket.socket() as stranger:
        real = state.read(stack.layout.state)
        assert real is not None
        starting = asyncio.create_task(stack.start())
        await _planned(stack)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        await starting
        try:
            assert stack.port("storage") != port
            assert stack.env["STORAGE_PORT"] == str(stack.port("storage"))
        finally:
            await stack.stop()


async def _planned(stack: Stack) -> None:
    """Waits until the stack has chosen its ports, and before a service is started."""

    def planned() -> bool:
        kept = state.read(stack.layout.state)
        return kept is not None and kept.phase == "starting" and "storage" in kept.addresses

    while not planned():  # noqa: ASYNC110 - the state file has no event
        await asyncio.sleep(0)


async def test_what_a_killed_supervisor_left_is_stopped_first(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    """Even if its record is half written: a stack's processes carry its folder."""
    stack = small_stack()
    marked = {**os.environ, MARKER: str(stack.layout.state_dir)}
    left = sleeper(marked)
    stack.layout.state.parent.mkdir(parents=True)
    stack.layout.state.write_text('{"phase": "up", "supervisor": {"pid": 1')
    async with stack:
        assert gone(left.pid)
        await stack.ask("storage")


def test_what_has_only_just_begun_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the kernel shows no environment of it for a moment, which is drawn out here."""
    looks: Counter[int] = Counter()
    shown = psutil.Process.environ

    def late(process: psutil.Process) -> dict[str, str]:
        looks[process.pid] += 1
        return shown(process) if looks[process.pid] > 3 else {}

    monkeypatch.setattr(psutil.Process, "environ", late)
    with sleeper({**os.environ, MARKER: str(tmp_path)}) as begun:
        found = leftovers.find(tmp_path, None)
        begun.kill()
    assert [each.pid for each in found] == [begun.pid]


async def test_a_recorded_id_that_is_somebody_elses_is_left_alone(
    small_stack: SmallStack,
) -> None:
    """Ids are used again; creation times are not."""
    stack = small_stack()
    stranger = sleeper(os.environ)
    try:
        created = psutil.Process(stranger.pid).create_time()
        ref = state.ProcessRef(stranger.pid, created - 3600)
        record = state.ProcessRecord("valkey", "valkey", ref, {"redis": 1}, ("x",), "x", True, 5.0)
        state.write(stack.layout.state, state.State("up", ref, None, (record,)))
        async with stack:
            assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
