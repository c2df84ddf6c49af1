"""What the result format promises."""

import msgspec
import pytest
import zstandard

from sheaf_orchestrator.extraction import (
    Metadata,
    OutlineEntry,
    Page,
    Result,
    ResultFormatError,
    ResultWarning,
    decode_result,
    encode_result,
)
from sheaf_orchestrator.extraction.result import json_schema
from sheaf_orchestrator.extraction.schema import markdown_page, published_schema

RESULT = Result(
    document_id="0190c6c0-0000-7000-8000-000000000001",
    attempt=2,
    content_type="application/pdf",
    size_bytes=1234,
    sha256=None,
    page_count=1,
    character_count=4,
    partial=True,
    metadata=Metadata(title="T", created_at="2023-06-30T20:24:18Z"),
    pages=[Page(number=1, width=595.0, height=842.0, rotation=90, text="é😀\nx", characters=4)],
    outline=[OutlineEntry(title="One", level=0, page=1)],
    warnings=[ResultWarning(code="PAGE_FAILED", message="…", page=1)],
)


def packed(value: object) -> bytes:
    """Any value as a result is packed."""
    return zstandard.compress(msgspec.json.encode(value))


def test_a_result_survives_the_round_trip() -> None:
    """What was encoded is decoded."""
    assert decode_result(encode_result(RESULT)) == RESULT


def test_the_schema_is_named_first() -> None:
    """A reader can tell the version from the first bytes."""
    text = zstandard.decompress(encode_result(RESULT))
    assert text.startswith(b'{"schema":"sheaf.result/1",')


def test_a_newer_field_is_ignored() -> None:
    """A field added within the version does not disturb an older reader."""
    value = msgspec.to_builtins(RESULT) | {"added_later": 1}
    assert decode_result(packed(value)) == RESULT


@pytest.mark.parametrize(
    "change",
    [{"schema": "sheaf.result/2"}, {"attempt": "2"}, {"pages": None}, {"page_count": 1.5}],
)
def test_another_shape_is_refused(change: dict[str, object]) -> None:
    """Another version or a wrong type is an error, not a guess."""
    with pytest.raises(ResultFormatError):
        decode_result(packed(msgspec.to_builtins(RESULT) | change))


@pytest.mark.parametrize(
    "encoded", [b"", b"not zstd", encode_result(RESULT)[:-3], zstandard.compress(b"{")]
)
def test_garbage_is_refused(encoded: bytes) -> None:
    """Anything but a whole result is an error."""
    with pytest.raises(ResultFormatError):
        decode_result(encoded)


def test_decompression_is_bounded() -> None:
    """A small object that unpacks to a large one is refused before it is unpacked."""
    with pytest.raises(ResultFormatError):
        decode_result(zstandard.compress(bytes(10_000_000)), max_bytes=1_000_000)


def test_a_frame_of_unknown_size_is_refused() -> None:
    """A frame that does not tell its size could be a bomb."""
    compressor = zstandard.ZstdCompressor(write_content_size=False)
    with pytest.raises(ResultFormatError):
        decode_result(compressor.compress(msgspec.json.encode(RESULT)))


def test_the_schema_documents_every_field() -> None:
    """The JSON Schema names and describes every field of the result and of what it holds."""
    definitions = published_schema()["$defs"]
    assert set(definitions) >= {"Result", "Page", "Metadata", "OutlineEntry", "ResultWarning"}
    assert set(definitions["Result"]["properties"]) == {"schema", *Result.__struct_fields__}
    fields = [each for one in definitions.values() for each in one["properties"].items()]
    assert [name for name, described in fields if not described.get("description")] == []


def test_the_page_about_it_names_every_field() -> None:
    """In one table for each object."""
    page = markdown_page()
    for name, definition in json_schema()["$defs"].items():
        table = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert all(f"| `{field}` |" in table for field in definition["properties"])
