"""Promtool, Prometheus's own checker: the system's, else taken out of Debian's package.

The package is only unpacked: no service is installed, started or configured, and no root is
needed. Where the system's package lists are empty, as on a new machine, lists of our own are
fetched.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sheaf_dev import checkout
from sheaf_dev.errors import MissingProgramError
from sheaf_dev.files import waiting_lock

_PACKAGE: Final = "prometheus"
_DEADLINE_S: Final = 300.0
_RUN_WITHIN_S: Final = 120.0
_ADVICE: Final = (
    "promtool is not here: install Prometheus (`sudo apt-get install prometheus`, `brew install"
    " prometheus`, or https://prometheus.io/download/) so that promtool is on PATH"
)


def ensure(tools: Path | None = None) -> Path:
    """The promtool on PATH, else in `.tools/`, fetched first if need be. Blocks, with a deadline.

    Raises:
        MissingProgramError: it is not there and cannot be fetched; says how to get it.
    """
    folder = tools or checkout.root() / ".tools"
    own = folder / "promtool"
    if found := shutil.which("promtool"):
        return Path(found)
    if not own.is_file():
        with waiting_lock(folder / "promtool.lock"):
            if not own.is_file():  # another check fetched it while this one waited
                _fetch(own)
    return own


def run(*arguments: str, cwd: Path) -> tuple[bool, str]:
    """Whether promtool found nothing wrong, and all that it said.

    Raises:
        MissingProgramError: there is no promtool.
        subprocess.TimeoutExpired: it took over two minutes.
    """
    done = subprocess.run(
        [str(ensure()), *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_RUN_WITHIN_S,
        check=False,
    )
    return done.returncode == 0, done.stdout.strip()


def _fetch(own: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise MissingProgramError(_ADVICE)
    deadline = time.monotonic() + _DEADLINE_S
    with tempfile.TemporaryDirectory(prefix="promtool-", dir=own.parent) as name:
        folder = Path(name)
        failure = _call(deadline, folder, "apt-get", "-q", "download", _PACKAGE)
        if failure is not None:
            lists = _own_lists(folder)
            _must(_call(deadline, folder, "apt-get", "-q", *lists, "update"))
            _must(_call(deadline, folder, "apt-get", "-q", *lists, "download", _PACKAGE))
        for package in folder.glob("*.deb"):
            _must(_call(deadline, folder, "dpkg-deb", "-x", str(package), str(folder / "x")))
        unpacked = folder / "x" / "usr" / "bin" / "promtool"
        if not unpacked.is_file():
            raise MissingProgramError(f"the package {_PACKAGE} holds no promtool; {_ADVICE}")
        unpacked.replace(own)


def _own_lists(folder: Path) -> Sequence[str]:
    """Options that keep package lists in a folder of ours, with the system's sources."""
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return (
        *("-o", f"Dir::State::lists={folder / 'lists'}", "-o", f"Dir::Cache={folder / 'cache'}"),
        *("-o", "APT::Sandbox::User=", "-o", "Debug::NoLocking=true"),
    )


def _call(deadline: float, folder: Path, *command: str) -> str | None:
    """None if it succeeded, else what it said."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            timeout=max(1.0, deadline - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"`{' '.join(command)}` took too long"
    if done.returncode == 0:
        return None
    return f"`{' '.join(command)}` failed with {done.returncode}: {done.stdout.strip()}"


def _must(failure: str | None) -> None:
    if failure is not None:
        raise MissingProgramError(f"{_ADVICE}\n{failure}")
