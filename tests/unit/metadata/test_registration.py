"""What a batch to register must be like."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import new_id, time_of
from sheaf_metadata.domain.documents import Document, Priority
from sheaf_metadata.domain.options import Options
from sheaf_metadata.domain.registration import (
    NewBatch,
    NewDocument,
    check,
    check_ages,
    same_document,
)


def a_document(**fields: object) -> NewDocument:
    """One that may be registered, with some fields otherwise."""
    document = NewDocument(new_id(), "a.pdf", "application/pdf", 10, b"0" * 32, "documents/x")
    return replace(document, **fields)  # type: ignore[arg-type]


def a_batch(*documents: NewDocument, **fields: object) -> NewBatch:
    """One that may be registered, with some fields otherwise."""
    batch = NewBatch(new_id(), "ann", "tax", Priority.NORMAL, documents or (a_document(),))
    return replace(batch, **fields)  # type: ignore[arg-type]


def refusal(batch: NewBatch) -> InvalidInput:
    """Why it is refused."""
    with pytest.raises(InvalidInput) as refused:
        check(batch)
    return refused.value


@pytest.mark.parametrize("name", ["a", "x" * 255, "文" * 255, "a b(1).PDF", "🧾", ".."])
def test_names_of_files_are_free(name: str) -> None:
    """A name is shown, never used as a path."""
    check(a_batch(a_document(filename=name)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("filename", ""),
        ("filename", "x" * 256),
        ("filename", "a\nb"),
        ("filename", "a\x00b"),
        ("filename", "a\x85b"),
        ("filename", "a\u2028b"),
        ("content_type", ""),
        ("content_type", "text/plain\n"),
        ("content_type", "x" * 128),
        ("size_bytes", 0),
        ("size_bytes", -1),
        ("sha256", b"0" * 31),
        ("object_key", ""),
        ("object_key", "x" * 256),
        ("object_key", "a b"),
    ],
)
def test_a_wrong_field_is_named_with_its_place(field: str, value: object) -> None:
    """The second document's, here."""
    error = refusal(a_batch(a_document(), a_document(**{field: value})))
    assert (error.reason, error.evidence["field"]) == ("FIELD_INVALID", f"documents[1].{field}")


@pytest.mark.parametrize("text", ["[]", "{", "1", "{}x", '{"a":' + "[" * 2000, "\ud800"])
def test_what_is_written_on_documents_is_a_json_object(text: str) -> None:
    """Of 4,096 bytes at most, and shown in no log."""
    check(a_batch(metadata_json=""))
    check(a_batch(metadata_json='{"a":"' + "x" * (4096 - 8) + '"}'))
    for wrong in (text, '{"a":"' + "x" * (4097 - 8) + '"}'):
        assert refusal(a_batch(metadata_json=wrong)).evidence["field"] == "metadata_json"
    assert "secret" not in repr(a_batch(metadata_json='{"a":"secret"}'))


def test_a_password_is_bounded_and_never_shown() -> None:
    """Sealed, a kilobyte; it stands in no text of the document that might be logged."""
    assert "secret" not in repr(a_document(sealed_password=b"secret"))
    check(a_batch(a_document(sealed_password=b"x" * 1024)))
    error = refusal(a_batch(a_document(sealed_password=b"x" * 1025)))
    assert error.evidence["field"] == "documents[0].sealed_password"


@pytest.mark.parametrize("product", ["a b", "x" * 65, "ü", "a'b", ".hidden"])
def test_a_product_is_a_plain_label(product: str) -> None:
    """It stands in URLs and metrics."""
    assert refusal(a_batch(product=product)).evidence["field"] == "product"


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        (a_batch(user_id=""), "USER_MISSING"),
        (a_batch(user_id="a b"), "FIELD_INVALID"),
        (a_batch(batch_id=uuid4()), "ID_INVALID"),
        (a_batch(a_document(document_id=uuid4())), "ID_INVALID"),
        (replace(a_batch(), documents=()), "BATCH_EMPTY"),
        (a_batch(*(a_document() for _ in range(1001))), "BATCH_TOO_LARGE"),
        (a_batch(*[a_document()] * 2), "DOCUMENT_REPEATED"),
    ],
)
def test_a_batch_that_cannot_be_is_refused(batch: NewBatch, reason: str) -> None:
    """Each with a reason of its own."""
    assert refusal(batch).reason == reason


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (timedelta(minutes=59), None),
        (timedelta(minutes=61), "ID_TOO_OLD"),
        (-timedelta(minutes=4), None),
        (-timedelta(minutes=6), "ID_INVALID"),
    ],
)
def test_ids_are_of_the_last_hour(age: timedelta, reason: str | None) -> None:
    """By the database's clock, whatever this one says."""
    batch = a_batch()
    made = time_of(batch.documents[0].document_id)
    try:
        check_ages(batch, made + age)
        refused = None
    except InvalidInput as error:
        refused = error.reason
    assert refused == reason


def test_the_same_document_is_known_by_its_content() -> None:
    """Name and type may differ; batch, user, hash, size, key and options may not."""
    new = a_document()
    batch = a_batch(new)
    recorded = Document(
        document_id=new.document_id,
        batch_id=batch.batch_id,
        user_id="ann",
        sha256=new.sha256,
        size_bytes=new.size_bytes,
        object_key=new.object_key,
        filename="other",
        uploaded_at=datetime.now(UTC),
    )
    assert same_document(new, batch, recorded)
    again = replace(recorded, options=Options(words=True))
    assert not same_document(new, batch, replace(again, attempt=1))
    assert same_document(new, batch, replace(again, attempt=2))
    for change in ({"batch_id": UUID(int=1)}, {"user_id": "bob"}, {"size_bytes": 11}):
        assert not same_document(new, batch, replace(recorded, **change))
