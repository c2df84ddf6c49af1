"""Which fields of documents are answered and read, and what a listing is filtered by."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from sheaf_gateway.api.fields import FIELDS
from sheaf_gateway.domain.documents import ALL_COLUMNS, DocumentStatus
from sheaf_gateway.domain.listing import ListFilter
from support.gateway import PDF, Gateway

_ID = UUID(int=7)
_PATHS = ["/v1/documents/{document}", "/v1/documents", "/v1/batches/{batch}", "/v1/workflows/w-1"]


async def completed(gateway: Gateway) -> dict[str, str]:
    """The ids of a completed document and its batch."""
    async with gateway.http() as http:
        data = {"product": "tax"}
        answer = await http.post("/v1/documents", files={"file": ("a.pdf", PDF)}, data=data)
    body = answer.json()
    ids = {"document": body["documents"][0]["id"], "batch": body["batch_id"]}
    gateway.records.end(
        ids["document"], DocumentStatus.COMPLETED,
        page_count=3, character_count=99, workflow_id="w-1", document_class="invoice",
    )  # fmt: skip
    return ids


async def read(gateway: Gateway, path: str, fields: str | None) -> dict[str, Any]:
    """The only document of an answer."""
    async with gateway.http() as http:
        answer = await http.get(path, params={} if fields is None else {"fields": fields})
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    document: dict[str, Any] = body["documents"][0] if "documents" in body else body
    return document


@pytest.mark.parametrize("path", _PATHS)
async def test_only_the_fields_asked_for_are_answered(gateway: Gateway, path: str) -> None:
    """And the id; each as it is without `fields`."""
    ids = await completed(gateway)
    path = path.format(**ids)
    whole = await read(gateway, path, None)
    assert tuple(whole) == FIELDS
    assert (whole["workflow_id"], whole["product"], whole["document_class"]) == (
        "w-1", "tax", "invoice",
    )  # fmt: skip

    for field in FIELDS:
        assert await read(gateway, path, field) == {"id": ids["document"], field: whole[field]}
    several = await read(gateway, path, "status,pages,id,status")
    assert several == {name: whole[name] for name in ("id", "status", "pages")}
    assert await read(gateway, path, ",".join(FIELDS)) == whole


@pytest.mark.parametrize("path", _PATHS)
@pytest.mark.parametrize(
    ("fields", "columns"),
    [
        ("id", set()),
        ("filename", {"filename"}),
        ("reason,attempt", {"reason", "attempt"}),
        ("pages", {"page_count", "status"}),
        ("characters", {"character_count", "status"}),
        ("metadata", {"metadata_json"}),
        ("links", {"batch_id", "parent_id", "status", "content_type"}),
        ("progress", {"pages_done", "pages_total"}),
        (None, set(ALL_COLUMNS) - {"document_id", "object_key", "result_key"}),
    ],
)
async def test_only_what_these_fields_need_is_read(
    gateway: Gateway, path: str, fields: str | None, columns: set[str]
) -> None:
    """Keys of objects are never."""
    ids = await completed(gateway)
    await read(gateway, path.format(**ids), fields)
    assert gateway.records.reads == [columns]


@pytest.mark.parametrize("path", [each.format(document=_ID, batch=_ID) for each in _PATHS])
@pytest.mark.parametrize("fields", ["", "nonsense", "id,", "id, status", "Id", "object_key"])
async def test_an_unknown_field_is_named(gateway: Gateway, path: str, fields: str) -> None:
    """An empty one too, with those that there are; nothing is read."""
    async with gateway.http() as http:
        answer = await http.get(path, params={"fields": fields})
    problem = answer.json()

    assert (answer.status_code, problem["code"]) == (400, "FIELD_UNKNOWN")
    assert problem["field"] == fields.removeprefix("id,")
    assert problem["known"] == ", ".join(FIELDS)
    assert gateway.records.reads == []


async def test_content_is_read_by_what_it_needs(gateway: Gateway) -> None:
    """Of the original and of the result: no more than the columns that say where and what."""
    ids = await completed(gateway)
    async with gateway.http() as http:
        content = await http.get(f"/v1/documents/{ids['document']}/content")
        await http.get(f"/v1/documents/{ids['document']}/text")

    assert content.content == PDF
    assert gateway.records.reads == [
        {"filename", "content_type", "size_bytes", "sha256", "object_key"},
        {"status", "reason", "result_key"},
        set(),  # the result is not in the store: is the document still there?
    ]


async def test_a_workflow_has_its_documents_and_counts(gateway: Gateway) -> None:
    """As a batch has; an unknown one is 404."""
    ids = await completed(gateway)
    async with gateway.http() as http:
        found = await http.get("/v1/workflows/w-1", params={"fields": "status"})
        unknown = await http.get("/v1/workflows/w-2")

    assert found.json() == {
        "id": "w-1",
        "counts": {"completed": 1},
        "documents": [{"id": ids["document"], "status": "completed"}],
        "links": {"self": "/v1/workflows/w-1"},
    }
    assert (unknown.status_code, unknown.json()["code"]) == (404, "WORKFLOW_NOT_FOUND")


_MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"status": "queued"}, ListFilter(status=DocumentStatus.QUEUED)),
        ({"product": "tax"}, ListFilter(product="tax")),
        ({"batch_id": str(UUID(int=7))}, ListFilter(batch_id=UUID(int=7))),
        ({"workflow_id": "w-1"}, ListFilter(workflow_id="w-1")),
        ({"document_class": "invoice"}, ListFilter(document_class="invoice")),
        ({"content_type": "Image/*"}, ListFilter(content_type="image/*")),
        ({"uploaded_from": "2026-01-02T03:04:05.678901Z"}, ListFilter(uploaded_from=_MOMENT)),
        (
            {"uploaded_before": "2026-01-02T05:04:05.678901+02:00"},
            ListFilter(uploaded_before=_MOMENT),
        ),
        ({}, ListFilter()),
    ],
)
async def test_a_listing_is_filtered(
    gateway: Gateway, query: dict[str, str], wanted: ListFilter
) -> None:
    """By each of these alone, and by all of them together."""
    rest = {"product": "law", "document_class": "letter"}
    async with gateway.http() as http:
        await http.get("/v1/documents", params=query)
        await http.get("/v1/documents", params=rest | query)

    together = ListFilter(
        **{"product": "law", "document_class": "letter"}
        | {name: getattr(wanted, name) for name in query}
    )
    assert gateway.records.lists == [wanted, together]


@pytest.mark.parametrize(
    "query",
    [
        "uploaded_from=2026-01-02",
        "uploaded_from=yesterday",
        "uploaded_from=",
        "uploaded_from=2026-01-02T03:04:05",
        "uploaded_before=2026-01-02T03:04:05",
        "uploaded_before=0001-01-01T00:00:00%2B01:00",
        f"document_class={'x' * 65}",
        f"workflow_id={'x' * 65}",
        f"content_type={'x' * 128}",
        f"fields={'x' * 513}",
    ],
)
async def test_a_filter_that_cannot_be_used_is_named(gateway: Gateway, query: str) -> None:
    """As a time without an offset, which may mean any of a day's hours."""
    async with gateway.http() as http:
        answer = await http.get(f"/v1/documents?{query}")
    problem = answer.json()

    name = query.split("=", maxsplit=1)[0]
    assert answer.status_code == 400
    assert name == (problem.get("field") or problem["errors"][0]["parameter"])
    assert gateway.records.lists == []


