"""API keys over HTTP: made within bounds, shown once, and their rates on every answer."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from sheaf_gateway.domain.access import KeyOwner, Scope
from support.gateway import Gateway, build_gateway
from support.gateway_fakes.common import READ_ONLY_KEY, USER

ALL = [scope.value for scope in Scope]
LIMITED_KEY = "sk_limited_0123456789"


async def create(gateway: Gateway, key: str | None = None, **body: Any) -> httpx.Response:
    """Asks for a key."""
    async with gateway.http(key) if key else gateway.http() as http:
        return await http.post("/v1/keys", json={"name": "a key", "scopes": ALL, **body})


def add_limited(gateway: Gateway) -> None:
    """A key that may give `documents:read`, and ten requests a second."""
    scopes = frozenset({Scope.READ.value, Scope.KEYS.value})
    gateway.records.add_key(LIMITED_KEY, KeyOwner(USER, scopes, None, 10))


async def test_a_key_is_shown_once_and_kept_as_a_hash(gateway: Gateway) -> None:
    """The answer has it, with 256 random bits; neither the record nor the list does."""
    answer = await create(gateway, expires_at="2999-01-01T00:00:00+01:00")
    made = answer.json()
    async with gateway.http() as http:
        page = (await http.get("/v1/keys")).json()
    ((recorded, _),) = gateway.keys.keys.values()

    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    assert re.fullmatch(r"sk_[A-Za-z0-9_-]{43}", key := made.pop("key"))
    assert page == {"keys": [made], "next_cursor": None}
    assert made["prefix"] == key[:10]
    assert (made["scopes"], made["rate_limit_per_s"]) == (ALL, None)
    assert made["expires_at"] == "2998-12-31T23:00:00Z"
    assert key.removeprefix(made["prefix"]) not in repr(recorded)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"expires_at": (datetime.now(UTC) - timedelta(days=1)).isoformat()}, 400, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, 400, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00"}, 400, "expires_at"),
        ({"scopes": ["documents:delete"]}, 400, "scopes"),
        ({"scopes": ["ops", "ops"]}, 400, "scopes"),
        ({"scopes": []}, 422, "scopes"),
        ({"name": "a\nb"}, 400, "name"),
        ({"name": "n" * 101}, 422, "name"),
        ({"rate_limit_per_s": 0}, 422, "rate_limit_per_s"),
        ({"rate_limit_per_s": 2**70}, 422, "rate_limit_per_s"),
        ({"user_id": "somebody"}, 422, "user_id"),
    ],
)
async def test_what_no_key_can_be_is_named(
    gateway: Gateway, body: dict[str, Any], status: int, field: str
) -> None:
    """Nothing is made."""
    answer = await create(gateway, **body)

    assert answer.status_code == status
    assert field in answer.json()["detail"]
    assert gateway.keys.keys == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"scopes": ["documents:read", "documents:write"]}, "SCOPE_MISSING"),
        ({"scopes": ["documents:read"], "rate_limit_per_s": 11}, "RATE_LIMIT_TOO_HIGH"),
    ],
)
async def test_a_key_gives_nothing_that_it_lacks(
    gateway: Gateway, body: dict[str, Any], code: str
) -> None:
    """No scope, and no higher rate."""
    add_limited(gateway)
    answer = await create(gateway, LIMITED_KEY, **body)

    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert gateway.keys.keys == {}


@pytest.mark.parametrize(("asked", "given"), [(None, 10), (10, 10), (3, 3)])
async def test_a_limited_key_gives_its_own_rate_or_less(
    gateway: Gateway, asked: int | None, given: int
) -> None:
    """Without one that is asked for, its own."""
    add_limited(gateway)
    answer = await create(gateway, LIMITED_KEY, scopes=["documents:read"], rate_limit_per_s=asked)

    assert answer.json()["rate_limit_per_s"] == given


async def test_keys_need_their_scope(gateway: Gateway) -> None:
    """To be made, listed and revoked."""
    async with gateway.http(READ_ONLY_KEY) as http:
        answers = [
            await http.post("/v1/keys"),
            await http.get("/v1/keys"),
            await http.delete("/v1/keys/019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e13"),
        ]

    assert [(each.status_code, each.json()["scope"]) for each in answers] == [(403, "keys")] * 3


async def test_a_key_is_revoked_any_number_of_times(gateway: Gateway) -> None:
    """What is no id or no key of the user's is told apart from that."""
    key_id = (await create(gateway)).json()["id"]
    async with gateway.http() as http:
        paths = [key_id, key_id, "019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e13", "no-id"]
        answers = [await http.delete(f"/v1/keys/{path}") for path in paths]

    assert [each.status_code for each in answers] == [204, 204, 404, 400]
    assert [each.json()["code"] for each in answers[2:]] == ["API_KEY_NOT_FOUND", "ID_INVALID"]


async def test_every_answer_to_a_good_key_says_what_is_left() -> None:
    """Also errors of ours, of the framework and of a bug; then 429 with when to come back."""
    gateway = build_gateway(rate_per_s=2, window_s=3)
    gateway.shared.clock = lambda: 0.0

    async def bug(*_args: Any, **_kwargs: Any) -> None:
        raise ZeroDivisionError

    gateway.records.workflow = bug  # type: ignore[method-assign, assignment]
    paths = [
        "/v1/documents",
        "/v1/documents?limit=x",
        "/v1/documents/no-id",
        "/v1/workflows/w",
        "/v1/documents/019a2f6e-7c1b-7d5a-9a43-0c6f3f1b2e13/content",
        "/v1/quarantine",
        "/v1/documents",
    ]
    async with gateway.http() as http:
        answers = [await http.get(path) for path in paths]
        unlimited = [await http.get(path) for path in ("/livez", "/ht/", "/metrics")]

    assert [each.status_code for each in answers] == [200, 400, 400, 500, 404, 200, 429]
    left = [each.headers["ratelimit"].partition(";t=")[0] for each in answers]
    assert left == [f'"default";r={count}' for count in (5, 4, 3, 2, 1, 0, 0)]
    assert {each.headers["ratelimit-policy"] for each in answers} == {'"default";q=6;w=3'}
    assert answers[-1].headers["ratelimit"] == '"default";r=0;t=3'
    assert answers[-1].json()["code"] == "RATE_LIMITED"
    assert answers[-1].headers["retry-after"] == "1"
    assert all("ratelimit" not in each.headers for each in unlimited)
    assert {each.status_code for each in unlimited} == {200}


async def test_a_request_without_a_good_key_is_challenged(gateway: Gateway) -> None:
    """And is told nothing of rates."""
    async with gateway.http("sk_unknown_0123") as http:
        answer = await http.get("/v1/keys")

    assert (answer.status_code, answer.json()["code"]) == (401, "API_KEY_UNKNOWN")
    assert answer.headers["www-authenticate"] == 'Bearer realm="sheaf", error="invalid_token"'
    assert "ratelimit" not in answer.headers
