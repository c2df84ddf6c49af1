"""Which loopback ports a stack uses.

The default if it is free, else another, and the same again at the next start. Ports in use
are found by binding. Two stacks that start at the same moment both see a port as free, so a
stack also holds a lock on a file named after each port, for as long as it lives. What is
left, a stranger taking the port in between, shows as a process that cannot start:
`PortBook.choose_again` then finds it another.
"""

import json
import os
import random
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sheaf_dev.errors import PortsExhaustedError
from sheaf_dev.files import FileLock, write_atomic

HOST = "127.0.0.1"
# Below the ranges from which systems take the ports of outgoing connections.
_OTHER_PORTS = range(20_000, 30_000)
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class PortBook:
    """The ports of one stack by owner and purpose, held until `close`."""

    def __init__(
        self, remembered: Path, *, prefer_defaults: bool = True, locks: Path | None = None
    ) -> None:
        """`remembered` is the file that keeps the choice; `locks` is shared by all stacks."""
        self._path = remembered
        self._prefer_defaults = prefer_defaults
        self._locks = locks or Path(tempfile.gettempdir()) / f"sheaf-ports-{os.getuid()}"
        self._held: dict[int, FileLock] = {}
        self._chosen: dict[str, dict[str, int]] = {}

    def choose(self, owner: str, wanted: Mapping[str, int | None]) -> dict[str, int]:
        """A port for each purpose in `wanted`, which maps it to its default if it has one.

        The same owner gets the same ports again.

        Raises:
            PortsExhaustedError: if no free port is found.
        """
        if owner not in self._chosen:
            before = self._remembered().get(owner, {})
            self._chosen[owner] = {
                purpose: self._hold_first(self._candidates(before.get(purpose), default))
                for purpose, default in wanted.items()
            }
            self._remember()
        return dict(self._chosen[owner])

    def choose_again(self, owner: str) -> dict[str, int]:
        """Other ports where those chosen for `owner` are taken by somebody else."""
        ports = self._chosen[owner]
        for purpose, port in ports.items():
            if not is_free(port):
                self._held.pop(port).release()
                ports[purpose] = self._hold_first(self._candidates(None, None))
        self._remember()
        return dict(ports)

    def close(self) -> None:
        """Gives up every port."""
        for lock in self._held.values():
            lock.release()
        self._held.clear()
        self._chosen.clear()

    def _candidates(self, before: int | None, default: int | None) -> Iterator[int]:
        if before is not None:
            yield before
        if default is not None and self._prefer_defaults:
            yield default
        for _ in range(_ATTEMPTS):
            yield random.choice(_OTHER_PORTS)  # noqa: S311 - not a secret

    def _hold_first(self, candidates: Iterator[int]) -> int:
        for port in candidates:
            if port in self._held or not is_free(port):
                continue
            lock = FileLock(self._locks / f"{port}.lock")
            if lock.try_acquire():
                self._held[port] = lock
                return port
        raise PortsExhaustedError(f"no free port among {_ATTEMPTS} tried on {HOST}")

    def _remembered(self) -> dict[str, dict[str, int]]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _remember(self) -> None:
        text = json.dumps(self._remembered() | self._chosen, indent=2, sort_keys=True)
        write_atomic(self._path, text + "\n")
