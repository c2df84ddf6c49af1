"""Many documents, one after the other: does the memory of what carries them stay flat?"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sheaf_dev.bench.memory import GROWTH_MIB, GROWTH_SHARE, Slope, watched_memory
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.users import END_WITHIN_S, Content, User, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.samples import demo_samples
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.services import SERVICES

_BATCH: Final = 10
_BATCHES_AT_ONCE: Final = 6
_WARM_UP: Final = 60
_SAMPLE_EVERY: Final = 5
"""Every fifth document is of another format than PDF."""
_LONGEST_PAGES: Final = 4
_TELL_EVERY: Final = 500


@dataclass(frozen=True, slots=True)
class ManyDocuments:
    """Memory over so many documents, by process."""

    documents: int
    seconds: float
    inside: int
    """Files that were found inside them, and became documents too."""
    ends: Mapping[str, int]
    slopes: Mapping[str, Slope]

    @property
    def ok(self) -> bool:
        """Whether each is flat."""
        return bool(self.slopes) and all(slope.flat for slope in self.slopes.values())

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("process", "first quarter MiB", "last quarter MiB", "peak MiB", "growth MiB")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each process."""
        return [
            (
                name,
                round(slope.first_mib, 1),
                round(slope.last_mib, 1),
                round(slope.peak_mib, 1),
                round(slope.growth_mib, 1),
            )
            for name, slope in self.slopes.items()
        ]

    @property
    def verdict(self) -> str:
        """With the limit."""
        grown = [name for name, slope in self.slopes.items() if not slope.flat]
        found = f"not flat: {', '.join(grown)}" if grown else "flat"
        return (
            f"{self.documents} documents in {self.seconds:.0f} s: memory is {found}"
            f" (limit: {GROWTH_SHARE:.0%} or {GROWTH_MIB:.0f} MiB more)"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "documents",
            "documents": self.documents,
            "seconds": round(self.seconds, 1),
            "inside": self.inside,
            "ends": dict(sorted(self.ends.items())),
            "memory": {name: slope.as_json() for name, slope in self.slopes.items()},
            "growth_limit_share": GROWTH_SHARE,
            "growth_limit_mib": GROWTH_MIB,
            "ok": self.ok,
        }


async def pass_documents(documents: int, on_progress: Tell) -> ManyDocuments:
    """Sends so many documents, some at once, and watches every service and its subprocesses.

    Some go first and do not count: what is loaded or made once is no growth.

    Raises:
        DevError: the stack could not be started, or a document did not come to an end.
    """
    async with stack_with_users("bench-documents") as (stack, (user,)):
        on_progress(f"warming up with {_WARM_UP} documents")
        await _Passing(user, on_progress).run(_files(_WARM_UP, first=10**6))
        passing = _Passing(user, on_progress)
        pids = {name: stack.pid(name) for name in SERVICES}
        began = time.monotonic()
        async with watched_memory(pids, lambda: passing.done / documents) as log:
            await passing.run(_files(documents, first=0))
        return ManyDocuments(
            documents, time.monotonic() - began, passing.inside, passing.ends, log.slopes()
        )


class _Passing:
    """Batches on their way, a bounded number at once; each is followed to its end."""

    def __init__(self, user: User, on_progress: Tell) -> None:
        self._user = user
        self._on_progress = on_progress
        self._told = 0
        self.done = 0
        self.inside = 0
        self.ends: dict[str, int] = {}

    async def run(self, files: Iterator[Content]) -> None:
        """Sends all of them."""
        async with asyncio.TaskGroup() as group:
            for _ in range(_BATCHES_AT_ONCE):
                group.create_task(self._work(files))

    async def _work(self, files: Iterator[Content]) -> None:
        while batch := list(islice(files, _BATCH)):
            upload = await self._user.send(*batch)
            ended = await self._user.client.wait_for_batch(upload.batch_id, timeout_s=END_WITHIN_S)
            if len(upload.accepted) != len(batch):
                raise DevError(f"{upload.rejected[0].filename} was rejected")
            self.inside += sum(ended.counts.values()) - len(batch)
            for status, count in ended.counts.items():
                self.ends[status] = self.ends.get(status, 0) + count
            self.done += len(batch)
            if self.done - self._told >= _TELL_EVERY:
                self._told = self.done
                self._on_progress(f"{self.done} documents")


def _files(count: int, *, first: int) -> Iterator[Content]:
    """Text PDFs of one to four pages, all different; every fifth is one of the samples.

    Samples whose text must be recognised are left out: they would take all the time.
    """
    samples = [sample for sample in demo_samples() if not sample.needs_ocr]
    for number in range(count):
        if number % _SAMPLE_EVERY:
            pages = 1 + number % _LONGEST_PAGES
            yield f"document-{number}.pdf", text_pdf(first + number, pages)
        else:
            sample = samples[number // _SAMPLE_EVERY % len(samples)]
            yield sample.filename, sample.content
