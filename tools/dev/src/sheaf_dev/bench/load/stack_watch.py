"""A stack of this machine under load: its processes, its metrics, its backlog."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import httpx
import psutil
from prometheus_client.samples import Sample as MetricSample

from sheaf_common.telemetry import catalogue
from sheaf_common.telemetry.kpis import KpiName
from sheaf_dev.bench.load.backlog import BacklogLog
from sheaf_dev.bench.load.histograms import Histogram, samples_of
from sheaf_dev.bench.load.report import Quantiles
from sheaf_dev.bench.load.watching import Observed, Watching, in_background
from sheaf_dev.bench.processes import Processes
from sheaf_dev.bench.scenario import Tell
from sheaf_dev.errors import DevError
from sheaf_dev.ports import HOST
from sheaf_dev.probes import local_channel
from sheaf_dev.stack import Stack

_MEMORY_EACH_S: Final = 1.0
_POOLS_EACH_S: Final = 1.0
_POOLS_WITH_PEAK_EACH_S: Final = 5.0
_SCRAPE_S: Final = 5.0
_POOLED: Final = ("storage", "metadata", "gateway")
_TEXT: Final = {"lane": "text"}
_GROUP_ACTIVITY: Final = {"activity": "extract_group"}
_POOL_SIZE: Final = catalogue.POOL_SIZE.name
_POOL_USED: Final = catalogue.POOL_USED.name
_POOL_USED_MAX: Final = catalogue.POOL_USED_MAX.name


class Scraper:
    """Reads the metrics of the stack's services. `http` stays the caller's."""

    def __init__(self, http: httpx.AsyncClient, stack: Stack) -> None:
        self._http = http
        self._stack = stack

    async def samples(self, service: str, *names: str) -> Sequence[MetricSample]:
        """Those of metrics whose names begin with one of `names`.

        Raises:
            DevError: the service did not answer in time.
        """
        own = "GATEWAY_PORT" if service == "gateway" else f"{service.upper()}_METRICS_PORT"
        port = self._stack.port(service, own)
        try:
            answer = await self._http.get(f"http://{HOST}:{port}/metrics")
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise DevError(f"{service} did not tell its metrics: {error!r}") from error
        return samples_of(answer.text, names)


@dataclass(frozen=True, slots=True)
class _Counted:
    """Cumulative figures of the orchestrator."""

    activity: Histogram
    groups: Histogram
    group_documents: Histogram

    @classmethod
    async def now(cls, scraper: Scraper) -> "_Counted":
        names = [
            spec.name
            for spec in (
                catalogue.ACTIVITY_SECONDS,
                catalogue.GROUP_SECONDS,
                catalogue.DISPATCHED_GROUP_DOCUMENTS,
            )
        ]
        samples = await scraper.samples("orchestrator", *names)
        labels = (_GROUP_ACTIVITY, _TEXT, _TEXT)
        return cls(*(Histogram.of(samples, *each) for each in zip(names, labels, strict=True)))

    def since(self, before: "_Counted") -> "_Counted":
        return _Counted(
            self.activity.since(before.activity),
            self.groups.since(before.groups),
            self.group_documents.since(before.group_documents),
        )

    @property
    def activity_ms(self) -> Quantiles:
        """Of the group activity; of the group's own time where activities are not measured."""
        seconds = self.activity if self.activity.count else self.groups
        shares = (0.5, 0.95, 0.99, 0.999)
        values = (seconds.quantile(share) for share in shares)
        return Quantiles(
            round(seconds.count), *(None if each is None else each * 1000 for each in values)
        )


@dataclass(slots=True)
class PoolPeaks:
    """The largest share of each pool that was seen in use."""

    used_max: dict[str, float] = field(default_factory=dict)

    def see(self, samples: Sequence[MetricSample]) -> bool:
        """One look; whether the pools keep their peaks themselves, for a minute.

        Then one look in a while is enough. A peak may be of the minute before the run: it is
        taken for the run's, which is never less than what was.
        """
        by_name: dict[str, dict[str, float]] = {}
        for sample in samples:
            if "pool" in sample.labels:
                by_name.setdefault(sample.name, {})[sample.labels["pool"]] = sample.value
        peaks = by_name.get(_POOL_USED_MAX, {})
        for name, size in by_name.get(_POOL_SIZE, {}).items():
            used = max(peaks.get(name, 0.0), by_name.get(_POOL_USED, {}).get(name, 0.0))
            if size > 0:
                self.used_max[name] = max(self.used_max.get(name, 0.0), used / size)
        return bool(peaks)


