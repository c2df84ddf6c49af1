"""Does one user's flood of files starve another's single file?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sheaf_client import DocumentStatus
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.statistics import median
from sheaf_dev.bench.users import END_WITHIN_S, User, completed, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import text_pdf

EXTRA_LIMIT_S: Final = 1.5
"""What a single file may lose to the flood: the groups in flight must end before it begins."""
_FLOOD_PAGES: Final = 4
_FLOOD_BATCH: Final = 20
_SINGLE_PAGES: Final = 3
_SINGLES: Final = 5
_WARM_UP: Final = 3


@dataclass(frozen=True, slots=True)
class Fairness:
    """Times to result of single files, in seconds; `flood_left` is what the flood still held."""

    alone_s: tuple[float, ...]
    flooded_s: tuple[float, ...]
    flood_files: int
    flood_left: tuple[int, ...]
    """Unfinished files of the flood when each single one had its result."""

    @property
    def extra_s(self) -> float:
        """What the flood costs the unluckiest single file, over the median of those alone."""
        return max(self.flooded_s) - median(self.alone_s)

    @property
    def ok(self) -> bool:
        """Whether the flood does not make it wait for its own end."""
        return self.extra_s <= EXTRA_LIMIT_S

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("single files", "count", "median ms", "worst ms", "flood left at the end")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """Alone, and during the flood."""
        return [
            (name, len(times), round(median(times) * 1000), round(max(times) * 1000), left)
            for name, times, left in (
                ("alone", self.alone_s, None),
                ("in the flood", self.flooded_s, self.flood_left[-1]),
            )
        ]

    @property
    def verdict(self) -> str:
        """With the limit."""
        return (
            f"a flood of {self.flood_files} files costs another user's single file at most"
            f" {self.extra_s:.2f} s: {'within' if self.ok else 'over'} the limit of"
            f" {EXTRA_LIMIT_S} s"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "fairness",
            "flood_files": self.flood_files,
            "alone_ms": [round(value * 1000) for value in self.alone_s],
            "flooded_ms": [round(value * 1000) for value in self.flooded_s],
            "flood_left": list(self.flood_left),
            "extra_ms": round(self.extra_s * 1000),
            "extra_limit_ms": round(EXTRA_LIMIT_S * 1000),
            "ok": self.ok,
        }


async def flood_by_one_user(files: int, on_progress: Tell) -> Fairness:
    """Single files alone, then while another user's files wait; on a stack of its own.

    Raises:
        DevError: the stack could not be started, documents do not complete, or the flood was
            over before a single file was.
    """
    async with stack_with_users("bench-single", "bench-flood") as (_, (single, flooder)):
        on_progress("single files, alone")
        for number in range(_WARM_UP):
            await _time_s(single, number)
        alone = [await _time_s(single, 100 + number) for number in range(_SINGLES)]
        on_progress(f"a flood of {files} files")
        batches = await _flood(flooder, files)
        flooded: list[float] = []
        left: list[int] = []
        for number in range(_SINGLES):
            if not await _left(flooder, batches):
                break
            flooded.append(await _time_s(single, 200 + number))
            left.append(await _left(flooder, batches))
        if not flooded:
            raise DevError("the flood was over before a file was sent: ask for more files")
        on_progress("waiting for the rest of the flood")
        for batch_id in batches:
            await flooder.client.wait_for_batch(batch_id, timeout_s=END_WITHIN_S)
    return Fairness(tuple(alone), tuple(flooded), files, tuple(left))


async def _time_s(user: User, seed: int) -> float:
    content = text_pdf(seed, _SINGLE_PAGES)
    loop = asyncio.get_running_loop()
    began = loop.time()
    completed(await user.result_of((f"single-{seed}.pdf", content)))
    return loop.time() - began


async def _flood(user: User, files: int) -> list[str]:
    """Sends them as fast as they are taken; the ids of their batches."""
    contents = [(f"flood-{n}.pdf", text_pdf(10_000 + n, _FLOOD_PAGES)) for n in range(files)]
    parts = [contents[start : start + _FLOOD_BATCH] for start in range(0, files, _FLOOD_BATCH)]
    uploads = await asyncio.gather(*(user.send(*part) for part in parts))
    return [upload.batch_id for upload in uploads]


async def _left(user: User, batches: Sequence[str]) -> int:
    """How many of the flood's files have not ended."""
    answers = await asyncio.gather(*(user.client.get_batch(batch_id) for batch_id in batches))
    return sum(
        count
        for batch in answers
        for status, count in batch.counts.items()
        if not DocumentStatus(status).is_terminal
    )
