"""Uploads with an Idempotency-Key: taken once, answered the same again, used up by success only."""

from collections.abc import Sequence
from uuid import uuid4

import httpx
import pytest

from sheaf_common.errors import InvalidInput
from sheaf_gateway.api.idempotency import idempotency_key
from sheaf_gateway.domain.uploads import AcceptedFile, RejectedFile, StoredObject
from sheaf_gateway.service import answers
from support.gateway import (
    BOUNDARY,
    MULTIPART,
    PASSWORD_KEYS,
    PDF,
    AsgiCall,
    Gateway,
    build_gateway,
    form,
)
from support.waiting import until

KEYED = {"Idempotency-Key": '"8e03978e"'}
FILES = [("files", ("a.pdf", PDF)), ("files", ("b.bin", b"\x00\x01")), ("files", ("c.txt", b""))]


async def post(
    gateway: Gateway,
    files: Sequence[tuple[str, tuple[str, bytes]]] = FILES,
    **data: str,
) -> httpx.Response:
    """An upload under the key."""
    async with gateway.http() as http:
        return await http.post("/v1/documents", files=files, data=data, headers=KEYED)


def upload(gateway: Gateway) -> AsgiCall:
    """An upload under the key, whose body the test sends."""
    headers = {"content_type": MULTIPART, "idempotency_key": "8e03978e"}
    return gateway.call("POST", "/v1/documents", **headers)


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ((), None),
        (('"8e03978e"',), "8e03978e"),
        (("8e03978e-40d5-43e8-bc93-6894a57f9324",), "8e03978e-40d5-43e8-bc93-6894a57f9324"),
        ((r'"a \"quoted\" \\ key"',), r'a "quoted" \ key'),
        (('"' + "x" * 255 + '"',), "x" * 255),
        (("  abc ",), "abc"),
    ],
)
def test_a_key_is_a_string_of_structured_fields_or_its_content(
    values: Sequence[str], key: str | None
) -> None:
    """RFC 9651; many clients leave the quotes out."""
    assert idempotency_key(values) == key


@pytest.mark.parametrize(
    "values",
    [
        ("",),
        ('""',),
        ('"',),
        ('"a',),
        ('a"b',),
        (r'"a\b"',),
        ('"a";p=1',),
        ('"a", "b"',),
        ("a", "a"),
        ("a b",),
        ('" a"',),
        ('"a "',),
        ('"ü"',),
        ("\x7f",),
        ("a\x00",),
        ("x" * 256,),
        ('"' + "x" * 256 + '"',),
    ],
)
async def test_any_other_is_refused_before_the_body_is_read(
    values: Sequence[str], gateway: Gateway
) -> None:
    """400, naming the header; no key is used."""
    with pytest.raises(InvalidInput) as refused:
        idempotency_key(values)
    assert refused.value.reason == "IDEMPOTENCY_KEY_INVALID"
    assert refused.value.http_status == 400
    call = gateway.call(
        "POST", "/v1/documents", content_type=MULTIPART, idempotency_key='"never closed'
    )
    await call.task
    assert (call.status, call.received, gateway.records.idempotency.calls) == (400, 0, [])


async def test_the_same_again_gets_the_first_answer(gateway: Gateway) -> None:
    """Byte for byte, whatever became of the documents; nothing is stored or registered."""
    first = await post(gateway, product="tax")
    stored = dict(gateway.store.objects)
    for document_id in gateway.records.rows:
        gateway.records.end(document_id, gateway.records.rows[document_id].status.CANCELLED)  # type: ignore[union-attr]
    again = await post(gateway, product="tax")

    assert first.status_code == again.status_code == 202
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert gateway.store.objects == stored
    assert (gateway.store.puts, gateway.records.registrations) == (2, 1)


async def test_a_retry_may_frame_and_cut_its_body_otherwise(gateway: Gateway) -> None:
    """Another boundary, other chunks, file or files, streamed or held: the same upload."""
    large = b"%PDF " + b"x" * 3_000_000

    def body_of(name: str, boundary: str) -> bytes:
        parts = ((name, "large.pdf", large), (name, "b.pdf", PDF))
        return form(("product", None, b"tax"), *parts, boundary=boundary)

    first = upload(gateway)
    first.feed(body_of("file", BOUNDARY), more=False)
    await first.task
    again = gateway.call(
        "POST",
        "/v1/documents",
        content_type="multipart/form-data; boundary=another",
        idempotency_key="8e03978e",
    )
    body = body_of("files", "another")
    for start in range(0, len(body), 700_001):
        again.feed(body[start : start + 700_001])
    again.feed(b"", more=False)
    await again.task

    assert (first.status, again.status) == (202, 202)
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("files", "data"),
    [
        pytest.param([("files", ("a.pdf", PDF + b"."))], {"product": "tax"}, id="content"),
        pytest.param([("files", ("b.pdf", PDF))], {"product": "tax"}, id="name"),
        pytest.param([("files", ("a.pdf", PDF))] * 2, {"product": "tax"}, id="number"),
        pytest.param([("files", ("a.pdf", PDF))], {"product": "law"}, id="field"),
        pytest.param([("files", ("a.pdf", PDF))], {"product": "tax", "x": ""}, id="more fields"),
        pytest.param([("files", ("a.pdf", PDF))], {"product": "tax", "password": "b"}, id="secret"),
        pytest.param([], {"product": "tax"}, id="no file"),
    ],
)
async def test_another_upload_under_a_key_is_refused(
    gateway: Gateway, files: Sequence[tuple[str, tuple[str, bytes]]], data: dict[str, str]
) -> None:
    """422, and nothing is stored; the key answers its own upload as before."""
    first = await post(gateway, [("files", ("a.pdf", PDF))], product="tax")
    async with gateway.http() as http:
        fields = {"product": data.pop("product"), **data}
        other = await http.post(
            "/v1/documents",
            files=files or {"nothing": (None, b"")},
            data=fields,
            headers=KEYED,
        )

    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert gateway.store.puts == 1
    again = await post(gateway, [("files", ("a.pdf", PDF))], product="tax")
    assert again.content == first.content


