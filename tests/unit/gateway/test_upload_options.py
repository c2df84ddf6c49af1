"""What an upload may ask for its files, and what it is told if it asks wrongly."""

import json
from uuid import UUID

import pytest

from sheaf_common.sealing import SealingKeys
from sheaf_gateway.client_metadata import METADATA_ALLOWED
from sheaf_gateway.domain.registration import NewBatch
from sheaf_gateway.domain.uploads import AcceptedFile, StoredObject
from sheaf_gateway.options import LANGUAGES_ALLOWED, OcrMode, Options, Priority, password_of
from sheaf_gateway.pages import PAGES_ALLOWED, PageRange
from sheaf_gateway.service.fields import Asked
from support.gateway import MULTIPART, PASSWORD_KEYS, PDF, Gateway, build_gateway, form
from support.gateway_fakes.common import READ_ONLY_KEY

SECRET = "pa\u00dfword, with a comma"
PART = "word, with a comma"
"""As it shows whatever is done to the rest."""
FILE = ("file", "a.pdf", PDF)


def field(name: str, value: str | bytes) -> tuple[str, None, bytes]:
    """A text field of a form."""
    return name, None, value if isinstance(value, bytes) else value.encode()


async def sent(gateway: Gateway, *parts: tuple[str, str | None, bytes]) -> tuple[int, str]:
    """The status and the body of the answer to an upload."""
    call = gateway.call("POST", "/v1/documents", content_type=MULTIPART)
    call.feed(form(*parts), more=False)
    await call.task
    return call.status, call.body.decode()


_ASKED = [
    field("priority", "high"),
    field("words", "true"),
    field("ocr", "always"),
    field("ocr_language", "DEU, eng"),
    field("ocr_language", "fra,deu"),
    field("password", SECRET),
    field("product", "tax"),
    field("pages", "7, 1-2,2-3"),
    field("metadata", ' {"b" : 1.50,\n "a":"\\u00e9 ü"} '),
]


@pytest.mark.parametrize("parts", [[*_ASKED, FILE, FILE], [FILE, *_ASKED, FILE]])
async def test_what_is_asked_holds_for_all_files(
    gateway: Gateway, parts: list[tuple[str, str | None, bytes]]
) -> None:
    """Whether it comes before them or after; the password is recorded sealed, for each its own."""
    status, body = await sent(gateway, *parts)
    rows = list(gateway.records.rows.values())

    assert (status, len(rows)) == (202, 2)
    for row in rows:
        assert (row.priority, row.product) == (Priority.HIGH, "tax")
        assert row.options == Options(
            words=True,
            ocr=OcrMode.ALWAYS,
            ocr_languages=("deu", "eng", "fra"),
            pages=(PageRange(1, 3), PageRange(7, 7)),
        )
        assert row.metadata_json == '{"b":1.50,"a":"\\u00e9 ü"}'
    keys = SealingKeys.parse(PASSWORD_KEYS)
    opened = {
        keys.open(sealed, belongs_to=document_id).decode()
        for document_id, sealed in gateway.records.sealed.items()
    }
    assert (opened, len(gateway.records.sealed)) == ({SECRET}, 2)
    assert PART not in body


async def test_without_fields_the_defaults_hold(gateway: Gateway) -> None:
    """As with empty ones, which a form in a browser sends."""
    names = ("product", "metadata", "priority", "words", "ocr", "ocr_language", "pages", "password")
    empty = [field(name, "") for name in names]
    for parts in ([FILE], [*empty, FILE]):
        assert (await sent(gateway, *parts))[0] == 202
    assert {row.options for row in gateway.records.rows.values()} == {Options()}
    assert {row.metadata_json for row in gateway.records.rows.values()} == {""}
    assert {row.priority for row in gateway.records.rows.values()} == {Priority.NORMAL}
    assert gateway.records.sealed == {}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("priority", "urgent", "low, normal or high"),
        ("priority", "HIGH", "low, normal or high"),
        ("words", "yes", "true or false"),
        ("ocr", "sometimes", "auto, always or never"),
        ("ocr", b"\xff", "auto, always or never"),
        ("ocr_language", "english", LANGUAGES_ALLOWED),
        ("ocr_language", "aaa,bbb,ccc,ddd,eee,fff", LANGUAGES_ALLOWED),
        ("pages", "3-1", PAGES_ALLOWED),
        ("pages", b"1\xb2", PAGES_ALLOWED),
        ("password", "x" * 128, "text of at most 127 bytes in UTF-8"),
        ("password", b"caf\xe9", "text of at most 127 bytes in UTF-8"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
async def test_a_wrong_value_is_named_with_what_it_may_be(
    gateway: Gateway, name: str, value: str | bytes, allowed: str, *, first: bool
) -> None:
    """422 that repeats nothing of it; nothing stays."""
    parts = [field(name, value), FILE] if first else [FILE, field(name, value)]
    status, body = await sent(gateway, *parts)
    problem = json.loads(body)

    assert (status, problem["code"]) == (422, "OPTION_INVALID")
    assert (problem["field"], problem["allowed"]) == (name, allowed)
    assert problem["detail"] == f"{name} must be {allowed}"
    assert gateway.nothing_left
    assert bool(gateway.store.puts) <= (not first)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([field("ocr", "auto"), field("ocr", "auto")], "FIELD_REPEATED"),
        ([field("password", "a"), field("password", "b")], "FIELD_REPEATED"),
        ([("password", "password.txt", b"secret")], "FIELD_IS_FILE"),
        ([("ocr", "x", b"auto")], "FIELD_IS_FILE"),
        ([("metadata", "blob", b"{}")], "FIELD_IS_FILE"),
        ([field("pages", "1"), field("pages", "2")], "FIELD_REPEATED"),
    ],
)
async def test_a_field_is_there_once_and_is_text(
    gateway: Gateway, parts: list[tuple[str, str | None, bytes]], code: str
) -> None:
    """A password that came as a file would be stored as a document."""
    status, body = await sent(gateway, *parts, FILE)

    assert (status, json.loads(body)["code"]) == (422, code)
    assert gateway.nothing_left


