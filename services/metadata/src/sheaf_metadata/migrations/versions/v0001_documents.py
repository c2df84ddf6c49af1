"""Documents, batches, their events, API keys and places of workflows."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_unicode_520_ci",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
    "mariadb_collate": "utf8mb4_unicode_520_ci",
}


def _ascii(length: int) -> mysql.VARCHAR:
    return mysql.VARCHAR(length, charset="ascii", collation="ascii_bin")


def _id(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, mysql.BINARY(16), nullable=nullable)


def _time(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, mysql.DATETIME(fsp=6), nullable=nullable)


def upgrade() -> None:
    """Makes all tables."""
    _document()
    op.create_table(
        "batch",
        _id("id", nullable=False),
        sa.Column("user_id", _ascii(64), nullable=False),
        sa.Column("product", _ascii(64), nullable=False),
        sa.Column("document_count", mysql.INTEGER, nullable=False),
        _time("created_at", nullable=False),
        _time("finished_at"),
        sa.PrimaryKeyConstraint("id"),
        **_OPTIONS,
    )
    _event()
    _api_key()
    op.create_table(
        "workflow_slot",
        sa.Column("lane", _ascii(8), nullable=False),
        sa.Column("slot", mysql.SMALLINT, autoincrement=False, nullable=False),
        sa.Column("workflow_id", _ascii(64)),
        sa.PrimaryKeyConstraint("lane", "slot"),
        **_OPTIONS,
    )


def _document() -> None:
    op.create_table(
        "document",
        _id("id", nullable=False),
        _id("batch_id", nullable=False),
        _id("parent_id"),
        sa.Column("user_id", _ascii(64), nullable=False),
        sa.Column("product", _ascii(64), nullable=False),
        sa.Column("status", _ascii(16), nullable=False),
        sa.Column("lane", _ascii(8), nullable=False),
        sa.Column("priority", _ascii(8), nullable=False),
        _time("claim_at", nullable=False),
        _time("queued_at", nullable=False),
        sa.Column("filename", mysql.VARCHAR(255), nullable=False),
        sa.Column("content_type", _ascii(127), nullable=False),
        sa.Column("size_bytes", mysql.BIGINT, nullable=False),
        sa.Column("sha256", mysql.BINARY(32), nullable=False),
        sa.Column("object_key", _ascii(255), nullable=False),
        sa.Column("result_key", _ascii(255)),
        sa.Column("workflow_id", _ascii(64)),
        sa.Column("ocr_requested_by", _ascii(64)),
        _time("lease_expires_at"),
        sa.Column("attempt", mysql.INTEGER, nullable=False),
        sa.Column("dispatches", mysql.INTEGER, nullable=False),
        sa.Column("pipeline_version", _ascii(32)),
        sa.Column("page_count", mysql.INTEGER),
        sa.Column("character_count", mysql.BIGINT),
        sa.Column("document_class", _ascii(64)),
        sa.Column("partial", mysql.TINYINT(1), nullable=False),
        _id("duplicate_of"),
        sa.Column("error_code", _ascii(64)),
        sa.Column("error_message", mysql.VARCHAR(1024)),
        _time("uploaded_at", nullable=False),
        _time("started_at"),
        _time("finished_at"),
        _time("deleted_at"),
        sa.Column("row_version", mysql.BIGINT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("workflow_id_idx", "workflow_id"),
        sa.Index("user_status_idx", "user_id", "status"),
        sa.Index("status_time_idx", "status", "uploaded_at"),
        sa.Index("user_time_idx", "user_id", "uploaded_at"),
        sa.Index("product_status_idx", "product", "status"),
        sa.Index("claim_idx", "status", "lane", "claim_at"),
        sa.Index("batch_idx", "batch_id"),
        **_OPTIONS,
    )


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", mysql.BIGINT, autoincrement=True, nullable=False),
        _id("document_id"),
        _id("batch_id", nullable=False),
        sa.Column("user_id", _ascii(64), nullable=False),
        sa.Column("type", _ascii(32), nullable=False),
        sa.Column("status", _ascii(16), nullable=False),
        sa.Column("attempt", mysql.INTEGER),
        sa.Column("reason", _ascii(64)),
        _time("created_at", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("event_user_idx", "user_id"),
        sa.Index("event_batch_idx", "batch_id"),
        sa.Index("event_document_idx", "document_id"),
        **_OPTIONS,
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        _id("id", nullable=False),
        sa.Column("user_id", _ascii(64), nullable=False),
        sa.Column("name", mysql.VARCHAR(255), nullable=False),
        sa.Column("prefix", _ascii(16), nullable=False),
        sa.Column("sha256", mysql.BINARY(32), nullable=False),
        sa.Column("scopes", _ascii(2048), nullable=False),
        _time("created_at", nullable=False),
        _time("expires_at"),
        _time("revoked_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.Index("api_key_sha256_idx", "sha256", unique=True),
        sa.Index("api_key_user_idx", "user_id"),
        **_OPTIONS,
    )


def downgrade() -> None:
    """There is none: see the package."""
    raise NotImplementedError
