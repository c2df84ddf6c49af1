"""What the stack needs to know of a server that it runs itself."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from sheaf_dev.credentials import Credentials
from sheaf_dev.ports import HOST

Report = Callable[[str], None]
"""Tells a person what is going on, one line a call."""


@dataclasses.dataclass(frozen=True, slots=True)
class EmbeddedServer(ABC):
    """A server of the embedded stack: how to set it up, run it, ask it and leave it.

    `directory` holds its data and belongs to it alone; `ports` are those of `default_ports`
    by purpose, the first being the one that clients use.
    """

    name: ClassVar[str]
    replaced_by: ClassVar[str]
    """The variable with which a user puts a server of their own in its place."""
    default_ports: ClassVar[Mapping[str, int | None]]
    start_deadline_s: ClassVar[float] = 60.0
    stop_grace_s: ClassVar[float] = 10.0

    directory: Path
    ports: Mapping[str, int]
    credentials: Credentials

    @property
    def port(self) -> int:
        """The port that clients use."""
        return next(iter(self.ports.values()))

    @property
    def address(self) -> str:
        """`host:port` that clients use."""
        return f"{HOST}:{self.port}"

    @abstractmethod
    def prepare(self, report: Report) -> None:
        """Installs and sets up what a start needs. Blocks; doing it again does no harm."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line."""

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The server's own environment, made from the one that the stack was given."""
        return dict(inherited)

    @abstractmethod
    def exports(self) -> dict[str, str]:
        """The variables by which services find it."""

    @classmethod
    def exports_of_user(cls, environ: Mapping[str, str]) -> dict[str, str]:
        """The same variables for a server that the user put in its place."""
        return {cls.replaced_by: environ[cls.replaced_by]}

    @abstractmethod
    async def ask(self) -> None:
        """Asks the server whether it serves.

        Raises:
            NotReadyError: if it does not answer, or not as it should.
        """

    async def finish(self) -> None:
        """Makes what services expect to find in it, once it serves. Idempotent."""
        return

    def tidy(self) -> None:
        """Removes what a stopped process leaves behind outside its directory."""
        return
