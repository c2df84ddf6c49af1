"""`./sheaf up`: the embedded stack, in the foreground or detached."""

import asyncio
import sys
from collections.abc import Mapping
from typing import Annotated, Literal

from cyclopts import Parameter

from sheaf_dev import checkout, credentials, daemon, supervisor
from sheaf_dev.errors import AlreadyRunningError
from sheaf_dev.files import waiting_lock
from sheaf_dev.layout import Layout
from sheaf_dev.stack import Stack

ServiceName = Literal["storage", "metadata", "orchestrator", "gateway"]
Without = Annotated[
    list[ServiceName] | None,
    Parameter(name="--without", negative=(), help="Leave a service to be run by hand."),
]


def up(
    *,
    detach: Annotated[bool, Parameter(negative=())] = False,
    without: Without = None,
) -> None:
    """Start the servers and services, print where they are, stop them at Ctrl-C.

    Args:
        without: Services to be run by hand; they get an address all the same.
        detach: Return when everything is ready, and leave it running.
    """
    layout = Layout(checkout.state_dir())
    if daemon.is_held(layout):
        _say("a stack runs here already, or is just starting")
        _print_addresses(layout, daemon.wait_for_other(layout).addresses)
    elif detach:
        flags = [flag for name in without or () for flag in ("--without", name)]
        with waiting_lock(layout.state.parent / "up.lock"):  # one supervisor log at a time
            _print_addresses(layout, daemon.start(layout, flags, _say).addresses)
    else:
        stack = Stack(layout.state_dir, external=without or (), report=_say)
        try:
            asyncio.run(supervisor.run(stack, _print_stack))
        except AlreadyRunningError:  # another `up` was faster
            _print_addresses(layout, daemon.wait_for_other(layout).addresses)


def supervise(*, without: Without = None) -> None:
    """Run the stack of `up --detach`, which reads the addresses from the state file.

    Args:
        without: Services to be run by hand.
    """
    stack = Stack(checkout.state_dir(), external=without or (), report=_say)
    asyncio.run(supervisor.run(stack, lambda _: None))


def _print_stack(stack: Stack) -> None:
    _print_addresses(stack.layout, stack.addresses())


def _print_addresses(layout: Layout, addresses: Mapping[str, str]) -> None:
    lines = {
        "API": addresses.get("api"),
        "docs": addresses.get("docs"),
        "Temporal UI": addresses.get("temporal_ui"),
        "API key": credentials.load(layout.credentials).api_key if "api" in addresses else None,
        "variables": str(layout.env),
    }
    for title, value in lines.items():
        if value:
            print(f"{title:<12} {value}", flush=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
