"""How a command finds the running system, or brings one up for its own time."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Final

from sheaf_dev import checkout, daemon, envfile
from sheaf_dev.errors import DevError
from sheaf_dev.files import waiting_lock
from sheaf_dev.layout import Layout

_SIGNAL_EXIT: Final = 128


@dataclass(frozen=True, slots=True)
class Connection:
    """Where the API is, and a key for it, which is not shown."""

    url: str
    api_key: str = field(repr=False)


def running() -> Connection:
    """The API that SHEAF_URL and SHEAF_API_KEY name, else that of this checkout's stack.

    Raises:
        DevError: neither is there.
    """
    if os.environ.get("SHEAF_URL") and os.environ.get("SHEAF_API_KEY"):
        return _of(os.environ)
    layout = Layout(checkout.state_dir())
    if not daemon.is_held(layout):
        raise DevError("no stack runs in this checkout: start it with `./sheaf up --detach`")
    daemon.wait_for_other(layout)
    return _of(envfile.read(layout.env))


@contextmanager
def running_or_started(*, keep: bool) -> Iterator[Connection]:
    """The stack of this checkout; one that was not running is stopped after the block.

    With `keep` it is left running. What is started says so on standard error.

    Raises:
        DevError: it could not be started.
    """
    layout = Layout(checkout.state_dir())
    if daemon.is_held(layout):
        daemon.wait_for_other(layout)
        yield _of(envfile.read(layout.env))
        return
    with ended_by_sigterm():
        with waiting_lock(layout.state.parent / "up.lock"):
            daemon.start(layout, (), say)
        try:
            yield _of(envfile.read(layout.env))
        finally:
            if keep:
                say("the stack is left running; `./sheaf down` stops it")
            else:
                say("stopping the stack")
                daemon.stop(layout, purge=False)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM unwinds the block, so that what it started is stopped."""

    def unwind(number: int, _frame: FrameType | None) -> None:
        sys.exit(_SIGNAL_EXIT + number)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(line: str) -> None:
    """Tells a person, on standard error."""
    print(line, file=sys.stderr, flush=True)


def _of(env: Mapping[str, str]) -> Connection:
    try:
        return Connection(env["SHEAF_URL"], env["SHEAF_API_KEY"])
    except KeyError as missing:
        raise DevError(f"the running stack has no gateway ({missing} is not set)") from None