@pytest.mark.parametrize("first", [True, False])
async def test_a_field_that_there_is_not_is_named(gateway: Gateway, *, first: bool) -> None:
    """What was asked with it would silently not hold; those that there are stand beside it."""
    wrong = field("prioritty\u0085", "")
    status, body = await sent(gateway, *([wrong, FILE] if first else [FILE, wrong]))
    problem = json.loads(body)

    assert (status, problem["code"]) == (400, "FIELD_UNKNOWN")
    assert problem["field"] == "prioritty\ufffd"
    assert "priority" in problem["known"].split(", ")
    assert gateway.nothing_left


@pytest.mark.parametrize("first", [True, False])
async def test_what_is_wrong_with_metadata_is_told_but_not_repeated(
    gateway: Gateway, *, first: bool
) -> None:
    """What, where, and what it may be."""
    wrong = field("metadata", '{"secret": "secret", "n": NaN}')
    status, body = await sent(gateway, *([wrong, FILE] if first else [FILE, wrong]))
    problem = json.loads(body)

    assert (status, problem["code"], problem["field"]) == (422, "METADATA_INVALID", "metadata")
    assert problem["position"] == "27"
    assert problem["detail"] == (
        f"metadata must be {METADATA_ALLOWED}: a value must stand at character 27"
    )
    assert "secret" not in body
    assert gateway.nothing_left


async def test_metadata_comes_back_as_it_was_sent(gateway: Gateway) -> None:
    """In a document and a list, alone if only it is asked for; numbers keep their digits."""
    written = '{"z":1.50,"a":{"n":12345678901234567890},"t":"\\u00e9\\ud83d\\ude00"}'
    _, body = await sent(gateway, field("metadata", written), field("pages", "2-"), FILE)
    document_id = json.loads(body)["documents"][0]["id"]
    async with gateway.http() as http:
        whole = await http.get(f"/v1/documents/{document_id}")
        alone = await http.get(f"/v1/documents/{document_id}?fields=metadata")
        listed = await http.get("/v1/documents")

    assert f'"metadata":{written},' in whole.text
    assert whole.json()["options"]["pages"] == "2-"
    assert alone.text == f'{{"id":"{document_id}","metadata":{written}}}'
    assert f'"metadata":{written},' in listed.text


async def test_without_a_key_a_password_is_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """The client is not told which variable is missing; the operator is, without the password."""
    gateway = build_gateway(password_keys=None)
    status, body = await sent(gateway, field("password", SECRET), FILE)
    logged = capsys.readouterr().out

    assert (status, json.loads(body)["code"]) == (422, "PASSWORDS_NOT_ACCEPTED")
    assert ("DOCUMENT_PASSWORD_KEYS" in body, "DOCUMENT_PASSWORD_KEYS" in logged) == (False, True)
    assert PART not in body + logged
    assert gateway.nothing_left


async def test_a_password_is_in_no_log(
    gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor in what shows the objects that carry it."""
    password = password_of(SECRET.encode())
    stored = StoredObject("k", 1, b"", "application/pdf")
    batch = NewBatch(
        UUID(int=1), "", (AcceptedFile(UUID(int=2), "a", stored),),
        sealed_passwords={UUID(int=2): b"sealed"},
    )  # fmt: skip
    await sent(gateway, field("password", SECRET), FILE)

    assert PART not in capsys.readouterr().out + repr(password) + repr(Asked(password=password))
    assert "sealed" not in repr(batch)


async def test_only_who_may_write_can_ask(gateway: Gateway) -> None:
    """As without options."""
    async with gateway.http(READ_ONLY_KEY) as http:
        answer = await http.post(
            "/v1/documents", files={"file": ("a.pdf", PDF)}, data={"ocr": "nonsense"}
        )
    assert answer.status_code == 403
