"""How long running work goes on after its document was cancelled."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psutil

from sheaf_client import DocumentStatus
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.users import User, completed, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.samples.scans import scan_pdf
from sheaf_dev.stack import Stack

LIMIT_S: Final = 2.0
_TEXT_PAGES: Final = 1_900
_SCAN_PAGES: Final = 16
_LOOK_S: Final = 0.02
_BUSY_S: Final = 0.3
"""CPU time that shows that a subprocess works on the document."""
_STILL_S: Final = 0.5
"""A subprocess that used no CPU for so long has stopped."""
_BEGIN_WITHIN_S: Final = 180.0
_STOP_WITHIN_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Seconds from the request to cancel to the last CPU time of the work, by lane."""

    stopped_s: Mapping[str, tuple[float, ...]]

    @property
    def ok(self) -> bool:
        """Whether it was always in time."""
        return all(max(times) <= LIMIT_S for times in self.stopped_s.values())

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("lane", "tries", "quickest ms", "slowest ms", "limit ms")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each lane."""
        return [
            (
                lane,
                len(times),
                round(min(times) * 1000),
                round(max(times) * 1000),
                round(LIMIT_S * 1000),
            )
            for lane, times in self.stopped_s.items()
        ]

    @property
    def verdict(self) -> str:
        """With the limit."""
        slowest = max(max(times) for times in self.stopped_s.values())
        return (
            f"cancelled work ends within {slowest:.2f} s:"
            f" {'within' if self.ok else 'over'} the limit of {LIMIT_S:.0f} s"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "cancel",
            "stopped_ms": {
                lane: [round(value * 1000) for value in times]
                for lane, times in self.stopped_s.items()
            },
            "limit_ms": round(LIMIT_S * 1000),
            "ok": self.ok,
        }


async def cancel_running_work(tries: int, on_progress: Tell) -> Cancelling:
    """Cancels long documents while subprocesses work on them; on a stack of its own.

    Raises:
        DevError: the stack could not be started, a document was not begun or did not end as
            cancelled, or its work does not stop at all.
    """
    async with stack_with_users("bench-cancel") as (stack, (user,)):
        on_progress("warming up")
        for content in (text_pdf(0, 1), scan_pdf(0)):
            completed(await user.result_of(("warm-up.pdf", content)))
        documents = {"text": text_pdf(1, _TEXT_PAGES), "ocr": scan_pdf(1, _SCAN_PAGES)}
        stopped: dict[str, tuple[float, ...]] = {}
        for lane, content in documents.items():
            times: list[float] = []
            for number in range(1, tries + 1):
                on_progress(f"{lane} lane, {number} of {tries}")
                times.append(await _cancelled_s(stack, user, f"{lane}-{number}.pdf", content))
            stopped[lane] = tuple(times)
    return Cancelling(stopped)


async def _cancelled_s(stack: Stack, user: User, name: str, content: bytes) -> float:
    loop = asyncio.get_running_loop()
    work = _Work(psutil.Process(stack.pid("orchestrator")))
    upload = await user.send((name, content))
    document_id = str(upload.accepted[0].id)
    await _until(lambda: work.busy, _BEGIN_WITHIN_S, f"nothing works on {name}", work)
    work.watch_only_these()
    asked = loop.time()
    await user.cancel(document_id)
    await _until(lambda: work.still_for_s >= _STILL_S, _STOP_WITHIN_S, f"{name} goes on", work)
    took_s = max(0.0, work.last_active - asked)
    document = await user.client.wait_for_document(document_id, timeout_s=_STOP_WITHIN_S)
    if document.status is not DocumentStatus.CANCELLED:
        raise DevError(f"{name} was cancelled and is {document.status.value}: is it too short?")
    return took_s


class _Work:
    """The CPU time of a process's subprocesses, as it is looked at."""

    def __init__(self, parent: psutil.Process) -> None:
        self._parent = parent
        self._watched: set[int] | None = None
        self._first: dict[int, float] = {}
        self._before: dict[int, float] = {}
        self._loop = asyncio.get_running_loop()
        self.last_active = self._loop.time()

    def look(self) -> None:
        """Notes which were active since the last look."""
        used = self._used()
        for pid, used_s in used.items():
            self._first.setdefault(pid, used_s)
        if any(used_s > self._before.get(pid, used_s) for pid, used_s in used.items()):
            self.last_active = self._loop.time()
        self._before = used

    def watch_only_these(self) -> None:
        """From now on, those that are there count: one that takes a killed one's place doesn't."""
        self._watched = set(self._used())

    @property
    def busy(self) -> bool:
        """Whether one has worked in earnest."""
        return any(used_s - self._first[pid] >= _BUSY_S for pid, used_s in self._before.items())

    @property
    def still_for_s(self) -> float:
        """For how long none has been active."""
        return self._loop.time() - self.last_active

    def _used(self) -> dict[int, float]:
        used: dict[int, float] = {}
        for process in self._parent.children(recursive=True):
            if self._watched is not None and process.pid not in self._watched:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used[process.pid] = times.user + times.system
        return used


async def _until(
    condition: Callable[[], bool], within_s: float, otherwise: str, work: _Work
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        work.look()
        if condition():
            return
        if loop.time() > deadline:
            raise DevError(f"{otherwise} after {within_s:.0f} s")
        await asyncio.sleep(_LOOK_S)
