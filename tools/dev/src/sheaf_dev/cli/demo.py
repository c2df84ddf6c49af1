"""`./sheaf demo`: the main job, shown on the samples."""

import asyncio
import json
from typing import Annotated, Final

from cyclopts import Parameter

from sheaf_dev.connection import running_or_started, say
from sheaf_dev.demo import DemoResult, run_demo
from sheaf_dev.outcomes import milliseconds, progress_bar, show_table
from sheaf_dev.samples import demo_samples

_FAILED: Final = 1
_COLUMNS: Final = (
    "document", "status", "expected", "reason", "pages", "characters", "accepted ms", "result ms",
)  # fmt: skip


def demo(
    *,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
    keep: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Send sample documents through Sheaf and show what comes out.

    Uses the stack of this checkout if it is up; else starts it, and stops it afterwards.
    Exits with 0 only if every document ended as expected and its text was found.

    Args:
        json_: Print one JSON object on standard output.
        keep: Leave the stack running.
    """
    samples = demo_samples()
    with running_or_started(keep=keep) as connection, progress_bar() as bar:
        task = bar.add_task("documents", total=len(samples), note="")

        def on_result(result: DemoResult) -> None:
            bar.update(task, advance=1, note=result.sample.filename)

        results = asyncio.run(run_demo(connection, samples, on_result))
    for result in results:
        for fault in result.faults:
            say(f"{result.sample.filename}: {fault}")
    ok = not any(result.faults for result in results)
    if json_:
        print(json.dumps({"documents": [result.as_json() for result in results], "ok": ok}))
    else:
        _show(results, ok=ok)
    return 0 if ok else _FAILED


def _show(results: list[DemoResult], *, ok: bool) -> None:
    show_table(
        _COLUMNS,
        (
            (
                result.sample.filename,
                result.status,
                result.sample.expected_status,
                result.reason,
                result.pages,
                result.characters,
                milliseconds(result.accept_s),
                milliseconds(result.result_s),
            )
            for result in results
        ),
    )
    print("every document ended as expected" if ok else "not every document ended as expected")
