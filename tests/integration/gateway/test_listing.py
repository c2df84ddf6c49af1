"""Lists, workflows and `?fields=` through the real gateway and metadata."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from sheaf_dev.samples.generator import text_pdf
from sheaf_dev.stack import Stack
from support.sql_log import statements
from support.waiting import until_answer


@pytest.fixture
async def engine(stack: Stack) -> AsyncIterator[AsyncEngine]:
    """Connections to the database."""
    url = stack.env["DATABASE_URL"].replace("mysql://", "mysql+asyncmy://")
    engine = create_async_engine(url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def uploaded(http: httpx.AsyncClient, engine: AsyncEngine) -> list[str]:
    """The ids of a note and a PDF of product tax, and of an older note of product law.

    The first two are of a workflow and of a class.
    """
    ids: list[str] = []
    for product, files in (
        ("law", {"old.txt": b"old"}),
        ("tax", {"a.txt": b"a note", "b.pdf": text_pdf(1, 2)}),
    ):
        answer = await http.post(
            "/v1/documents",
            files=[("files", item) for item in files.items()],
            data={"product": product},
        )
        ids = [item["id"] for item in answer.json()["documents"]] + ids
    worked_on = {"a": UUID(ids[0]).bytes, "b": UUID(ids[1]).bytes}
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            "UPDATE document SET workflow_id = NULL, document_class = NULL"
        )
        await connection.execute(
            text(
                "UPDATE document SET workflow_id = 'w-1', document_class = 'letter'"
                " WHERE id IN (:a, :b)"
            ),
            worked_on,
        )
    return ids


async def listed(http: httpx.AsyncClient, **params: str) -> list[str]:
    """The ids of a list, over all its pages."""
    found: list[str] = []
    cursor = ""
    async with asyncio.timeout(30):
        while True:
            query = {**params, "fields": "id", "limit": "2", "cursor": cursor}
            page: dict[str, Any] = (await http.get("/v1/documents", params=query)).json()
            found += [document["id"] for document in page["documents"]]
            if page["next_cursor"] is None:
                return found
            cursor = page["next_cursor"]


async def test_filters_and_fields_reach_the_rows(
    http: httpx.AsyncClient, uploaded: list[str]
) -> None:
    """Each filter of the API, alone and together; the times are those that it answers."""
    note, pdf, _old = uploaded
    document = (await http.get(f"/v1/documents/{note}", params={"fields": "uploaded_at"})).json()
    assert set(document) == {"id", "uploaded_at"}
    at = document["uploaded_at"]

    assert await listed(http, workflow_id="w-1") == [pdf, note]
    assert await listed(http, document_class="letter") == [pdf, note]
    assert await listed(http, uploaded_from=at) == [pdf, note]
    assert note not in await listed(http, uploaded_before=at)
    assert await listed(http, uploaded_from=at, content_type="text/*") == [note]
    assert await listed(http, uploaded_from=at, content_type="application/pdf") == [pdf]
    assert await listed(http, uploaded_from=at, status="queued", product="tax") == [pdf, note]
    assert await listed(http, uploaded_from=at, status="queued", product="law") == []


async def test_a_workflow_is_read_with_its_documents(
    http: httpx.AsyncClient, uploaded: list[str]
) -> None:
    """Only the fields asked for; nothing of others."""
    note, pdf, _old = uploaded
    answer = await http.get("/v1/workflows/w-1", params={"fields": "filename,workflow_id,pages"})
    assert answer.json() == {
        "id": "w-1",
        "counts": {"queued": 2},
        "documents": [
            {"id": note, "workflow_id": "w-1", "filename": "a.txt", "pages": None},
            {"id": pdf, "workflow_id": "w-1", "filename": "b.pdf", "pages": None},
        ],
        "links": {"self": "/v1/workflows/w-1"},
    }


async def test_only_what_the_fields_need_is_selected(
    http: httpx.AsyncClient, engine: AsyncEngine, uploaded: list[str]
) -> None:
    """From the query string to the statement, in one statement each."""
    path = f"/v1/documents/{uploaded[0]}"
    batch = (await http.get(path, params={"fields": "batch_id"})).json()["batch_id"]
    async with statements(engine, "SELECT") as asked:
        for path in ("/v1/documents", f"/v1/batches/{batch}", "/v1/workflows/w-1"):
            answer = await http.get(path, params={"fields": "filename,reason"})
            assert set(answer.json()["documents"][0]) == {"id", "filename", "reason"}

    selected = [each.split(" FROM ")[0] for each in asked if " document d " in each]
    own = "b.user_id, b.product, b.document_count, b.created_at, b.finished_at, "
    assert selected == [
        "SELECT d.id, d.filename, d.error_code, d.uploaded_at, d.row_version",
        f"SELECT {own}d.id, d.status, d.filename, d.error_code, d.row_version",
        "SELECT d.id, d.status, d.filename, d.error_code, d.row_version",
    ]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/workflows/none", 404, "WORKFLOW_NOT_FOUND"),
        ("/v1/workflows/%E6%96%87", 400, "FIELD_INVALID"),
        (f"/v1/workflows/{'x' * 65}", 400, "FIELD_INVALID"),
        ("/v1/documents?content_type=*/*", 400, "FIELD_INVALID"),
        ("/v1/documents?document_class=%C3%A9", 400, "FIELD_INVALID"),
        ("/v1/documents?cursor=AAAA", 400, "CURSOR_INVALID"),
    ],
)
async def test_what_cannot_be_looked_for_is_refused(
    http: httpx.AsyncClient, path: str, status: int, code: str
) -> None:
    """By metadata, through the gateway, with its reason."""
    answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_cursor_of_another_filter_is_refused(
    http: httpx.AsyncClient, uploaded: list[str]
) -> None:
    """Each of the filters makes another list; the fields do not."""
    assert len(uploaded) == 3
    query = {"limit": "1", "content_type": "text/*"}
    cursor = (await http.get("/v1/documents", params=query)).json()["next_cursor"]
    same = await http.get("/v1/documents", params={**query, "cursor": cursor, "fields": "status"})
    assert same.status_code == 200
    for other in (
        {"content_type": "text/plain"},
        {"document_class": "letter"},
        {"workflow_id": "w-1"},
        {"uploaded_from": "2026-01-01T00:00:00Z"},
        {"uploaded_before": "2026-01-01T00:00:00Z"},
    ):
        answer = await http.get("/v1/documents", params={**query, "cursor": cursor, **other})
        assert answer.json()["code"] == "CURSOR_INVALID"


async def test_what_an_owner_asks_goes_all_the_way(http: httpx.AsyncClient) -> None:
    """Options, metadata and a password, cancel, reprocess; each is what it was told, no more."""
    asked = {"words": "true", "ocr": "never", "ocr_language": "deu,eng", "priority": "low",
             "pages": "3,1", "metadata": '{ "case": 7 }'}  # fmt: skip
    answer = await http.post(
        "/v1/documents",
        files={"file": ("a.txt", b"what is asked")},
        data={**asked, "password": "secret"},
    )
    document_id = answer.json()["documents"][0]["id"]
    path = f"/v1/documents/{document_id}"
    read = (await http.get(path)).json()
    cancelled = [(await http.post(f"{path}/cancel")).json()["status"] for _ in range(2)]
    again = await http.post(
        f"{path}/reprocess", json={"words": False, "password": "other", "after_attempt": 1}
    )
    running = await http.post(f"{path}/reprocess")
    await http.post(f"{path}/cancel")
    late = await http.post(f"{path}/reprocess", json={"after_attempt": 1})

    assert read["options"] == {
        "words": True, "ocr": "never", "ocr_languages": ["deu", "eng"], "pages": "1,3",
    }  # fmt: skip
    batch = (await http.get(read["links"]["batch"])).json()
    assert read["metadata"] == batch["documents"][0]["metadata"] == {"case": 7}
    assert (read["priority"], read["parent_id"], read["progress"]) == ("low", None, None)
    assert cancelled == ["cancelled"] * 2
    assert (again.status_code, again.json()["status"], again.json()["attempt"]) == (
        202, "queued", 2,
    )  # fmt: skip
    assert again.json()["options"] == read["options"] | {"words": False}
    assert (running.status_code, running.json()["code"]) == (409, "DOCUMENT_NOT_TERMINAL")
    assert (late.status_code, late.json()["code"]) == (409, "ATTEMPT_CHANGED")


async def test_an_empty_quarantine_is_replayed(http: httpx.AsyncClient) -> None:
    """To nothing."""
    listed = await http.get("/v1/quarantine")
    replayed = await http.post("/v1/quarantine/replay", json={"reason": "CRASHED"})

    assert listed.json() == {"documents": [], "next_cursor": None}
    assert (replayed.status_code, replayed.json()) == (202, {"document_ids": [], "more": False})


async def test_without_an_orchestrator_only_pictures_are_missing(http: httpx.AsyncClient) -> None:
    """It is not needed to start; health says that it is down."""
    answer = await http.post("/v1/documents", files={"file": ("a.txt", b"a picture of it")})
    document_id = answer.json()["documents"][0]["id"]
    picture = await http.get(f"/v1/documents/{document_id}/thumbnail")

    async def degraded() -> bool:
        health = await http.get("/ht/")
        return (health.status_code, health.json()["status"]) == (200, "degraded")

    # What does not answer in time counts as slow; that it is refused is known a moment later.
    await until_answer(degraded)
    health = await http.get("/ht/")

    assert (picture.status_code, picture.json()["code"]) == (503, "PEER_UNAVAILABLE")
    assert health.json()["dependencies"]["orchestrator"] == {"status": "down", "required": False}
