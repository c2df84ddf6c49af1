"""Claims about `up`, `status` and `down`, run as a person runs them.

Only Valkey is started: the other servers are said to be the user's, the services by hand.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from .conftest import eventually, gone

ELSEWHERE = {
    "DATABASE_URL": "mysql://user:secret@127.0.0.1:1/sheaf",
    "S3_ENDPOINT_URL": "http://127.0.0.1:1",
    "TEMPORAL_ADDRESS": "127.0.0.1:1",
}
SERVICES = ("storage", "metadata", "orchestrator", "gateway")
BY_HAND = [flag for name in SERVICES for flag in ("--without", name)]


class Checkout:
    """The commands of one checkout, with a state folder of its own."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.env = {**os.environ, **ELSEWHERE, "SHEAF_STATE_DIR": str(state_dir)}
        self.env.pop("REDIS_URL", None)

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "sheaf_dev", *arguments],
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Runs a command: exit code, standard output, standard error."""
        with self.popen(*arguments) as process:
            output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors

    def up(self) -> tuple[int, str, str]:
        """Brings the stack up and leaves it running."""
        return self.run("up", "--detach", *BY_HAND)

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        answer: dict[str, Any] = json.loads(self.run("status", "--json")[1])
        return answer

    def valkey(self) -> dict[str, Any]:
        """What it says of the one process."""
        (found,) = (p for p in self.status()["processes"] if p["name"] == "valkey")
        assert isinstance(found, dict)
        return found


@pytest.fixture
def make_checkout(tmp_path: Path) -> Iterator[Callable[[str], Checkout]]:
    """Makes checkouts; whatever still runs in one at the end is stopped."""
    made: list[Checkout] = []

    def make(name: str) -> Checkout:
        made.append(Checkout(tmp_path / name))
        return made[-1]

    yield make
    for checkout in made:
        checkout.run("down")


@pytest.fixture
def checkout(make_checkout: Callable[[str], Checkout]) -> Checkout:
    """One checkout."""
    return make_checkout("checkout")


def test_up_detached_returns_when_the_stack_serves(checkout: Checkout) -> None:
    """With 0, the addresses on standard output, and every process in the status."""
    code, output, _ = checkout.up()
    assert code == 0
    assert "http://127.0.0.1" in output
    assert "sk_" in output
    status = checkout.status()
    assert status["running"] is True
    valkey = checkout.valkey()
    assert valkey["health"] == "serving"
    assert psutil.Process(valkey["pid"]).name() == "valkey-server"
    assert valkey["ports"] == {"redis": valkey["port"]}
    assert valkey["rss_mib"] > 0


def test_down_leaves_no_process_and_keeps_the_data(checkout: Checkout) -> None:
    """The second time there is nothing to stop, which is no error."""
    checkout.up()
    supervisor, valkey = checkout.status()["supervisor"]["pid"], checkout.valkey()["pid"]
    assert checkout.run("down")[0] == 0
    assert (gone(supervisor), gone(valkey)) == (True, True)
    assert (checkout.state_dir / "credentials.json").exists()
    assert checkout.status()["running"] is False
    assert checkout.run("down")[::2] == (0, "nothing was running\n")


def test_a_purge_removes_everything(checkout: Checkout) -> None:
    """Data, logs, secrets."""
    checkout.up()
    assert checkout.run("down", "--purge")[0] == 0
    assert not checkout.state_dir.exists()


def test_up_when_it_is_up_says_where(checkout: Checkout) -> None:
    """And starts nothing."""
    first = checkout.up()[1]
    pid = checkout.valkey()["pid"]
    code, output, errors = checkout.up()
    assert (code, output) == (0, first)
    assert "already" in errors
    assert checkout.valkey()["pid"] == pid


def test_two_ups_at_once_make_one_stack(checkout: Checkout) -> None:
    """Both end well and say the same."""
    both = [checkout.popen("up", "--detach", *BY_HAND) for _ in range(2)]
    outputs = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0] == outputs[1]


def test_two_checkouts_run_side_by_side(make_checkout: Callable[[str], Checkout]) -> None:
    """Started at the same moment, on different ports."""
    checkouts = [make_checkout("one"), make_checkout("two")]
    starting = [checkout.popen("up", "--detach", *BY_HAND) for checkout in checkouts]
    for process in starting:
        process.communicate(timeout=60)
    ports = {checkout.valkey()["port"] for checkout in checkouts}
    assert [process.returncode for process in starting] == [0, 0]
    assert len(ports) == 2


@pytest.mark.parametrize("command", ["up", "down"])
def test_a_killed_supervisor_is_cleaned_up_after(checkout: Checkout, command: str) -> None:
    """By the next `up`, which starts anew, and by `down`."""
    checkout.up()
    supervisor, valkey = checkout.status()["supervisor"]["pid"], checkout.valkey()
    os.kill(supervisor, signal.SIGKILL)
    eventually(lambda: gone(supervisor))
    assert not gone(valkey["pid"])
    assert checkout.run("status")[0] == 1
    code, _, _ = checkout.up() if command == "up" else checkout.run("down")
    assert code == 0
    assert gone(valkey["pid"])
    assert checkout.status()["running"] is (command == "up")
    if command == "up":
        assert checkout.valkey()["port"] == valkey["port"]


def test_a_crash_of_a_detached_stack_is_shown(checkout: Checkout) -> None:
    """The rest is stopped; status says what ended and fails."""
    checkout.up()
    os.kill(checkout.valkey()["pid"], signal.SIGKILL)
    eventually(lambda: checkout.status()["running"] is False)
    code, _, errors = checkout.run("status")
    assert code == 1
    assert "valkey was killed by SIGKILL" in errors
    log = (checkout.state_dir / "log" / "supervisor.log").read_text()
    assert "valkey was killed by SIGKILL" in log


def test_a_crash_ends_the_foreground_with_the_last_lines(checkout: Checkout) -> None:
    """And a non-zero exit."""
    with checkout.popen("up", *BY_HAND) as process:
        eventually(lambda: checkout.status()["running"] and (checkout.state_dir / "env").exists())
        os.kill(checkout.valkey()["pid"], signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "valkey was killed by SIGKILL; last lines" in errors
    assert "Ready to accept connections" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_foreground_stops_when_told(checkout: Checkout, number: signal.Signals) -> None:
    """Everything with it, with exit code 0."""
    with checkout.popen("up", *BY_HAND) as process:
        eventually((checkout.state_dir / "env").exists)
        valkey = checkout.valkey()["pid"]
        process.send_signal(number)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert "Temporal UI" not in output  # it is the user's
    assert gone(valkey)


def test_a_wrong_use_is_one_line_and_two(checkout: Checkout) -> None:
    """Exit code 2, nothing on standard output, no traceback."""
    code, output, errors = checkout.run("up", "--without", "nothing")
    assert (code, output, len(errors.splitlines())) == (2, "", 1)
