"""What may be asked of a path at all."""

from datetime import UTC, datetime

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_gateway.domain.checking import checked_time
from support.gateway import Gateway


async def test_a_parameter_that_a_call_has_not_is_named(gateway: Gateway) -> None:
    """A mistyped filter does not filter nothing; nor is it passed over where there are none."""
    async with gateway.http() as http:
        listed = await http.get("/v1/documents", params={"limit": 5, "statsu": "queued"})
        cancelled = await http.post("/v1/documents/x/cancel", params={"force": ""})

    assert (listed.status_code, listed.json()["code"]) == (400, "PARAMETER_UNKNOWN")
    assert listed.json()["parameter"] == "statsu"
    assert "status" in listed.json()["known"].split(", ")
    assert (cancelled.status_code, cancelled.json()["known"]) == (400, "none")


async def test_options_names_every_method_of_a_path(gateway: Gateway) -> None:
    """Those of all controllers that share it; without a key nothing is said."""
    async with gateway.http() as http:
        listed = await http.options("/v1/documents")
        content = await http.options("/v1/documents/x/content")
    async with gateway.http(key=None) as http:
        stranger = await http.options("/v1/documents")

    assert (listed.status_code, listed.headers["allow"]) == (204, "GET, OPTIONS, POST")
    assert content.headers["allow"] == "GET, HEAD, OPTIONS"
    assert stranger.status_code == 401


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2026-01-02T05:04:05.1234567+02:00", datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_what_rfc_3339_has(text: str, moment: datetime) -> None:
    """In either case of its letters, with a leap second, with any fraction."""
    assert checked_time(text, "uploaded_from") == moment


@pytest.mark.parametrize("text", ["0.5", "1735689600", "2026-W01-1", "20260102T030405Z"])
def test_other_forms_of_a_time_are_refused(text: str) -> None:
    """Neither seconds since the epoch nor the rest of ISO 8601."""
    with pytest.raises(InvalidInput, match="uploaded_from"):
        checked_time(text, "uploaded_from")
