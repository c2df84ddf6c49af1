"""What became of documents, as commands print it: a table for people, JSON for programs."""

import sys
from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_PIPED_WIDTH = 160
_COLOURS = {
    "completed": "green", "rejected": "yellow", "failed": "yellow", "error": "red",
    "met": "green", "missed": "red", "no data": "yellow",
}  # fmt: skip


def progress_bar() -> Progress:
    """A bar on standard error; silent where that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table on standard output; what is None is left empty, numbers stand right."""
    lines = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False)
    for index, title in enumerate(columns):
        is_number = any(isinstance(line[index], int | float) for line in lines)
        table.add_column(
            title,
            justify="right" if is_number else "left",
            overflow="fold",
            no_wrap=title == "id",  # so that it can be copied
        )
    for line in lines:
        table.add_row(*(_cell(value) for value in line))
    Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH).print(table)


def milliseconds(seconds: float | None) -> int | None:
    """Seconds as whole milliseconds."""
    return None if seconds is None else round(seconds * 1000)


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = str(value)
    colour = _COLOURS.get(text)
    escaped = text.replace("[", r"\[")
    return f"[{colour}]{escaped}[/{colour}]" if colour else escaped