class _StackWatching:
    """What `watch_stack` sees."""

    def __init__(self, stack: Stack, scraper: Scraper, backlog: BacklogLog) -> None:
        self._scraper = scraper
        self._backlog = backlog
        self._processes = Processes(stack.processes())
        self._pools = PoolPeaks()
        self._rss_mib: dict[str, float] = {}
        self._cpu_s: Mapping[str, float] = {}
        self._counted: _Counted | None = None
        self.gaps: list[str] = []
        """Why a look at the pools came to nothing."""

    async def begin(self) -> None:
        """From here on it counts."""
        self._counted = await _Counted.now(self._scraper)
        self._cpu_s = self._processes.cpu_s()

    async def keep_pools(self) -> None:
        """Looks until it is cancelled; a look that fails is a gap."""
        keeps_peaks = False
        while True:
            try:
                keeps_peaks = await self._look_at_pools()
            except DevError as error:
                self.gaps.append(str(error))
            await asyncio.sleep(_POOLS_WITH_PEAK_EACH_S if keeps_peaks else _POOLS_EACH_S)

    async def keep_memory(self) -> None:
        """Looks until it is cancelled. Raises DevError if a process has ended."""
        while True:
            with _all_running():
                self._look_at_memory()
            await asyncio.sleep(_MEMORY_EACH_S)

    async def observed(self) -> Observed:
        """See `Watching`."""
        with _all_running():
            cpu_s = self._processes.cpu_s()
            self._look_at_memory()
        await self._look_at_pools()
        if self._counted is None:
            raise RuntimeError("it has not begun")
        counted = (await _Counted.now(self._scraper)).since(self._counted)
        return Observed(
            timeline=tuple(self._backlog.samples),
            pool_used_max=dict(self._pools.used_max),
            activity=counted.activity_ms,
            documents_per_workflow=counted.group_documents.mean,
            cpu_s={name: value - self._cpu_s.get(name, 0.0) for name, value in cpu_s.items()},
            rss_mib=dict(self._rss_mib),
            kpis=self._kpis(counted),
        )

    def _kpis(self, counted: _Counted) -> Mapping[KpiName, float | None]:
        samples, pools = self._backlog.samples, self._pools.used_max
        return {
            "pending_workflows": max((each.pending_workflows for each in samples), default=None),
            "oldest_queued_s": max((each.oldest_queued_s for each in samples), default=None),
            "activity_p99_ms": counted.activity_ms.p99,
            "pool_s3_used": pools.get("s3"),
            "pool_db_used": pools.get("db"),
            "pool_redis_used": pools.get("redis"),
        }

    async def _look_at_pools(self) -> bool:
        keeps_peaks = True
        for service in _POOLED:
            samples = await self._scraper.samples(service, _POOL_SIZE, _POOL_USED)
            keeps_peaks &= self._pools.see(samples)
        return keeps_peaks

    def _look_at_memory(self) -> None:
        for name, mib in self._processes.rss_mib().items():
            self._rss_mib[name] = max(self._rss_mib.get(name, 0.0), mib)


@contextlib.contextmanager
def _all_running() -> Iterator[None]:
    try:
        yield
    except psutil.NoSuchProcess as error:
        raise DevError(f"a process of the stack ended during the run: {error}") from error


@contextlib.asynccontextmanager
async def watch_stack(
    stack: Stack, group_max_documents: int, tell: Tell
) -> AsyncIterator[Watching]:
    """Watches until the end of the block. See `watching.Watch`.

    `group_max_documents` is the stack's DISPATCH_GROUP_MAX_DOCUMENTS.
    """
    token = stack.env["GRPC_TOKEN"]
    async with (
        httpx.AsyncClient(trust_env=False, timeout=_SCRAPE_S) as http,
        local_channel(stack.port("orchestrator")) as channel,
    ):
        backlog = BacklogLog(channel, token, group_max_documents)
        watching = _StackWatching(stack, Scraper(http, stack), backlog)
        await watching.begin()
        async with in_background(backlog.keep(), watching.keep_pools(), watching.keep_memory()):
            yield watching
        for of, gaps in (("the backlog", backlog.failures), ("the pools", watching.gaps)):
            if gaps:
                tell(f"{len(gaps)} looks at {of} failed: {', '.join(sorted(set(gaps)))}")
