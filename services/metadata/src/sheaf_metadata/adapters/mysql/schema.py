"""The tables as they are now; a test holds the migrations to them.

Ids are UUIDv7 in BINARY(16). States, lanes and the like are short ASCII words, not numbers:
they cost some ten bytes more in an index, and EXPLAIN, a dump and a query by hand can be
read. All times are UTC with microseconds, by the database's clock. There are no foreign
keys: their checks lock parent rows in an order that nobody chose.
"""

from typing import Any, Final

from sqlalchemy import Column, Index, MetaData, Table, text
from sqlalchemy.dialects.mysql import (
    BIGINT,
    BINARY,
    DATETIME,
    INTEGER,
    SMALLINT,
    TINYINT,
    VARBINARY,
    VARCHAR,
)

metadata: Final = MetaData()

_OPTIONS: Final[dict[str, Any]] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_520_ci",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_unicode_520_ci",
}


def _ascii(length: int) -> VARCHAR:
    return VARCHAR(length, charset="ascii", collation="ascii_bin")


def _id(name: str, **options: Any) -> Column[Any]:
    return Column(name, BINARY(16), **options)


def _count(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, server_default=text("0"))


def _time(name: str, **options: Any) -> Column[Any]:
    return Column(name, DATETIME(fsp=6), **options)


document: Final = Table(
    "document",
    metadata,
    _id("id", primary_key=True),
    _id("batch_id", nullable=False),
    _id("parent_id"),
    Column("user_id", _ascii(64), nullable=False),
    Column("product", _ascii(64), nullable=False),
    Column("status", _ascii(16), nullable=False),
    Column("lane", _ascii(8), nullable=False),
    Column("priority", _ascii(8), nullable=False),
    _time("claim_at", nullable=False),
    _time("queued_at", nullable=False),
    Column("filename", VARCHAR(255), nullable=False),
    Column("content_type", _ascii(127), nullable=False),
    Column("size_bytes", BIGINT, nullable=False),
    Column("sha256", BINARY(32), nullable=False),
    Column("object_key", _ascii(255), nullable=False),
    Column("result_key", _ascii(255)),
    Column("workflow_id", _ascii(64)),
    Column("ocr_requested_by", _ascii(64)),
    _time("lease_expires_at"),
    Column("attempt", INTEGER, nullable=False),
    Column("dispatches", INTEGER, nullable=False),
    Column("pipeline_version", _ascii(32)),
    Column("page_count", INTEGER),
    Column("character_count", BIGINT),
    Column("document_class", _ascii(64)),
    Column("partial", TINYINT(1), nullable=False),
    _id("duplicate_of"),
    Column("error_code", _ascii(64)),
    Column("error_message", VARCHAR(1024)),
    _time("uploaded_at", nullable=False),
    _time("started_at"),
    _time("finished_at"),
    _time("deleted_at"),
    Column("row_version", BIGINT, nullable=False),
    # In words, see domain/options.py; NULL are the defaults.
    Column("options", _ascii(64)),
    _count("depth", SMALLINT),
    _count("pages_done", INTEGER),
    _count("pages_total", INTEGER),
    # Not a field of a document: it is read by the workflow that holds it, and by nobody else.
    Column("sealed_password", VARBINARY(1024)),
    # The span that registered it, see sheaf_common.telemetry.trace_context; NULL if none did.
    Column("traceparent", VARBINARY(24)),
    Index("workflow_id_idx", "workflow_id"),
    Index("user_status_idx", "user_id", "status"),
    Index("status_time_idx", "status", "uploaded_at"),
    Index("user_time_idx", "user_id", "uploaded_at"),
    Index("product_status_idx", "product", "status"),
    Index("claim_idx", "status", "lane", "claim_at"),
    Index("batch_idx", "batch_id"),
    **_OPTIONS,
)

batch: Final = Table(
    "batch",
    metadata,
    _id("id", primary_key=True),
    Column("user_id", _ascii(64), nullable=False),
    Column("product", _ascii(64), nullable=False),
    Column("document_count", INTEGER, nullable=False),
    _time("created_at", nullable=False),
    _time("finished_at"),
    **_OPTIONS,
)

event: Final = Table(
    "event",
    metadata,
    Column("id", BIGINT, primary_key=True, autoincrement=True),
    _id("document_id"),
    _id("batch_id", nullable=False),
    Column("user_id", _ascii(64), nullable=False),
    Column("type", _ascii(32), nullable=False),
    Column("status", _ascii(16), nullable=False),
    Column("attempt", INTEGER),
    Column("reason", _ascii(64)),
    _time("created_at", nullable=False),
    # Each is followed by the id, as every InnoDB index is: "this user's after id N".
    Index("event_user_idx", "user_id"),
    Index("event_batch_idx", "batch_id"),
    Index("event_document_idx", "document_id"),
    **_OPTIONS,
)

api_key: Final = Table(
    "api_key",
    metadata,
    _id("id", primary_key=True),
    Column("user_id", _ascii(64), nullable=False),
    Column("name", VARCHAR(255), nullable=False),
    Column("prefix", _ascii(16), nullable=False),
    Column("sha256", BINARY(32), nullable=False),
    Column("scopes", _ascii(2048), nullable=False),
    _time("created_at", nullable=False),
    _time("expires_at"),
    _time("revoked_at"),
    Index("api_key_sha256_idx", "sha256", unique=True),
    Index("api_key_user_idx", "user_id"),
    **_OPTIONS,
)

workflow_slot: Final = Table(
    "workflow_slot",
    metadata,
    Column("lane", _ascii(8), primary_key=True),
    Column("slot", SMALLINT, primary_key=True, autoincrement=False),
    Column("workflow_id", _ascii(64)),
    **_OPTIONS,
)
