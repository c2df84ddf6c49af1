"""The log files of the stack: one a process, bounded, the run before kept as `.1`."""

import os
from pathlib import Path

MAX_KEPT_BYTES = 4 * 1024 * 1024
TAIL_LINES = 20
_TAIL_BYTES = 64 * 1024


def begin(path: Path, max_kept_bytes: int = MAX_KEPT_BYTES) -> None:
    """Makes room for a new run's log: at most the end of the last one is kept, as `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return
    if size == 0:
        return
    kept = path.with_name(f"{path.name}.1")
    if size <= max_kept_bytes:
        path.replace(kept)
        return
    kept.write_bytes(_end_of(path, max_kept_bytes))
    path.unlink()


def tail(path: Path, lines: int = TAIL_LINES) -> tuple[str, ...]:
    """The last lines of a log; none if it is not there. Undecodable bytes are replaced."""
    try:
        end = _end_of(path, _TAIL_BYTES)
    except FileNotFoundError:
        return ()
    return tuple(end.decode("utf-8", errors="replace").splitlines()[-lines:])


def _end_of(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        length = file.seek(0, os.SEEK_END)
        file.seek(max(0, length - size_bytes))
        return file.read()
