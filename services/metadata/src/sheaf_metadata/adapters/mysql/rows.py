"""Between rows and the domain's nouns."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from sheaf_common.telemetry.trace_context import TraceContext
from sheaf_metadata.domain.claims import ClaimedDocument
from sheaf_metadata.domain.documents import Document, Lane, Priority, Status
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.options import options_of


def aware(moment: datetime) -> datetime:
    """A time of the database, which is UTC, as an aware one."""
    return moment.replace(tzinfo=UTC)


def naive(moment: datetime) -> datetime:
    """An aware time as the database takes it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _uuid(value: bytes) -> UUID:
    return UUID(bytes=bytes(value))


_COLUMNS: Final = {"document_id": "id", "metadata_json": "client_metadata"}
"""Fields whose column has another name."""
_READERS: Final[Mapping[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "document_id": _uuid,
        "batch_id": _uuid,
        "parent_id": _uuid,
        "duplicate_of": _uuid,
        "status": Status,
        "lane": Lane,
        "priority": Priority,
        "partial": bool,
        "uploaded_at": aware,
        "started_at": aware,
        "finished_at": aware,
        "options": options_of,
    }
)


CLAIMED_COLUMNS: Final = (
    "d.id, d.attempt, d.dispatches, d.object_key, d.content_type, d.size_bytes, d.sha256,"
    " d.filename, d.batch_id, d.user_id, d.row_version, d.options, d.depth, d.traceparent,"
    " d.queued_at,"
    " d.sealed_password IS NOT NULL AS has_password"
)


def claimed_of(row: Any, row_version: int) -> ClaimedDocument:
    """The document of a row with `CLAIMED_COLUMNS`, in that version."""
    return ClaimedDocument(
        UUID(bytes=row.id),
        row.attempt,
        row.dispatches,
        row.object_key,
        row.content_type,
        row.size_bytes,
        row.sha256,
        row.filename,
        UUID(bytes=row.batch_id),
        row.user_id,
        row_version,
        options_of(row.options or ""),
        bool(row.has_password),
        row.depth,
        trace_of(row.traceparent),
        aware(row.queued_at),
    )


def trace_of(packed: bytes | None) -> TraceContext | None:
    """The trace of a row; None if it is in none."""
    return None if packed is None else TraceContext.unpack(bytes(packed))


def columns(fields: Fields, table: str = "d") -> str:
    """The select list of these fields, in their order."""
    return ", ".join(f"{table}.{_COLUMNS.get(field, field)}" for field in fields)


def document_of(fields: Fields, row: Sequence[Any]) -> Document:
    """The document of a row that was selected by `columns`. NULL is the field's default."""
    values: dict[str, Any] = {}
    for field, value in zip(fields, row, strict=True):
        if value is not None:
            reader = _READERS.get(field)
            values[field] = value if reader is None else reader(value)
    return Document(**values)
