"""What is one user's is not there for another: every operation of the API, by a table.

An operation that is not in the table fails `test_the_table_has_every_operation`: add its line.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import pytest

from sheaf_common.ids import new_id
from sheaf_dev import api_key
from support.system import System

FOREIGN: Final = "404"
"""The path names a thing of another user's: 404, and nothing becomes of the thing."""
LISTS: Final = "lists"
"""Lists the caller's own; each filter of `FILTERS` that it has finds nothing of another user's."""
STREAMS: Final = "streams"
"""Tells what happens to the caller's own things: nothing of another user's."""
OWN: Final = "own"
"""Names nobody's things: it acts for the caller, or tells what belongs to no user."""

OPERATIONS: Final[Mapping[str, str]] = {
    "GET /v1/documents": LISTS,
    "POST /v1/documents": OWN,
    "GET /v1/documents/{document_id}": FOREIGN,
    "DELETE /v1/documents/{document_id}": FOREIGN,
    "GET /v1/documents/{document_id}/events": FOREIGN,
    "POST /v1/documents/{document_id}/cancel": FOREIGN,
    "POST /v1/documents/{document_id}/reprocess": FOREIGN,
    "GET /v1/documents/{document_id}/content": FOREIGN,
    "HEAD /v1/documents/{document_id}/content": FOREIGN,
    "GET /v1/documents/{document_id}/markdown": FOREIGN,
    "GET /v1/documents/{document_id}/result": FOREIGN,
    "GET /v1/documents/{document_id}/text": FOREIGN,
    "GET /v1/documents/{document_id}/thumbnail": FOREIGN,
    "GET /v1/batches/{batch_id}": FOREIGN,
    "DELETE /v1/batches/{batch_id}": FOREIGN,
    "GET /v1/batches/{batch_id}/events": FOREIGN,
    "GET /v1/events": STREAMS,
    "GET /v1/workflows/{workflow_id}": FOREIGN,
    "GET /v1/quarantine": LISTS,
    "POST /v1/quarantine/replay": OWN,
    "GET /v1/ops/kpis": OWN,
    "GET /v1/keys": LISTS,
    "POST /v1/keys": OWN,
    "DELETE /v1/keys/{key_id}": FOREIGN,
}
FILTERS: Final = frozenset(
    {"status", "product", "batch_id", "workflow_id", "document_class", "content_type",
     "uploaded_from", "uploaded_before", "parent_id"}
)  # fmt: skip
NO_FILTERS: Final = frozenset(
    {"limit", "cursor", "fields", "wait", "page", "width", "window", "after"}
)
"""Parameters that say how much, or what of a thing, and not which."""

_MAIL: Final = b"""From: a@example.org
Subject: my own words
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

what I wrote
--b
Content-Type: text/plain
Content-Disposition: attachment; filename=inside.txt

what is inside
--b--
"""


@dataclass
class World:
    """A user with one thing of each kind, and a stranger who may do everything but with those."""

    owner: httpx.AsyncClient
    stranger: httpx.AsyncClient
    values: dict[str, str] = field(default_factory=dict)
    """By name of a parameter, what names the owner's things."""

    async def state(self) -> list[Any]:
        """All that is shown of the owner's things, but for when keys were used."""
        paths = ["/v1/documents/{document_id}", "/v1/batches/{batch_id}"]
        things = [(await self.owner.get(path.format(**self.values))).json() for path in paths]
        keys = (await self.owner.get("/v1/keys")).json()["keys"]
        return [*things, *(each | {"last_used_at": None} for each in keys)]


