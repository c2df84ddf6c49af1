"""The recent past of this process: what the metrics that targets are judged by did lately.

Every 5 s their cumulative values are noted, for 5 minutes. A question compares the values of
that moment with those of the window's begin, so its answer is live.
"""

import asyncio
import time
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

import structlog
from prometheus_client.registry import REGISTRY, CollectorRegistry

from sheaf_common.errors import InvalidInput
from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.catalogue import MetricSpec
from sheaf_common.telemetry.measured import CounterIncrease, GaugeRange, HistogramIncrease, Recent
from sheaf_common.telemetry.reading import RegistryReader, Series, Values

log = structlog.get_logger()

WATCHED: Final = (
    catalogue.HTTP_REQUEST_SECONDS,
    catalogue.POOL_SIZE,
    catalogue.POOL_USED_MAX,
    catalogue.BACKLOG_OLDEST_SECONDS,
    catalogue.DOCUMENT_RESULT_SECONDS,
    catalogue.ACTIVITY_SECONDS,
)
"""What the targets of `telemetry/kpis.py` are judged by; of them a process has its own."""

MIN_WINDOW_S: Final = 1.0
MAX_WINDOW_S: Final = 300.0
DEFAULT_WINDOW_S: Final = 60.0
_INTERVAL_S: Final = 5.0
_POINTS: Final = round(MAX_WINDOW_S / _INTERVAL_S) + 2
"""One more than begin and end of the longest window: a point is taken a little late."""


class _Point(NamedTuple):
    """All series at a time of the clock, in seconds."""

    at: float
    held: Mapping[Series, Values]


class RecentPast:
    """Remembers what the metrics of `specs` in `registry` were, in a bounded ring.

    Names, labels and values that have not changed are held once, whatever the number of points.
    """

    def __init__(
        self,
        specs: Sequence[MetricSpec] = WATCHED,
        registry: CollectorRegistry = REGISTRY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = RegistryReader(specs, registry)
        self._clock = clock
        self._points: deque[_Point] = deque(maxlen=_POINTS)
        self._series: dict[Series, Series] = {}

    def note(self) -> None:
        """Notes how everything is now. Raises what a collector raises."""
        self._points.append(self._look())

    def over(self, window_s: float) -> Recent:
        """What happened in the last `window_s` seconds, from 1 to 300, up to this moment.

        It looks back at least that far, up to 5 s farther, and less far only if the process
        has not run for so long. A series that is new since counts from zero; one that fell
        was reset, and counts from zero again.

        Raises:
            InvalidInput: `WINDOW_INVALID`.
        """
        if not MIN_WINDOW_S <= window_s <= MAX_WINDOW_S:
            raise InvalidInput(
                "WINDOW_INVALID",
                f"window must be from {MIN_WINDOW_S:g} s to {MAX_WINDOW_S:g} s",
                evidence={"field": "window"},
            )
        now = self._look()
        points = [*self._since(now.at - window_s), now]
        counters: list[CounterIncrease] = []
        histograms: list[HistogramIncrease] = []
        gauges: list[GaugeRange] = []
        for series in {series: None for point in points for series in point.held}:
            held = [point.held.get(series) for point in points]
            labels = dict(series.labels)
            if series.kind == "gauge":
                highest = max(values[0] for values in held if values is not None)
                latest = held[-1][0] if held[-1] is not None else float("nan")
                gauges.append(GaugeRange(series.name, labels, latest, highest))
            elif series.kind == "counter":
                (increase,) = _increase(held, 1)
                if increase > 0:
                    counters.append(CounterIncrease(series.name, labels, increase))
            else:
                *counts, total = _increase(held, len(series.bounds) + 2)
                if any(counts):
                    histograms.append(
                        HistogramIncrease(series.name, labels, series.bounds, counts, total)
                    )
        return Recent(now.at - points[0].at, counters, histograms, gauges)

    def _since(self, begin: float) -> Iterator[_Point]:
        """The points from `begin` on, and the last before it."""
        points = list(self._points)
        earlier = sum(point.at <= begin for point in points)
        yield from points[max(0, earlier - 1) :]

    def _look(self) -> _Point:
        before = self._points[-1].held if self._points else {}
        held = {}
        for series, values in self._reader.read().items():
            known = before.get(series)
            held[self._series.setdefault(series, series)] = known if known == values else values
        return _Point(self._clock(), held)


def _increase(held: "Sequence[Values | None]", width: int) -> Values:
    """By how much each of a series' values grew over its points; None where it was not there."""
    zero = array("d", bytes(8 * width))
    grown, base = zero, held[0] or zero
    last = base
    for values in held[1:]:
        if values is None or values is last:
            continue
        if _observations(values) < _observations(last):
            grown, base = _sum_of(grown, last, base), zero
        last = values
    return _sum_of(grown, last, base)


def _observations(values: Values) -> float:
    """What never falls: a counter's value, a histogram's count without its sum."""
    return values[0] if len(values) == 1 else sum(values[:-1])


def _sum_of(grown: Values, last: Values, base: Values) -> Values:
    terms = zip(grown, last, base, strict=True)
    return array("d", (so_far + end - begin for so_far, end, begin in terms))


@asynccontextmanager
async def noting(past: RecentPast) -> AsyncIterator[RecentPast]:
    """Notes how everything is, now and every 5 s, for as long as the block runs."""
    past.note()
    task = asyncio.create_task(_note_for_ever(past), name="recent past")
    try:
        yield past
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _note_for_ever(past: RecentPast) -> None:
    while True:
        await asyncio.sleep(_INTERVAL_S)
        try:
            past.note()
        except Exception:
            log.exception("the recent past has a gap: a metric cannot be read")
