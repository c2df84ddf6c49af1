"""The rows of a table as they are read one by one, no more than are kept."""

from sheaf_orchestrator.extraction.office.reading import Reading


class Rows:
    """Collects rows until the table ends; the first of them may be headings."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._rows: list[list[str]] = []
        self._cells = 0
        self._heads = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, row: list[str], *, head: bool = False, times: int = 1) -> None:
        """A row, which may stand there several times."""
        if head and self._heads == len(self._rows):
            self._heads += times
        for _ in range(times):
            if self._cells > self._reading.limits.table_cells:
                return  # one row more than is kept: the composer notes that the rest is missing
            self._rows.append(row)
            self._cells += max(len(row), 1)

    def compose(self) -> None:
        """Put the table into the page and begin anew; nothing if it has no rows."""
        if self._rows:
            self._reading.composer.table(self._rows, header_rows=min(self._heads, len(self._rows)))
        self._rows, self._cells, self._heads = [], 0, 0
