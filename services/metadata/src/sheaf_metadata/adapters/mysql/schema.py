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
    MEDIUMBLOB,
    SMALLINT,
    TEXT,
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
    Column("options", _ascii(255)),
    _count("depth", SMALLINT),
    _count("pages_done", INTEGER),
    _count("pages_total", INTEGER),
    # Not a field of a document: it is read by the workflow that holds it, and by nobody else.
    Column("sealed_password", VARBINARY(1024)),
    # The span that registered it, see sheaf_common.telemetry.trace_context; NULL if none did.
    Column("traceparent", VARBINARY(24)),
    # JSON, as its owner wrote it on the document; NULL if nothing.
    Column("client_metadata", TEXT),
    Index("workflow_id_idx", "workflow_id"),
    Index("user_status_idx", "user_id", "status"),
    Index("status_time_idx", "status", "uploaded_at"),
    Index("user_time_idx", "user_id", "uploaded_at"),
    Index("product_status_idx", "product", "status"),
    Index("claim_idx", "status", "lane", "claim_at"),
    Index("batch_idx", "batch_id"),
    Index("user_sha256_idx", "user_id", "sha256"),
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
    # Ids are given before the commit, so they may become visible out of order. The position is
    # given after it, by one process at a time: whoever has read to one has missed nothing.
    Column("position", BIGINT),
    Index("event_position_idx", "position"),
    Index("event_user_position_idx", "user_id", "position"),
    Index("event_batch_position_idx", "batch_id", "position"),
    Index("event_document_idx", "document_id"),
    **_OPTIONS,
)

event_position: Final = Table(
    "event_position",
    metadata,
    Column("id", SMALLINT, primary_key=True, autoincrement=False),
    Column("last", BIGINT, nullable=False),
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
    _time("last_used_at"),
    _count("rate_limit_per_s", INTEGER),
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

idempotency_key: Final = Table(
    "idempotency_key",
    metadata,
    Column("user_id", _ascii(64), primary_key=True),
    Column("idempotency_key", _ascii(255), primary_key=True),
    _id("holder_id", nullable=False),
    _time("lease_expires_at", nullable=False),
    # NULL while the work goes on, all three.
    Column("fingerprint", BINARY(32)),
    Column("answer", MEDIUMBLOB),
    Column("registered", MEDIUMBLOB),
    _time("created_at", nullable=False),
    _time("expires_at", nullable=False),
    Index("idempotency_expiry_idx", "expires_at"),
    **_OPTIONS,
)

# Documents that are deleted, until no object of them can be left.
deletion: Final = Table(
    "deletion",
    metadata,
    _id("document_id", primary_key=True),
    Column("user_id", _ascii(64), nullable=False),
    _time("deleted_at", nullable=False),
    _time("due_at", nullable=False),
    _count("confirmed", SMALLINT),
    Index("deletion_due_idx", "due_at"),
    **_OPTIONS,
)

# Versions of the pipeline that claim documents.
pipeline: Final = Table(
    "pipeline",
    metadata,
    Column("version", _ascii(32), primary_key=True),
    _time("seen_at", nullable=False),
    **_OPTIONS,
)
