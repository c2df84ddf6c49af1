"""What an upload may ask for its files, and what it is told if it asks wrongly."""

import json
from uuid import UUID

import pytest

from sheaf_common.sealing import SealingKeys
from sheaf_gateway.domain import AcceptedFile, NewBatch, StoredObject
from sheaf_gateway.options import LANGUAGES_ALLOWED, OcrMode, Options, Priority, password_of
from sheaf_gateway.service.fields import Asked
from support.gateway import MULTIPART, PASSWORD_KEYS, PDF, Gateway, build_gateway, form
from support.gateway_fakes import READ_ONLY_KEY

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
            words=True, ocr=OcrMode.ALWAYS, ocr_languages=("deu", "eng", "fra")
        )
    keys = SealingKeys.parse(PASSWORD_KEYS)
    opened = {
        keys.open(sealed, belongs_to=document_id).decode()
        for document_id, sealed in gateway.records.sealed.items()
    }
    assert (opened, len(gateway.records.sealed)) == ({SECRET}, 2)
    assert PART not in body


async def test_without_fields_the_defaults_hold(gateway: Gateway) -> None:
    """As with empty ones, which a form in a browser sends."""
    empty = [field(name, "") for name in ("priority", "words", "ocr", "ocr_language", "password")]
    for parts in ([FILE], [*empty, FILE]):
        assert (await sent(gateway, *parts))[0] == 202
    assert {row.options for row in gateway.records.rows.values()} == {Options()}
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
    ],
)
async def test_a_field_is_there_once_and_is_text(
    gateway: Gateway, parts: list[tuple[str, str | None, bytes]], code: str
) -> None:
    """A password that came as a file would be stored as a document."""
    status, body = await sent(gateway, *parts, FILE)

    assert (status, json.loads(body)["code"]) == (422, code)
    assert gateway.nothing_left


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
