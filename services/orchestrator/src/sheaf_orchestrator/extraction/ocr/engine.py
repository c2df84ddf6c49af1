"""The port that recognition engines implement."""

from collections.abc import Sequence
from typing import Protocol

import msgspec
from PIL import Image

from sheaf_orchestrator.extraction.result import Box, Word


class Line(msgspec.Struct, frozen=True):
    """A line of text, or a piece of one, as an engine found it."""

    text: str
    """Not empty."""
    box: Box
    """Left, top, right, bottom in pixels of the picture."""
    confidence: float
    """0 to 1."""
    words: tuple[Word, ...] = ()
    """Its words in pixels, from engines that know them."""


class Engine(Protocol):
    """Reads pictures. Holds its models; not to be shared by threads."""

    @property
    def name(self) -> str:
        """Name, version and model, as results show it."""

    @property
    def finds_sideways(self) -> bool:
        """Whether it finds lines that run up or down the picture."""

    def reads(self, languages: Sequence[str]) -> bool:
        """Whether it can read every one of these (ISO 639-3); of none: whether it works at all."""

    def recognise(self, picture: Image.Image, languages: Sequence[str]) -> list[Line]:
        """The lines of a grey picture, in no particular order. Blocks for up to seconds.

        ``languages`` that it cannot read are passed over.
        """
