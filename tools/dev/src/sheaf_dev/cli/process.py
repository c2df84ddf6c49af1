"""`./sheaf process`: files and folders through a running stack."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from sheaf_dev.connection import running
from sheaf_dev.outcomes import milliseconds, progress_bar, show_table
from sheaf_dev.sending import SentFile, files_under, send

_FAILED: Final = 1
_COLUMNS: Final = (
    "file", "status", "reason", "pages", "characters", "accepted ms", "result ms",
)  # fmt: skip


def process(
    *paths: Path,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Send files and folders to the running stack and show what comes out.

    Exits with 0 if every file came to an end or was clearly rejected, 1 if the stack could
    not be reached or did not finish.

    Args:
        paths: Files, and folders whose files are taken in sorted order.
        json_: Print one JSON object on standard output.
    """
    files = files_under(paths)
    connection = running()
    with progress_bar() as bar:
        task = bar.add_task("documents", total=len(files), note="")
        settled: dict[Path, SentFile] = {}

        def on_change(changed: Sequence[SentFile]) -> None:
            settled.update((file.path, file) for file in changed)
            counts = Counter(file.status for file in settled.values())
            note = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            bar.update(task, completed=len(settled), note=note)

        sent = asyncio.run(send(connection, files, on_change))
    ok = not any(file.status == "error" for file in sent)
    if json_:
        print(json.dumps({"documents": [file.as_json() for file in sent], "ok": ok}))
    else:
        _show(sent)
    return 0 if ok else _FAILED


def _show(sent: Sequence[SentFile]) -> None:
    show_table(
        _COLUMNS,
        (
            (
                str(file.path),
                file.status,
                file.reason,
                file.pages,
                file.characters,
                milliseconds(file.accept_s),
                milliseconds(file.result_s),
            )
            for file in sent
        ),
    )
    counts = Counter(file.status for file in sent)
    print(", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
