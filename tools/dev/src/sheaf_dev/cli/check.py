"""`./sheaf check`: what CI runs beside the tests."""

import asyncio
import dataclasses
import os
import time

from rich.console import Console
from rich.text import Text

from sheaf_dev import checkout
from sheaf_dev.checks.steps import Step, steps


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended, how long it took, and what it said."""

    passed: bool
    took_s: float
    output: str


def check() -> int:
    """Check format, lint, types, import rules, protos, generated code and isolation.

    Every step runs, whatever fails; exits with 1 if any did.
    """
    return asyncio.run(_check_all(steps()))


async def _check_all(table: list[Step]) -> int:
    console = Console(highlight=False, soft_wrap=True)
    places = asyncio.Semaphore(os.cpu_count() or 1)
    begun = time.monotonic()

    async def check_one(step: Step) -> bool:
        async with places:
            outcome = await _run(step)
        mark = Text("ok    ", "green") if outcome.passed else Text("FAILED", "bold red")
        console.print(mark, f"{outcome.took_s:6.1f} s ", step.name)
        if not outcome.passed and outcome.output:
            console.print(Text(outcome.output))
        return outcome.passed

    passed = await asyncio.gather(*(check_one(step) for step in table))
    failed = passed.count(False)
    verdict = f"{failed} of {len(passed)} checks failed" if failed else "all checks passed"
    console.print(f"{verdict} in {time.monotonic() - begun:.1f} s")
    return 1 if failed else 0


async def _run(step: Step) -> Outcome:
    begun = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *step.command,
        cwd=checkout.root() / step.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(step.timeout_s):
            output, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        output = f"took over {step.timeout_s:.0f} s\n".encode()
    took_s = time.monotonic() - begun
    return Outcome(process.returncode == 0, took_s, output.decode(errors="replace").strip())
