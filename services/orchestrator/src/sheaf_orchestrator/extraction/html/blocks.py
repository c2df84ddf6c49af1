"""What a walk through HTML finds, before it is given to a composer."""

from typing import NamedTuple

import msgspec

from sheaf_orchestrator.extraction.composing import Composer


class Heading(NamedTuple):
    """A heading of ``level`` from 1."""

    level: int
    text: str

    def write(self, composer: Composer) -> None:
        """Give it to the composer."""
        composer.heading(self.level, self.text)


class Paragraph(NamedTuple):
    """A paragraph; ``marked`` is its Markdown when that is more than its text."""

    text: str
    marked: str | None = None

    def write(self, composer: Composer) -> None:
        """Give it to the composer."""
        composer.paragraph(self.text, self.marked)


class Item(NamedTuple):
    """An item of a list."""

    text: str
    depth: int
    number: int | None

    def write(self, composer: Composer) -> None:
        """Give it to the composer."""
        composer.item(self.text, depth=self.depth, number=self.number)


class Preformatted(NamedTuple):
    """Text whose white space counts."""

    text: str

    def write(self, composer: Composer) -> None:
        """Give it to the composer."""
        composer.code(self.text)


class Grid(NamedTuple):
    """A table of data."""

    text: str
    """Its caption."""
    rows: list[list[str]]
    header_rows: int

    def write(self, composer: Composer) -> None:
        """Give it to the composer, after its caption."""
        composer.paragraph(self.text)
        composer.table(self.rows, header_rows=self.header_rows, name=self.text or None)


Block = Heading | Paragraph | Item | Preformatted | Grid


class Seen(msgspec.Struct, kw_only=True):
    """All that a walk found."""

    blocks: list[Block] = []
    links: list[tuple[str, str]] = []
    """Address and text of each."""
    cut: bool = False
    """Whether cells were left out, for their number."""
    late: bool = False
    """Whether the time was over before the end."""
