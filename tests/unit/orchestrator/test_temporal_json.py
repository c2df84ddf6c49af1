"""What is written into histories, and what is read from them."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from temporalio.converter import DataConverter

from sheaf_orchestrator.adapters.temporal_json import DATA_CONVERTER
from sheaf_orchestrator.workflows.contracts import ExtractGroupInput, SweepInput, TaskInput

_TASK = TaskInput("d", 1, 0, "k", "text/plain", 0, "", "", ocr_languages=["deu"])
_TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def written(converter: DataConverter, value: object) -> Any:
    """The JSON of a payload."""
    (payload,) = await converter.encode([value])
    return json.loads(payload.data)


async def read(value: object, kind: type[Any]) -> Any:
    """What a worker gets of it."""
    found: Sequence[Any] = await DATA_CONVERTER.decode(await DATA_CONVERTER.encode([value]), [kind])
    return found[0]


async def test_a_document_of_which_nothing_more_is_said_takes_no_byte_more() -> None:
    """Its input is, field by field, what it was before there were traces and wanted pages."""
    group = await written(DATA_CONVERTER, ExtractGroupInput("text", [_TASK]))
    before = asdict(_TASK)
    del before["traceparent"], before["pages"]
    assert group == {"lane": "text", "documents": [before]}


async def test_what_is_written_is_read() -> None:
    """With a trace and wanted pages, and without."""
    traced = replace(_TASK, traceparent=_TRACEPARENT, pages=[[1, 3], [7, 0]])
    group = ExtractGroupInput("text", [_TASK, traced])
    assert await read(group, ExtractGroupInput) == group


async def test_all_else_is_written_as_by_the_default() -> None:
    """Empty or not: only fields that say so are left out."""
    for value in (SweepInput("io"), {"a": [1, None]}, None, b"bytes"):
        assert await DATA_CONVERTER.encode([value]) == await DataConverter.default.encode([value])
