"""What clients write on documents, repeat, follow, delete and limit.

The release before writes rows that lack all of it: they have no metadata, no position yet (see
the `position` of an event) and the default rate. It knows nothing of deletions, and of no index
by name that goes here.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
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
    """Expands `document`, `event` and `api_key`; makes four tables."""
    op.add_column("document", sa.Column("client_metadata", mysql.TEXT))
    op.alter_column(
        "document", "options", existing_type=_ascii(64), type_=_ascii(255), existing_nullable=True
    )
    op.create_index("user_sha256_idx", "document", ["user_id", "sha256"])
    op.add_column("event", sa.Column("position", mysql.BIGINT))
    op.create_index("event_position_idx", "event", ["position"])
    op.create_index("event_user_position_idx", "event", ["user_id", "position"])
    op.create_index("event_batch_position_idx", "event", ["batch_id", "position"])
    op.drop_index("event_user_idx", "event")
    op.drop_index("event_batch_idx", "event")
    op.add_column("api_key", _time("last_used_at"))
    op.add_column(
        "api_key",
        sa.Column("rate_limit_per_s", mysql.INTEGER, nullable=False, server_default=sa.text("0")),
    )
    _event_position()
    _idempotency_key()
    op.create_table(
        "deletion",
        _id("document_id", nullable=False),
        sa.Column("user_id", _ascii(64), nullable=False),
        _time("deleted_at", nullable=False),
        _time("due_at", nullable=False),
        sa.Column("confirmed", mysql.SMALLINT, nullable=False, server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("document_id"),
        sa.Index("deletion_due_idx", "due_at"),
        **_OPTIONS,
    )
    op.create_table(
        "pipeline",
        sa.Column("version", _ascii(32), nullable=False),
        _time("seen_at", nullable=False),
        sa.PrimaryKeyConstraint("version"),
        **_OPTIONS,
    )


def _event_position() -> None:
    """One row: the position that was given last."""
    op.create_table(
        "event_position",
        sa.Column("id", mysql.SMALLINT, autoincrement=False, nullable=False),
        sa.Column("last", mysql.BIGINT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        **_OPTIONS,
    )
    op.execute("INSERT INTO event_position (id, last) VALUES (1, 0)")


def _idempotency_key() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", _ascii(64), nullable=False),
        sa.Column("idempotency_key", _ascii(255), nullable=False),
        _id("holder_id", nullable=False),
        _time("lease_expires_at", nullable=False),
        sa.Column("fingerprint", mysql.BINARY(32)),
        sa.Column("answer", mysql.MEDIUMBLOB),
        sa.Column("registered", mysql.MEDIUMBLOB),
        _time("created_at", nullable=False),
        _time("expires_at", nullable=False),
        sa.PrimaryKeyConstraint("user_id", "idempotency_key"),
        sa.Index("idempotency_expiry_idx", "expires_at"),
        **_OPTIONS,
    )


def downgrade() -> None:
    """There is none: see the package."""
    raise NotImplementedError
