"""DELETE of documents and batches."""

import asyncio
from typing import Any

import pytest

from sheaf_common.errors import Unavailable
from sheaf_common.ids import new_id
from sheaf_gateway.service.deletion import DeletionService
from support.gateway import PDF, Gateway
from support.gateway_fakes.common import READ_ONLY_KEY


async def uploaded(gateway: Gateway, count: int = 1) -> Any:
    """The answer to an upload."""
    files = [("files", (f"{n}.pdf", PDF)) for n in range(count)]
    async with gateway.http() as http:
        return (await http.post("/v1/documents", files=files)).json()


async def status(gateway: Gateway, method: str, path: str) -> int:
    """The status of an answer."""
    async with gateway.http() as http:
        return (await http.request(method, path)).status_code


async def test_a_document_and_its_objects_are_deleted(gateway: Gateway) -> None:
    """204 and nothing else; then it is not found, by any of its paths, and deleting it is 404."""
    first, second = (each["id"] for each in (await uploaded(gateway, 2))["documents"])
    gateway.store.objects[f"documents/{first}/thumb-1-256.webp"] = b"a picture"
    async with gateway.http() as http:
        answer = await http.delete(f"/v1/documents/{first}")
    assert (answer.status_code, answer.content) == (204, b"")

    assert list(gateway.store.objects) == [f"documents/{second}/original"]
    assert gateway.records.confirmed == [first]
    for path in ("", "/content", "/text", "/markdown", "/result", "/thumbnail"):
        assert await status(gateway, "GET", f"/v1/documents/{first}{path}") == 404
    assert await status(gateway, "DELETE", f"/v1/documents/{first}") == 404


async def test_a_batch_is_deleted_with_its_documents(gateway: Gateway) -> None:
    """All of their objects go."""
    answer = await uploaded(gateway, 20)
    path = answer["links"]["self"]
    assert await status(gateway, "DELETE", path) == 204
    assert gateway.store.objects == {}
    assert sorted(gateway.records.confirmed) == [each["id"] for each in answer["documents"]]
    assert await status(gateway, "DELETE", path) == 404


@pytest.mark.parametrize("kind", ["documents", "batches"])
async def test_what_cannot_be_deleted_is_said(gateway: Gateway, kind: str) -> None:
    """Not by a key that only reads, nothing that is no id, nothing that is not there."""
    path = f"/v1/{kind}/{new_id()}"
    async with gateway.http(READ_ONLY_KEY) as http:
        refused = await http.delete(path)
    async with gateway.http() as http:
        invalid, missing = await http.delete(f"/v1/{kind}/a"), await http.delete(path)
    assert [(each.status_code, each.json()["code"]) for each in (refused, invalid)] == [
        (403, "SCOPE_MISSING"),
        (400, "ID_INVALID"),
    ]
    assert (missing.status_code, missing.headers["content-type"]) == (
        404,
        "application/problem+json",
    )


async def test_what_storage_cannot_delete_is_not_confirmed(gateway: Gateway) -> None:
    """The document is gone all the same: its objects are left to the sweep."""
    document = (await uploaded(gateway))["documents"][0]["id"]

    async def down() -> None:
        raise Unavailable("PEER_UNAVAILABLE", "storage is down")

    gateway.store.before_delete = down
    assert await status(gateway, "DELETE", f"/v1/documents/{document}") == 204
    assert gateway.records.confirmed == []


async def test_slow_objects_are_not_waited_for(gateway: Gateway) -> None:
    """Whatever takes longer than the bound is left to the sweep."""
    document = (await uploaded(gateway))["documents"][0]["id"]
    gateway.store.before_delete = asyncio.Event().wait  # type: ignore[assignment]
    deletion = DeletionService(gateway.records, gateway.store, objects_s=0.01)
    gateway.records.owners[document] = None
    await asyncio.wait_for(deletion.document(document), 5)
    assert gateway.records.confirmed == []
