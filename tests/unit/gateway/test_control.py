"""Cancel, reprocess and the quarantine."""

from typing import Any

import pytest

from sheaf_common.ids import new_id
from sheaf_common.sealing import SealingKeys
from sheaf_gateway.domain.documents import DocumentStatus
from sheaf_gateway.options import OcrMode, Options
from sheaf_gateway.pages import PageRange
from support.gateway import PASSWORD_KEYS, PDF, Gateway, build_gateway
from support.gateway_fakes.common import READ_ONLY_KEY

COMPLETED = DocumentStatus.COMPLETED
QUARANTINED = DocumentStatus.QUARANTINED


async def uploaded(gateway: Gateway, count: int = 1, **data: str) -> list[str]:
    """The ids of uploaded documents."""
    files = [("files", (f"{n}.pdf", PDF)) for n in range(count)]
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=files, data=data)
    return [document["id"] for document in answer.json()["documents"]]


async def posted(gateway: Gateway, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """The status and the JSON of an answer; bytes are sent as they are."""
    content = {"content": body} if isinstance(body, bytes) else {"json": body} if body else {}
    async with gateway.http() as http:
        answer = await http.post(path, **content)
    return answer.status_code, answer.json()


async def test_a_document_is_cancelled(gateway: Gateway) -> None:
    """Again is the same; one that has ended stays as it ended."""
    first, second = await uploaded(gateway, 2)
    gateway.records.end(second, COMPLETED)
    answers = [await posted(gateway, f"/v1/documents/{each}/cancel") for each in (first, first)]
    ended = await posted(gateway, f"/v1/documents/{second}/cancel")

    assert [(code, body["id"], body["status"]) for code, body in answers] == [
        (200, first, "cancelled")
    ] * 2
    assert (ended[0], ended[1]["status"]) == (200, "completed")
    assert "cancel" not in ended[1]["links"]


async def test_a_document_is_reprocessed_as_it_was(gateway: Gateway) -> None:
    """202, without a body, as the next attempt."""
    (document,) = await uploaded(gateway, words="true", ocr="never")
    gateway.records.end(document, COMPLETED)
    code, body = await posted(gateway, f"/v1/documents/{document}/reprocess")

    assert (code, body["status"], body["attempt"]) == (202, "queued", 2)
    assert body["options"] == {
        "words": True, "ocr": "never", "ocr_languages": [], "pages": None,
    }  # fmt: skip


async def test_what_is_named_changes_the_rest_stays(gateway: Gateway) -> None:
    """The password is sealed for this document."""
    (document,) = await uploaded(gateway, words="true", ocr_language="eng", pages="2-")
    gateway.records.end(document, COMPLETED)
    body = {"ocr": "always", "ocr_language": ["deu", "fra"], "password": "pw", "after_attempt": 1}
    code, _ = await posted(gateway, f"/v1/documents/{document}/reprocess", body)

    assert code == 202
    assert gateway.records.rows[document].options == Options(
        words=True, ocr=OcrMode.ALWAYS, ocr_languages=("deu", "fra"), pages=(PageRange(2, 0),)
    )
    keys = SealingKeys.parse(PASSWORD_KEYS)
    assert keys.open(gateway.records.sealed[document], belongs_to=document) == b"pw"


async def test_other_pages_may_be_read_or_all(gateway: Gateway) -> None:
    """An empty text asks for all; what is no text of pages is told as at an upload."""
    (document,) = await uploaded(gateway, pages="2-")
    path = f"/v1/documents/{document}/reprocess"
    shown = []
    for pages in ("7,1-3", "", "0"):
        gateway.records.end(document, COMPLETED)
        code, body = await posted(gateway, path, {"pages": pages})
        shown.append((code, body["options"]["pages"] if code == 202 else body["field"]))

    assert shown == [(202, "1-3,7"), (202, None), (422, "pages")]


async def test_only_what_has_ended_is_reprocessed(gateway: Gateway) -> None:
    """And only the attempt that is meant."""
    queued, ended = await uploaded(gateway, 2)
    gateway.records.end(ended, COMPLETED)
    not_yet = await posted(gateway, f"/v1/documents/{queued}/reprocess")
    other = await posted(gateway, f"/v1/documents/{ended}/reprocess", {"after_attempt": 2})

    assert (not_yet[0], not_yet[1]["code"]) == (409, "DOCUMENT_NOT_TERMINAL")
    assert (other[0], other[1]["code"]) == (409, "ATTEMPT_CHANGED")


@pytest.mark.parametrize(
    ("body", "status", "code", "named"),
    [
        ({"ocr": "yes"}, 422, "OPTION_INVALID", "ocr must be auto, always or never"),
        ({"ocr_language": ["x"]}, 422, "OPTION_INVALID", "ocr_language must be at most 5"),
        ({"password": "x" * 128}, 422, "OPTION_INVALID", "password must be text"),
        ({"password": 1234567}, 422, "BODY_INVALID", "$.password"),
        ({"words": "true"}, 422, "BODY_INVALID", "$.words"),
        ({"after_attempt": 0}, 422, "BODY_INVALID", "$.after_attempt"),
        ({"passwrd": "geheim"}, 422, "BODY_INVALID", "passwrd"),
        (b"[]", 422, "BODY_INVALID", "object"),
        (b'{"password": "geheim"', 400, "JSON_INVALID", "not JSON"),
        (b'{"password": "\\ud800"}', 400, "JSON_INVALID", "not JSON"),
        (b"\xff", 400, "JSON_INVALID", "not JSON"),
        (b" " * 20_000, 413, "BODY_TOO_LARGE", "16384"),
    ],
)
async def test_a_wrong_body_is_named(
    gateway: Gateway, body: Any, status: int, code: str, named: str
) -> None:
    """Nothing is queued, and no password repeated."""
    (document,) = await uploaded(gateway)
    gateway.records.end(document, COMPLETED)
    answer = await posted(gateway, f"/v1/documents/{document}/reprocess", body)

    assert (answer[0], answer[1]["code"]) == (status, code)
    assert named in answer[1]["detail"]
    assert not any(secret in str(answer) for secret in ("geheim", "1234567", "xxxx"))
    assert gateway.records.rows[document].attempt == 1


async def test_without_a_key_a_password_is_not_taken() -> None:
    """As at an upload."""
    gateway = build_gateway(password_keys=None)
    (document,) = await uploaded(gateway)
    gateway.records.end(document, DocumentStatus.FAILED, reason="ENCRYPTED")
    answer = await posted(gateway, f"/v1/documents/{document}/reprocess", {"password": "x"})

    assert (answer[0], answer[1]["code"]) == (422, "PASSWORDS_NOT_ACCEPTED")


async def test_the_quarantine_is_listed_apart(gateway: Gateway) -> None:
    """A page at a time, with the fields that are wanted."""
    ids = await uploaded(gateway, 4)
    for document in ids[:3]:
        gateway.records.end(document, QUARANTINED, reason="CRASHED")
    async with gateway.http(READ_ONLY_KEY) as http:
        query = {"limit": "2", "fields": "reason"}
        first = (await http.get("/v1/quarantine", params=query)).json()
        query["cursor"] = first["next_cursor"]
        second = (await http.get("/v1/quarantine", params=query)).json()

    assert first["documents"] + second["documents"] == [
        {"id": document, "reason": "CRASHED"} for document in reversed(ids[:3])
    ]
    assert second["next_cursor"] is None


async def test_the_quarantine_is_replayed_by_one_call(gateway: Gateway) -> None:
    """By reason and product, oldest first, as many as are wanted."""
    ids = await uploaded(gateway, 4, product="tax")
    for document, reason in zip(ids, ["CRASHED", "CRASHED", "CRASHED", "WORKER_LOST"], strict=True):
        gateway.records.end(document, QUARANTINED, reason=reason)
    body = {"reason": "CRASHED", "product": "tax", "limit": 2}
    some = await posted(gateway, "/v1/quarantine/replay", body)
    rest = await posted(gateway, "/v1/quarantine/replay")

    assert some == (202, {"document_ids": ids[:2], "more": True})
    assert rest == (202, {"document_ids": ids[2:], "more": False})


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"limit": 0}, 422, "BODY_INVALID"),
        ({"limit": 501}, 422, "BODY_INVALID"),
        ({"reason": "x" * 65}, 422, "BODY_INVALID"),
        ({"product": "?"}, 400, "PRODUCT_INVALID"),
        ({"all": True}, 422, "BODY_INVALID"),
        (b"nonsense", 400, "JSON_INVALID"),
    ],
)
async def test_a_wrong_replay_is_named(gateway: Gateway, body: Any, status: int, code: str) -> None:
    """Nothing is queued."""
    (document,) = await uploaded(gateway)
    gateway.records.end(document, QUARANTINED)
    answer = await posted(gateway, "/v1/quarantine/replay", body)

    assert (answer[0], answer[1]["code"]) == (status, code)
    assert gateway.records.rows[document].status is QUARANTINED


_CALLS = ["/v1/documents/{}/cancel", "/v1/documents/{}/reprocess"]


@pytest.mark.parametrize("path", _CALLS)
async def test_what_is_not_there_is_not_found(gateway: Gateway, path: str) -> None:
    """A 404; what can be no id is 400."""
    assert (await posted(gateway, path.format(new_id())))[0] == 404
    assert (await posted(gateway, path.format("x")))[1]["code"] == "ID_INVALID"


@pytest.mark.parametrize("path", [*_CALLS, "/v1/quarantine/replay"])
async def test_only_who_may_write_controls(gateway: Gateway, path: str) -> None:
    """A key that may read is not enough."""
    (document,) = await uploaded(gateway)
    async with gateway.http(READ_ONLY_KEY) as http:
        answer = await http.post(path.format(document))

    assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_MISSING")