@pytest.fixture(scope="module")
async def world(system: System) -> AsyncIterator[World]:
    """The developer of the stack, and somebody else."""
    key, env = f"sk_{secrets.token_urlsafe(32)}", system.stack.env
    await api_key.register(
        system.stack.port("metadata"), env["GRPC_TOKEN"], key, user_id="stranger"
    )
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        base_url=env["SHEAF_URL"], headers=headers, timeout=70
    ) as stranger:
        world = World(system.http, stranger)
        taken = await system.http.post(
            "/v1/documents",
            files={"file": ("own.eml", _MAIL)},
            data={"product": "isolation"},
        )
        (document,) = await system.finished([taken.json()["documents"][0]["id"]])
        ended = await system.http.get(f"/v1/batches/{document['batch_id']}", params={"wait": 60})
        assert ended.json()["finished_at"] is not None
        made = await system.http.post("/v1/keys", json={"name": "own", "scopes": ["ops"]})
        world.values = {
            "document_id": document["id"],
            "parent_id": document["id"],
            "key_id": made.json()["id"],
            **{name: document[name] for name in ("batch_id", "workflow_id", "product")},
            **{name: document[name] or "letter" for name in ("content_type", "document_class")},
            "status": "completed",
            "uploaded_from": document["uploaded_at"],
            "uploaded_before": "2999-01-01T00:00:00Z",
        }
        yield world


@pytest.fixture(scope="module")
async def described(system: System) -> dict[str, dict[str, Any]]:
    """Every operation that needs a key, as the running gateway describes it."""
    paths = (await system.http.get("/docs/openapi.json")).json()["paths"]
    return {
        f"{method.upper()} {path}": operation
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("security") != [{}]
    }


async def test_the_table_has_every_operation(described: dict[str, dict[str, Any]]) -> None:
    """And every parameter: whatever names a thing in a path is asked for with another user's."""
    parameters = {
        (each["name"], each["in"])
        for operation in described.values()
        for each in operation.get("parameters", ())
        if each["in"] in ("path", "query")
    }

    assert set(described) == set(OPERATIONS)
    assert {name for name, place in parameters if place == "query"} == FILTERS | NO_FILTERS
    assert all((OPERATIONS[name] == FOREIGN) is ("{" in name) for name in OPERATIONS), (
        "a path that names a thing is FOREIGN"
    )


@pytest.mark.parametrize("operation", [name for name, how in OPERATIONS.items() if how == FOREIGN])
async def test_another_users_thing_is_not_there(world: World, operation: str) -> None:
    """Not to be seen and not to be changed, whatever may be done with one's own."""
    method, path = operation.split(" ")
    path = path.format(**world.values)
    before = await world.state()
    refused = await world.stranger.request(method, path)

    assert refused.status_code == 404
    if method == "GET":
        assert refused.json()["code"].endswith("_NOT_FOUND")
        assert (await world.owner.get(path)).status_code != 404
    assert await world.state() == before


async def test_lists_hold_nothing_of_another_user(
    world: World, described: dict[str, dict[str, Any]]
) -> None:
    """Without a filter, and with each that would find the owner's things."""
    for operation in (name for name, how in OPERATIONS.items() if how == LISTS):
        path = operation.split(" ")[1]
        names = {each["name"] for each in described[operation].get("parameters", ())}
        wanted = [{}, *({name: world.values[name]} for name in sorted(names & FILTERS))]
        for query in wanted:
            answer = await world.stranger.get(path, params=query)
            (found,) = (each for each in answer.json().values() if isinstance(each, list))
            own = {each["id"] for each in found} & set(world.values.values())
            assert (answer.status_code, own) == (200, set()), (operation, query)
            if path == "/v1/documents" and "document_class" not in query:
                shown = (await world.owner.get(path, params=query)).text
                assert world.values["document_id"] in shown, query


async def test_a_stream_tells_nothing_of_another_user(world: World) -> None:
    """What the owner does meanwhile is told to the owner alone, to the stranger only its own."""
    async with (
        asyncio.timeout(30),
        world.owner.stream("GET", "/v1/events") as owners,
        world.stranger.stream("GET", "/v1/events") as strangers,
    ):
        ids = []
        for user in (world.owner, world.stranger):
            files = {"file": ("told.txt", new_id().bytes.hex().encode())}
            taken = await user.post("/v1/documents", files=files)
            ids.append(taken.json()["documents"][0]["id"])
        told = [await _told(stream) for stream in (owners, strangers)]

    assert told == ids


async def _told(stream: httpx.Response) -> str:
    """The document of the stream's first event."""
    async for line in stream.aiter_lines():
        if line.startswith("data: "):
            document_id: str = json.loads(line.removeprefix("data: "))["document_id"]
            return document_id
    raise AssertionError("the stream ended")
