"""What can go wrong in the dev tool, each with one line for a person.

    DevError
    ├── AlreadyRunningError   another process holds the stack of this state folder
    ├── MissingProgramError   a program that is needed is neither here nor installable
    ├── PortsExhaustedError   no free loopback port was found
    └── StartError            a process ended, or did not become ready, while starting

`NotReadyError` is no failure: it is a probe's answer while something is coming up.
"""

from pathlib import Path


class DevError(Exception):
    """An expected failure. Its text is shown as it is, without a traceback."""


class AlreadyRunningError(DevError):
    """Another process holds the stack of this state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        super().__init__(f"a stack is already running in {state_dir}")


class MissingProgramError(DevError):
    """A program that is needed is neither here nor installable; the text says what to do."""


class PortsExhaustedError(DevError):
    """No free loopback port was found."""


class StartError(DevError):
    """A process of the stack ended, or did not become ready in time.

    `tail` holds the last lines of its log.
    """

    def __init__(self, name: str, reason: str, log: Path, tail: tuple[str, ...]) -> None:
        self.name = name
        self.reason = reason
        self.log = log
        self.tail = tail
        lines = "".join(f"\n  | {line}" for line in tail) or " (its log is empty)"
        super().__init__(f"{name} {reason}; last lines of {log}:{lines}")


class NotReadyError(Exception):
    """A server or service does not answer yet, or not as it should."""
