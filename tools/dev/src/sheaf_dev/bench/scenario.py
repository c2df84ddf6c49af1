"""What every scenario gives: figures for people and programs, and whether its limit is kept."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

Tell = Callable[[str], None]
"""Told what a scenario is about to do."""


class Outcome(Protocol):
    """The figures of one scenario."""

    @property
    def ok(self) -> bool:
        """Whether the limit is kept."""

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """Lines of the table."""

    @property
    def verdict(self) -> str:
        """One line that says what was found, with the limit."""

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs."""
