"""MariaDB's programs: those of the system, else from its packages on Debian and Ubuntu."""

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from sheaf_dev.embedded.server import Report
from sheaf_dev.errors import MissingProgramError
from sheaf_dev.files import waiting_lock

PACKAGES = ("mariadb-server-core", "mariadb-client-core")
_DEADLINE_S = 600.0
_LOCK = Path("/run/lock/sheaf-apt.lock")
# Where packages put servers, which the PATH of an ordinary user may lack.
_FOLDERS = (
    *("/usr/sbin", "/usr/bin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin"),
    *("/opt/homebrew/opt/mariadb/bin", "/usr/local/opt/mariadb/bin", "/usr/local/mysql/bin"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Programs:
    """The two programs that are needed."""

    mariadbd: Path
    install_db: Path


def find() -> Programs:
    """MariaDB's programs on this system.

    Raises:
        MissingProgramError: if one is not there; says how to get it.
    """
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *_FOLDERS))
    mariadbd = shutil.which("mariadbd", path=path)
    install_db = shutil.which("mariadb-install-db", path=path)
    # Without this one, of the client's package, mariadb-install-db fails.
    defaults = shutil.which("my_print_defaults", path=path)
    if mariadbd is None or install_db is None or defaults is None:
        raise MissingProgramError(_advice())
    return Programs(Path(mariadbd), Path(install_db))


def ensure(report: Report) -> Programs:
    """MariaDB's programs, installed first if need be and possible. Blocks, with a deadline.

    Raises:
        MissingProgramError: if they are not there and cannot be installed.
    """
    try:
        return find()
    except MissingProgramError:
        if not _can_install():
            raise
    with waiting_lock(_LOCK):
        try:
            return find()  # another checkout installed it while this one waited
        except MissingProgramError:
            report(f"installing {' and '.join(PACKAGES)} with apt-get")
        deadline = time.monotonic() + _DEADLINE_S
        # A new machine's lists are empty or old; a stale list is worth a try all the same.
        _apt_get(deadline, "update", check=False)
        _apt_get(deadline, "install", "-y", "--no-install-recommends", *PACKAGES)
    return find()


def _can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _advice() -> str:
    if sys.platform == "darwin":
        command = "brew install mariadb"
    elif shutil.which("apt-get"):
        sudo = "" if os.geteuid() == 0 else "sudo "
        command = f"{sudo}apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    elif shutil.which("dnf"):
        command = "sudo dnf install mariadb-server"
    else:
        command = "your system's package manager (package mariadb or mariadb-server)"
    return (
        f"MariaDB (mariadbd, mariadb-install-db) is not installed: install it with `{command}`, "
        "or run MySQL or MariaDB yourself and set DATABASE_URL"
    )


def _apt_get(deadline: float, *arguments: str, check: bool = True) -> None:
    """Runs apt-get with its output on standard error."""
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=120", *arguments]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            env=environment,
            timeout=max(1.0, deadline - time.monotonic()),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingProgramError(f"`{' '.join(command)}` took too long; {_advice()}") from error
    if check and done.returncode != 0:
        raise MissingProgramError(
            f"`{' '.join(command)}` failed with {done.returncode}; {_advice()}"
        )
