"""Does a flood of scans delay text? Time to result of text PDFs, without one and with one.

Quiet and flooded rounds take turns, so that what else the machine does meets both. Text arrives
at its times, the same in both, whatever becomes of it; another user keeps a backlog of scans in the
OCR lane.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from sheaf_dev.bench.arrivals import Arrival, Latencies, open_loop
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.bench.users import END_WITHIN_S, User, completed, stack_with_users
from sheaf_dev.errors import DevError
from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.samples.scans import scan_pdf

RATIO_LIMIT: Final = 1.5
ERROR_SHARE: Final = 0.01
_TEXT_PAGES: Final = 3
_BACKLOG: Final = 12
_WARM_UP: Final = 5
_DIFFERENT_SCANS: Final = 16
_SCANS_AFTER_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class ScanFlood:
    """Both kinds of rounds; `scans_read` ended in the flooded ones."""

    quiet: Latencies
    flooded: Latencies
    scans_read: int

    @property
    def ratio(self) -> float:
        """P99 with the flood over P99 without."""
        return self.flooded.p99_ms / self.quiet.p99_ms

    @property
    def ok(self) -> bool:
        """Whether text is as good as undisturbed, and what was measured was a flood."""
        return self.ratio <= RATIO_LIMIT and self.scans_read > 0 and not self._unreliable

    @property
    def columns(self) -> Sequence[str]:
        """Titles of the table."""
        return ("rounds", "texts", "p50 ms", "p99 ms", "worst ms", "errors", "generator lag ms")

    @property
    def rows(self) -> Sequence[Sequence[object]]:
        """A line for each kind of round."""
        return [
            (
                name,
                each.count,
                round(each.p50_ms),
                round(each.p99_ms),
                round(each.worst_ms),
                len(each.errors),
                round(each.lag_p99_ms, 1),
            )
            for name, each in (("quiet", self.quiet), ("flooded", self.flooded))
        ]

    @property
    def verdict(self) -> str:
        """With the ratio and its limit."""
        kept = "within" if self.ok else "over"
        if self._unreliable or not self.scans_read:
            kept = "not measured well enough for"
        return (
            f"P99 with the flood is {self.ratio:.2f} times that without, {self.scans_read} scans"
            f" read meanwhile: {kept} the limit of {RATIO_LIMIT}"
        )

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "scenario": "scan-flood",
            "quiet": self.quiet.as_json(),
            "flooded": self.flooded.as_json(),
            "scans_read": self.scans_read,
            "p99_ratio": round(self.ratio, 3),
            "p99_ratio_limit": RATIO_LIMIT,
            "ok": self.ok,
        }

    @property
    def _unreliable(self) -> bool:
        return any(
            len(each.errors) > ERROR_SHARE * each.count for each in (self.quiet, self.flooded)
        )


async def flood_with_scans(
    *, rate: float, seconds: float, rounds: int, on_progress: Tell
) -> ScanFlood:
    """Measures on a stack of its own: `rounds` of each kind, each of so many seconds.

    Raises:
        DevError: the stack could not be started, or documents do not complete.
    """
    count = max(1, round(rate * seconds))
    quiet: list[Arrival] = []
    flooded: list[Arrival] = []
    scans_read = 0
    async with stack_with_users("bench-text", "bench-scans") as (_, (reader, scanner)):
        texts = _Texts(reader)
        on_progress("warming up")
        for number in range(_WARM_UP):
            await texts.send(number)
        scans = [scan_pdf(seed) for seed in range(_DIFFERENT_SCANS)]
        completed(await scanner.result_of(("warm-up.pdf", scans[0])))
        for number in range(rounds):
            on_progress(f"round {number + 1} of {rounds}, quiet")
            quiet += await open_loop(texts.send, rate=rate, count=count, seed=number)
            on_progress(f"round {number + 1} of {rounds}, flooded")
            async with _Flood(scanner, scans) as flood:
                flooded += await open_loop(texts.send, rate=rate, count=count, seed=number)
                scans_read += flood.read
    if not quiet or all(arrival.latency_s is None for arrival in (*quiet, *flooded)):
        raise DevError(f"no text came through: {quiet[0].error if quiet else 'none was sent'}")
    return ScanFlood(Latencies.of(quiet), Latencies.of(flooded), scans_read)


class _Texts:
    """Text PDFs, all different, as they are due."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._seed = 0

    async def send(self, _number: int) -> None:
        self._seed += 1
        content = text_pdf(self._seed, _TEXT_PAGES)
        completed(await self._user.result_of((f"text-{self._seed}.pdf", content)))


class _Flood(AbstractAsyncContextManager["_Flood"]):
    """A backlog of scans during the block; what is left of it is cancelled at its end."""

    def __init__(self, user: User, scans: Sequence[bytes]) -> None:
        self._user = user
        self._scans = scans
        self._over = False
        self._feeders: list[asyncio.Task[None]] = []
        self._waiting: set[str] = set()
        self.read = 0
        """Scans that ended so far."""

    async def __aenter__(self) -> Self:
        self._feeders = [asyncio.create_task(self._feed(number)) for number in range(_BACKLOG)]
        await asyncio.sleep(_SCANS_AFTER_S)  # the lane is busy before the first text arrives
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over = True
        if error is not None:
            for feeder in self._feeders:
                feeder.cancel()
        else:
            await asyncio.gather(*(self._user.cancel(each) for each in self._waiting))
        await asyncio.gather(*self._feeders, return_exceptions=error is not None)

    async def _feed(self, number: int) -> None:
        while not self._over:
            content = self._scans[number % len(self._scans)]
            upload = await self._user.send((f"scan-{number}.pdf", content))
            document_id = str(upload.accepted[0].id)
            if self._over:
                await self._user.cancel(document_id)
            self._waiting.add(document_id)
            document = await self._user.client.wait_for_document(
                document_id, timeout_s=END_WITHIN_S
            )
            self._waiting.discard(document_id)
            if self._over:
                return
            completed(document)
            self.read += 1
            number += _BACKLOG