async def test_an_empty_page_may_have_a_next(gateway: Gateway) -> None:
    """It is passed on as it is."""

    async def short(*_arguments: object, **_options: object) -> Any:
        return replace(page, next_cursor="more")

    page = await gateway.records.documents(ListFilter(), frozenset(), limit=1, cursor="")
    gateway.records.documents = short  # type: ignore[method-assign]
    async with gateway.http() as http:
        answer = await http.get("/v1/documents", params={"document_class": "rare"})

    assert answer.json() == {"documents": [], "next_cursor": "more"}


async def test_the_description_tells_filters_and_fields(gateway: Gateway) -> None:
    """Every parameter is described; every field of a document but the id may be absent."""
    async with gateway.http(key=None) as http:
        description = (await http.get("/docs/openapi.json")).json()
    document = description["components"]["schemas"]["DocumentBody"]
    assert (tuple(document["properties"]), document["required"]) == (FIELDS, ["id"])
    parameters = {
        path: {each["name"]: each for each in item["get"].get("parameters", ())}
        for path, item in description["paths"].items()
        if path.startswith("/v1") and "get" in item
    }
    assert set(parameters["/v1/documents"]) == {
        "status", "product", "batch_id", "workflow_id", "document_class", "content_type",
        "uploaded_from", "uploaded_before", "parent_id", "limit", "cursor", "fields",
    }  # fmt: skip
    assert all(each["description"] for each in parameters["/v1/documents"].values())
    for path in ("/v1/documents/{document_id}", "/v1/batches/{batch_id}"):
        assert {"wait", "fields"} < set(parameters[path])
    workflow = description["paths"]["/v1/workflows/{workflow_id}"]["get"]
    assert "fields" in parameters["/v1/workflows/{workflow_id}"]
    assert {"200", "400", "401", "403", "404"} <= set(workflow["responses"])
    assert ", ".join(FIELDS) in parameters["/v1/documents"]["fields"]["description"]
