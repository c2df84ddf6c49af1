"""How the dependencies are."""

from collections.abc import Mapping
from enum import Enum
from typing import Protocol


class Serving(Enum):
    """What a dependency's health service said."""

    YES = "up"
    NO = "down"
    SILENT = "silent"
    """No answer in time: slow, or out of reach without a refusal."""


class HealthProbe(Protocol):
    """Asks the dependencies how they are."""

    async def ask(self) -> Mapping[str, Serving]:
        """Every dependency by name, asked at once, within about a second. Never raises."""
        ...
