"""How a table of text is written: which character parts its fields."""

import csv
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Final

DELIMITERS: Final = ",;\t|"
_LINES_LOOKED_AT: Final = 40
_CLEAR_LINES: Final = 4
_CLEAR_FIELDS: Final = 3


def _widths(sample: str, delimiter: str) -> list[int]:
    """Fields of each of the first rows; the last row may be cut, and is left out if others are."""
    lines: Iterable[str] = islice(sample.splitlines(keepends=True), _LINES_LOOKED_AT)
    try:
        rows = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:  # a field over the module's limit: not of this delimiter
        return []
    return rows[:-1] or rows


def delimiter_of(sample: str) -> str:
    """The delimiter by which most rows have as many fields, more than one; or a comma."""
    best, score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = _widths(sample, delimiter)
        if not widths:
            continue
        width, rows = Counter(widths).most_common(1)[0]
        if width > 1 and (found := rows / len(widths) * min(width, 10)) > score:
            best, score = delimiter, found
    return best


def clear_delimiter(sample: str) -> str | None:
    """The delimiter of what nobody declared to be a table and can be nothing else; or None."""
    for delimiter in DELIMITERS:
        if sample.count(delimiter) < (_CLEAR_FIELDS - 1) * _CLEAR_LINES:
            continue
        widths = _widths(sample, delimiter)
        if (
            len(widths) >= _CLEAR_LINES
            and min(widths) >= _CLEAR_FIELDS
            and min(widths) == max(widths)
        ):
            return delimiter
    return None