async def test_a_password_is_in_the_fingerprint_under_the_servers_key() -> None:
    """The same password is the same upload; who reads the fingerprint can try out nothing."""
    fingerprints = []
    for keys in ("A" * 43 + "=", "B" * 42 + "A="):
        gateway = build_gateway(password_keys=keys)
        first = await post(gateway, password="hunter2")
        assert (await post(gateway, password="hunter2")).content == first.content
        (answered,) = gateway.records.idempotency.answered.values()
        fingerprints.append(answered.fingerprint)
    assert fingerprints[0] != fingerprints[1]


async def test_the_old_key_of_passwords_tells_while_new_ones_are_added() -> None:
    """A retry during a rotation is the same upload."""
    gateway = build_gateway()
    await post(gateway, password="hunter2")
    rotated = build_gateway(password_keys=f"{'B' * 42}A=,{PASSWORD_KEYS}")
    rotated.records.idempotency.answered.update(gateway.records.idempotency.answered)
    again = await post(rotated, password="hunter2")
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_key_that_is_worked_on_is_refused_before_the_body_is_read(
    gateway: Gateway,
) -> None:
    """409 with what is left of the lease; the first goes on."""
    first = upload(gateway)
    await until(lambda: gateway.records.idempotency.held)
    second = upload(gateway)
    await second.task

    assert (second.status, second.received) == (409, 0)
    assert b"IDEMPOTENCY_KEY_IN_FLIGHT" in second.body
    assert second.headers["retry-after"] == "30"
    first.feed(form(("file", "a.pdf", PDF)), more=False)
    await first.task
    assert first.status == 202


async def test_an_upload_without_a_key_asks_for_none(gateway: Gateway) -> None:
    """It costs nothing."""
    async with gateway.http() as http:
        answer = await http.post("/v1/documents", files=FILES)
    assert answer.status_code == 202
    assert gateway.records.idempotency.calls == []


async def test_a_replay_holds_the_limits_of_an_upload() -> None:
    """Time, size, and a place among the uploads."""
    gateway = build_gateway(max_uploads=1, max_body_bytes=5000, max_file_bytes=5000, timeout_s=5)
    assert (await post(gateway)).status_code == 202
    call = upload(gateway)
    await until(lambda: gateway.records.idempotency.calls.count("begin") == 2)
    assert (await post(gateway)).status_code == 429
    call.feed(form(("file", "a.pdf", b"x" * 6000)))
    await call.task
    assert call.status == 413

    late = build_gateway(timeout_s=0.02)
    late.records.idempotency.answered.update(gateway.records.idempotency.answered)
    call = upload(late)
    await call.task
    assert call.status == 408


def test_the_longest_answer_stays_below_a_megabyte() -> None:
    """A thousand files, each with a name of 255 characters of four bytes, all different."""
    names = [
        "".join(chr(0x10000 + (number * 7919 + place * 104_729) % 0xFFFFF) for place in range(255))
        for number in range(1000)
    ]
    outcomes = tuple(
        AcceptedFile(uuid4(), name, StoredObject("k", 1, uuid4().bytes * 2, "application/pdf"))
        if number % 2
        else RejectedFile(name, InvalidInput("FILE_EMPTY", "the file is empty"))
        for number, name in enumerate(names)
    )
    batch_id = uuid4()
    kept = answers.encoded(batch_id, outcomes)
    again = answers.decoded(kept, ())

    assert len(kept) < 2**20
    assert (again.batch_id, len(again.outcomes)) == (batch_id, 1000)
    assert [outcome.filename for outcome in again.outcomes] == names


async def test_the_description_has_the_key_and_its_answers(gateway: Gateway) -> None:
    """Parameter, header of a replay, and the refusals of a key."""
    async with gateway.http() as http:
        described = (await http.get("/docs/openapi.json")).json()
    operation = described["paths"]["/v1/documents"]["post"]
    (parameter,) = (each for each in operation["parameters"] if each["in"] == "header")

    assert (parameter["name"], parameter["required"]) == ("Idempotency-Key", False)
    assert "Idempotency-Replayed" in operation["responses"]["202"]["headers"]
    for status, code in ((400, "INVALID"), (409, "IN_FLIGHT"), (409, "LOST"), (422, "REUSED")):
        description = operation["responses"][str(status)]["description"]
        assert f"IDEMPOTENCY_KEY_{code}" in description
