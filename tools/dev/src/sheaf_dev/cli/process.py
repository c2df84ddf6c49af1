"""`./sheaf process`: files and folders through a running stack."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from sheaf_client import Duplicates, OcrMode, Priority
from sheaf_dev.asking import told
from sheaf_dev.connection import running
from sheaf_dev.outcomes import milliseconds, progress_bar, show_table
from sheaf_dev.sending import Asked, files_under, send
from sheaf_dev.sent_files import SentFile

_FAILED: Final = 1
_PARTIAL: Final = "(partial)"
_COLUMNS: Final = (
    "file", "status", "reason", "pages", "OCR", "characters", "accepted ms", "result ms",
)  # fmt: skip


def process(
    *paths: Path,
    priority: Priority | None = None,
    words: Annotated[bool, Parameter(negative=())] = False,
    ocr: OcrMode | None = None,
    ocr_language: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    pages: str | None = None,
    password: str | None = None,
    product: str | None = None,
    duplicates: Duplicates | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Send files and folders to the running stack and show what comes out.

    What is found in a file, such as a mail's attachments, is waited for and shown below it.

    Exits with 0 if every file came to an end or was clearly rejected, 1 if the stack could
    not be reached or did not finish.

    Args:
        paths: Files, and folders whose files are taken in sorted order.
        priority: How urgent they are: low, normal or high.
        words: Have the words with their boxes in the results.
        ocr: When pages are recognised: auto, always or never.
        ocr_language: A language to recognise, as ISO 639-3 has it; may be repeated.
        pages: Only these pages, such as 1-3,7,10-.
        password: Opens those that are encrypted.
        product: A label to list them by.
        duplicates: What was sent before: reuse its result, or process it again.
        json_: Print one JSON object on standard output.
    """
    files = files_under(paths)
    asked = Asked(
        priority=priority,
        words=words or None,
        ocr=ocr,
        ocr_languages=ocr_language or None,
        password=password,
        product=product,
        pages=pages,
        duplicates=duplicates,
    )
    total_bytes = sum(path.stat().st_size for path in files) or 1
    connection = running()
    with told(connection), progress_bar() as bar:
        task = bar.add_task("documents", total=len(files), note="")
        settled: dict[str | Path, SentFile] = {}

        def on_change(changed: Sequence[SentFile]) -> None:
            settled.update((file.document_id or file.path, file) for file in changed)
            found = sum(file.parent_id is not None for file in settled.values())
            counts = Counter(file.status for file in settled.values())
            note = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            bar.update(task, total=len(files) + found, completed=len(settled), note=note)

        def on_bytes(sent_bytes: int) -> None:
            if not settled:  # afterwards, how many have ended says more
                bar.update(task, note=f"{sent_bytes / total_bytes:.0%} gone up")

        sent = asyncio.run(send(connection, files, on_change, asked, on_bytes))
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
                file.name,
                file.status,
                file.reason or (_PARTIAL if file.partial else None),
                file.pages,
                file.ocr_pages,
                file.characters,
                milliseconds(file.accept_s),
                milliseconds(file.result_s),
            )
            for file in sent
        ),
    )
    counts = Counter(file.status for file in sent)
    print(", ".join(f"{count} {status}" for status, count in sorted(counts.items())))
