"""`./sheaf quality`: how good extraction is on a labelled folder."""

import json
import logging
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter
from cyclopts.validators import Number

from sheaf_dev.files import write_atomic
from sheaf_dev.outcomes import progress_bar
from sheaf_dev.quality.measuring import measure
from sheaf_dev.quality.showing import show
from sheaf_dev.quality.walking import labelled_files


def quality(
    folder: Path,
    *,
    json_: Annotated[str | None, Parameter(name="--json")] = None,
    limit: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    processes: Annotated[int, Parameter(validator=Number(gte=1, lte=64))] = 1,
    ocr: bool = True,
) -> int:
    """Read a labelled folder in the sandbox and compare what comes out with what should.

    Needs no running stack. Exits with 0 if the files could be run, whatever became of them.
    docs/quality.md says what each figure means.

    Args:
        folder: Its folders are the labels: how files in them should end, see docs/quality.md.
        json_: Write every figure to this file; `-` for standard output instead of tables.
        limit: At most so many files of each folder.
        processes: Subprocesses that read files; more than one blurs the CPU figures.
        ocr: Measure character recognition as well.
    """
    logging.getLogger("sheaf_orchestrator").setLevel(logging.ERROR)  # its ends are in the report
    files = labelled_files(folder, limit)
    with progress_bar() as bar:
        task = bar.add_task("files", total=len(files), note="")

        def on_file(name: str) -> None:
            bar.update(task, advance=1, note=name)

        def on_recognised(name: str) -> None:
            bar.update(task, note=f"recognised {name}")

        report = uvloop.run(
            measure(
                folder,
                files,
                processes=processes,
                ocr=ocr,
                on_file=on_file,
                on_recognised=on_recognised,
            )
        )
    if json_ is not None:
        text = json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n"
        if json_ == "-":
            print(text, end="")
            return 0
        write_atomic(Path(json_), text)
    show(report)
    return 0
