"""The targets as both clients read them."""

import httpx
import pytest

from sheaf_client import AsyncClient, AuthenticationError, Client, Kpi, UnavailablePart
from sheaf_common.errors import Unavailable
from support.gateway import build_gateway
from support.gateway_fakes.common import KEY, READ_ONLY_KEY
from support.measuring import everything_well


async def test_the_targets_come_typed() -> None:
    """From the real gateway over fakes; a key without the scope is refused."""
    gateway = build_gateway()
    gateway.measurements.measured = everything_well()
    gateway.measurements.errors["storage"] = Unavailable("PEER_UNAVAILABLE", "storage is away")
    transport = httpx.ASGITransport(gateway.app)  # type: ignore[arg-type]
    async with AsyncClient("http://gateway", KEY, transport=transport) as sheaf:
        kpis = await sheaf.kpis(window_s=30)
    async with AsyncClient("http://gateway", READ_ONLY_KEY, transport=transport) as sheaf:
        with pytest.raises(AuthenticationError, match="SCOPE_MISSING"):
            await sheaf.kpis()

    by_name = {kpi.name: kpi for kpi in kpis.kpis}
    assert (kpis.window_s, kpis.ok, kpis.at.tzinfo is not None) == (30, None, True)
    assert kpis.unavailable == (UnavailablePart("storage", "PEER_UNAVAILABLE", "storage is away"),)
    assert by_name["pool_db_used"].value == 0.1
    assert by_name["pool_s3_used"] == Kpi(
        "pool_s3_used", "most of the S3 pool in use", 0.8, "ratio", None, None
    )


def test_the_sync_client_does_the_same() -> None:
    """Over a minute, unless another window is asked for."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(
            200, json={"window_s": 60, "at": "2026-11-29T12:00:00Z", "ok": True, "kpis": []}
        )

    with Client("http://x", "sk_k", transport=httpx.MockTransport(answer)) as sheaf:
        assert sheaf.kpis().ok is True

    assert [str(request.url) for request in asked] == ["http://x/v1/ops/kpis?window=60"]
