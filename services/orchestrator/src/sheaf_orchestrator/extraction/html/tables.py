"""Tables of HTML: which hold data and which only lay out a page, and their cells as a grid."""

import msgspec

from sheaf_orchestrator.extraction.html.blocks import Block, Grid, Heading, Preformatted

MAX_COLUMNS = 1_000
"""Source: WHATWG HTML, 4.9.11 (colspan)."""
_MAX_CELL_CHARACTERS = 4_000
_MIN_LINES = 2


class Cell(msgspec.Struct, kw_only=True):
    """A cell as it was met."""

    head: bool
    columns: int = 1
    rows: int = 1
    blocks: list[Block] = []

    @property
    def text(self) -> str:
        """Its text, a line for each block."""
        return "\n".join(block.text for block in self.blocks)


class Frame(msgspec.Struct, kw_only=True):
    """A table that is being read."""

    before: list[Block]
    """Where blocks went before the table, and will go after it."""
    lists: list[int | None]
    layout: bool
    """Whether the page says that it is only layout, or a table lies in it."""
    caption: list[Block] = []
    loose: list[Block] = []
    """What stands in the table outside of cells."""
    rows: list[list[Cell]] = []
    heads: int = 0
    """Rows of the table's head."""
    in_head: bool = False

    def grid(self, max_cells: int) -> tuple[Grid | None, bool]:
        """The table as data, None when it is layout, and whether cells were left out."""
        rows = [row for row in self.rows if any(cell.blocks for cell in row)]
        if self.layout or not _is_data(rows):
            return None, False
        cells, cut = _spread(rows, max_cells)
        heads = 0
        for row in rows:
            if not all(cell.head for cell in row):
                break
            heads += 1
        caption = " ".join(block.text for block in self.caption)
        return Grid(caption, cells, max(heads, min(self.heads, len(rows)))), cut

    def flat(self) -> list[Block]:
        """All blocks in order, as if there were no table."""
        found = [*self.caption, *self.loose]
        for row in self.rows:
            for cell in row:
                found += cell.blocks
        return found


def _is_data(rows: list[list[Cell]]) -> bool:
    lines = 0
    for row in rows:
        for cell in row:
            if any(isinstance(block, Heading | Preformatted | Grid) for block in cell.blocks):
                return False
            if sum(len(block.text) for block in cell.blocks) > _MAX_CELL_CHARACTERS:
                return False
        lines += sum(1 for cell in row if cell.blocks) > 1
    return lines >= _MIN_LINES or any(cell.head for row in rows for cell in row)


def _spread(rows: list[list[Cell]], max_cells: int) -> tuple[list[list[str]], bool]:
    """Every cell in its column; what a cell spans beyond its first place is empty."""
    grid: list[list[str]] = []
    spanned: dict[int, int] = {}
    for row in rows:
        line: list[str] = []
        for cell in row:
            _skip(line, spanned)
            width = min(cell.columns, MAX_COLUMNS - len(line))
            if width <= 0:
                break
            if cell.rows > 1:
                spanned.update(dict.fromkeys(range(len(line), len(line) + width), cell.rows))
            line += [cell.text] + [""] * (width - 1)
        _skip(line, spanned)
        spanned = {column: left - 1 for column, left in spanned.items() if left > 1}
        max_cells -= len(line)
        if max_cells < 0:
            return grid, True
        grid.append(line)
    return grid, False


def _skip(line: list[str], spanned: dict[int, int]) -> None:
    """Over the columns that a cell of a row above takes."""
    while len(line) in spanned:
        line.append("")
