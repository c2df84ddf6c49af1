"""A service as a process: what signals, failures and bad configuration do to it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import argparse, asyncio, os, sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from sheaf_common.process import ProcessSettings, ServiceProcess
from sheaf_common.settings import SettingsGroup, variable
from sheaf_common.telemetry.exporting import TracingSettings

class Own(SettingsGroup):
    mode: str = variable("MODE", ..., "what to do")
    count: int = variable("COUNT", 1, "a number")

@dataclass(frozen=True, slots=True)
class Settings:
    process: ProcessSettings
    tracing: TracingSettings
    own: Own

def say(text):
    print(text, flush=True)

@asynccontextmanager
async def service(settings, arguments, lifecycle):
    mode = settings.own.mode
    if mode == "fail-at-start":
        raise RuntimeError("no luck")
    if mode == "slow-start":
        say("half open")
        try:
            await asyncio.sleep(60)
        finally:
            say("unwound")
    async def background():
        await asyncio.sleep(0.05)
        raise RuntimeError("background gave up")
    if mode == "background-fails":
        async with lifecycle.background("work", background()):
            yield
        return
    say("open")
    yield
    if mode == "slow-stop":
        await asyncio.sleep(60)
    say("closed")

sys.exit(ServiceProcess("sheaf-test", Settings, service).main())
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The service's source."""
    path = tmp_path / "service.py"
    path.write_text(PROGRAM)
    return path


def run(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def started(program: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes of a test; none survives it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def start(
    program: Path, started: list[subprocess.Popen[str]], until: str, **environment: str
) -> subprocess.Popen[str]:
    """Starts it and returns once it has said `until`."""
    process = subprocess.Popen(
        [sys.executable, str(program)],
        env={"PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    assert process.stdout is not None
    for line in process.stdout:
        if until in line:
            return process
    raise AssertionError(f"the process never said {until!r}")


def test_sigterm_closes_the_service_and_exits_0(
    program: Path, started: list[subprocess.Popen[str]]
) -> None:
    """An orderly stop is a success."""
    process = start(program, started, "ready", MODE="serve")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)

    assert (process.returncode, "closed" in output) == (0, True)


def test_sigterm_during_the_start_unwinds_it(
    program: Path, started: list[subprocess.Popen[str]]
) -> None:
    """What was half open is closed, and that is a success too."""
    process = start(program, started, "half open", MODE="slow-start")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)

    assert (process.returncode, "unwound" in output) == (0, True)


def test_a_stop_has_a_deadline(program: Path, started: list[subprocess.Popen[str]]) -> None:
    """A service that does not close in its grace period is ended, and that is a failure."""
    process = start(program, started, "ready", MODE="slow-stop", SHUTDOWN_GRACE_S="0.2")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=10)

    assert (process.returncode, "did not stop in time" in output) == (1, True)


def test_an_operator_who_insists_is_obeyed(
    program: Path, started: list[subprocess.Popen[str]]
) -> None:
    """A signal that comes again after a second ends the process at once."""
    process = start(program, started, "ready", MODE="slow-stop")
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)

    assert process.returncode == 1


def test_the_same_signal_twice_is_one(program: Path, started: list[subprocess.Popen[str]]) -> None:
    """A wrapper passes on what the whole group got already; the stop is orderly all the same."""
    process = start(program, started, "ready", MODE="serve")
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=10)

    assert (process.returncode, "closed" in output) == (0, True)


@pytest.mark.parametrize(
    ("mode", "said"),
    [("fail-at-start", "no luck"), ("background-fails", "background gave up")],
)
def test_a_failure_is_logged_and_exits_1(program: Path, mode: str, said: str) -> None:
    """Neither a start nor background work fails silently."""
    done = run(program, MODE=mode)

    assert done.returncode == 1
    assert said in done.stdout


def test_bad_configuration_exits_2_and_names_every_variable(program: Path) -> None:
    """Nothing is started on a configuration that cannot be meant."""
    done = run(program, COUNT="many")

    assert done.returncode == 2
    assert "COUNT" in done.stderr
    assert "MODE" in done.stderr


def test_a_malformed_failpoint_exits_2(program: Path) -> None:
    """A test that arms nonsense is told."""
    done = run(program, MODE="serve", SHEAF_FAILPOINTS="x=explode")

    assert (done.returncode, "SHEAF_FAILPOINTS" in done.stderr) == (2, True)


def test_config_prints_what_is_in_force(program: Path) -> None:
    """By variable name, with value and origin, as one JSON object."""
    done = run(program, "config", "--json", MODE="serve", COUNT="3")
    listing = json.loads(done.stdout)

    assert listing["COUNT"]["value"] == 3
    assert listing["SHUTDOWN_GRACE_S"]["origin"] == "default"


def test_every_log_line_is_one_json_object(program: Path) -> None:
    """Also the one with a traceback."""
    lines = run(program, MODE="fail-at-start").stdout.splitlines()
    entries = [json.loads(line) for line in lines]

    assert {entry["service"] for entry in entries} == {"sheaf-test"}
    assert "no luck" in entries[-1]["exception"]
