"""The files of a labelled folder, in an order that is the same everywhere."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sheaf_dev.errors import DevError

GROUND_TRUTH: Final = "ground-truth"
_SUFFIX: Final = ".txt"
_NO_DOCUMENTS: Final = frozenset({"SOURCES.tsv"})
_MOST_FILES: Final = 100_000


@dataclass(frozen=True, slots=True)
class LabelledFile:
    """One file to measure. `folder` is its label; `truth` holds its text, if somebody wrote it."""

    path: Path
    name: str
    """Relative to the folder that was given, with slashes."""
    folder: str
    truth: Path | None = None


def labelled_files(root: Path, limit: int | None = None) -> list[LabelledFile]:
    """The files under `root`, by path; at most `limit` of each folder.

    The label is the first folder below `root`, or the name of `root` for files that lie in it.
    The text of `a/b.png` is looked for in `ground-truth/a__b.png.txt`, in `a/b.png.txt` and in
    `a/b.txt`. What holds the text of another file is no document itself.

    Raises:
        DevError: it is no folder, or there is no document in it.
    """
    if not root.is_dir():
        raise DevError(f"no such folder: {root}")
    root = root.resolve()
    paths = list(_walk(root))
    known = set(paths)
    truths = {path: truth for path in paths if (truth := _truth(root, path, known)) is not None}
    references = set(truths.values())
    found: list[LabelledFile] = []
    counts: dict[str, int] = {}
    for path in paths:
        if path in references:
            continue
        inside = path.relative_to(root)
        folder = inside.parts[0] if len(inside.parts) > 1 else root.name
        counts[folder] = counts.get(folder, 0) + 1
        if limit is None or counts[folder] <= limit:
            found.append(LabelledFile(path, inside.as_posix(), folder, truths.get(path)))
    if not found:
        raise DevError(f"there is no document in {root}")
    return found


def _truth(root: Path, path: Path, known: set[Path]) -> Path | None:
    label = path.relative_to(root).parent.name or root.name
    for truths in (root / GROUND_TRUTH, root.parent / GROUND_TRUTH):
        kept = truths / f"{label}__{path.name}{_SUFFIX}"
        if kept.is_file():
            return kept
    if path.suffix.lower() == _SUFFIX:
        return None
    beside = (path.with_name(path.name + _SUFFIX), path.with_suffix(_SUFFIX))
    return next((each for each in beside if each in known), None)


def _walk(root: Path) -> Iterator[Path]:
    seen = 0
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name != GROUND_TRUTH and not name.startswith(".")
        )
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or name in _NO_DOCUMENTS or not path.is_file():
                continue
            seen += 1
            if seen > _MOST_FILES:
                raise DevError(f"{root} has more than {_MOST_FILES} files")
            yield path
