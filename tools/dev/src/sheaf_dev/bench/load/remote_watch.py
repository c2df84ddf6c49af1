"""A running system under load: what its API tells to a key that may ask."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, cast, get_args

import httpx

from sheaf_common.telemetry.kpis import KpiName
from sheaf_dev.bench.load.watching import Observed, Watching, in_background
from sheaf_dev.bench.scenario import Tell

_PATH: Final = "/v1/ops/kpis"
_EACH_S: Final = 2.0
_TIMEOUT_S: Final = 10.0
_WINDOW_MIN_S: Final = 10
_WINDOW_MAX_S: Final = 300
_SEEN: Final[tuple[KpiName, ...]] = (
    "pending_workflows",
    "oldest_queued_s",
    "pool_s3_used",
    "pool_db_used",
    "pool_redis_used",
)
"""Targets whose highest value counts, of many looks at the last seconds."""
_ACTIVITY: Final[KpiName] = "activity_p99_ms"


class _RemoteWatching:
    """What `watch_remote` sees. `http` stays the caller's."""

    def __init__(self, http: httpx.AsyncClient, tell: Tell) -> None:
        self._http = http
        self._tell = tell
        self._began = time.monotonic()
        self._highest: dict[KpiName, float] = {}
        self._refusal = ""

    async def keep(self) -> None:
        """Looks until it is cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EACH_S)

    async def look(self) -> None:
        """Once, at the last seconds."""
        self._see(await self._ask(_WINDOW_MIN_S))

    async def observed(self) -> Observed:
        """See `Watching`. The activities are those of the last five minutes at most."""
        elapsed_s = time.monotonic() - self._began
        window_s = round(min(_WINDOW_MAX_S, max(_WINDOW_MIN_S, elapsed_s)))
        found = await self._ask(window_s)
        self._see(found)
        if self._refusal:
            self._tell(f"the system did not tell its KPIs ({self._refusal}): unknown")
        pools = {
            name.removeprefix("pool_").removesuffix("_used"): value
            for name, value in self._highest.items()
            if name.startswith("pool_")
        }
        kpis: dict[KpiName, float | None] = {**self._highest, _ACTIVITY: found.get(_ACTIVITY)}
        return Observed(pool_used_max=pools, kpis=kpis)

    def _see(self, found: Mapping[KpiName, float]) -> None:
        for name in _SEEN:
            if name in found:
                self._highest[name] = max(self._highest.get(name, 0.0), found[name])

    async def _ask(self, window_s: int) -> Mapping[KpiName, float]:
        """The values that are known; none where it may not ask, and then why is kept."""
        try:
            answer = await self._http.get(_PATH, params={"window": window_s})
            answer.raise_for_status()
            kpis: list[dict[str, Any]] = answer.json()["kpis"]
        except httpx.HTTPStatusError as error:
            self._refusal = f"HTTP {error.response.status_code}"
            return {}
        except (httpx.HTTPError, ValueError, KeyError) as error:
            self._refusal = repr(error)
            return {}
        self._refusal = ""
        names = get_args(KpiName)
        return {
            cast("KpiName", kpi["name"]): float(kpi["value"])
            for kpi in kpis
            if kpi["name"] in names and kpi["value"] is not None
        }


@contextlib.asynccontextmanager
async def watch_remote(url: str, api_key: str, tell: Tell) -> AsyncIterator[Watching]:
    """Watches until the end of the block. See `watching.Watch`."""
    headers = {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, timeout=_TIMEOUT_S
    ) as http:
        watching = _RemoteWatching(http, tell)
        async with in_background(watching.keep()):
            yield watching
