"""What pools tell of themselves: one set of names, read when it is asked for."""

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import REGISTRY, generate_latest

from sheaf_common.errors import Unavailable
from sheaf_common.pools.s3 import S3ClientPool, S3Settings
from sheaf_common.pools.s3_clients import SharedClients
from sheaf_common.telemetry.pools import pool_metrics


@dataclass
class Figures:
    """A pool's, as it says them."""

    size: int = 10
    open: int = 5
    used: int = 3
    used_max: int = 7
    waiting: int = 1


def shown(gauge: str, pool: str) -> float | None:
    """A gauge as it is served now."""
    return REGISTRY.get_sample_value(f"sheaf_pool_{gauge}", {"pool": pool})


def test_a_pool_is_shown_as_it_is_while_it_is_open() -> None:
    """Two of one name are added up; afterwards there is nothing."""
    one, other = Figures(), Figures(size=20, used=0)
    with pool_metrics("test", one):
        one.used = 4
        gauges = ("size", "open", "used", "used_max", "waiting")
        assert [shown(gauge, "test") for gauge in gauges] == [10, 5, 4, 7, 1]
        with pool_metrics("test", other):
            assert (shown("size", "test"), shown("used", "test")) == (30, 4)
            assert generate_latest().decode().count("# TYPE sheaf_pool_size gauge") == 1
    assert shown("size", "test") is None


async def test_every_wait_is_timed_and_those_in_vain_are_counted() -> None:
    """Of one that gets a lease at once, and of one that does not."""

    def counted(name: str) -> float:
        return REGISTRY.get_sample_value(name, {"pool": "waits"}) or 0

    settings = S3Settings.model_construct(pool_size=1, max_pool_connections=1, lease_timeout_s=0.05)
    client = object()
    # A name of its own: services of other tests may lease from a pool "s3" meanwhile.
    pool = S3ClientPool(SharedClients([client]), settings, "waits")  # type: ignore[list-item] # never used
    async with pool.lease():
        with pytest.raises(Unavailable):
            await asyncio.wait_for(pool.lease().__aenter__(), 5)

    assert counted("sheaf_pool_wait_seconds_count") == 2
    assert counted("sheaf_pool_wait_seconds_sum") >= 0.05
    assert counted("sheaf_pool_timeouts_total") == 1
