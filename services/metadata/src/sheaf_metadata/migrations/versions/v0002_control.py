"""What is asked of a document, how far it is, how deep it lies, and its password, sealed.

Each column has a default, so the release before writes rows without knowing of them; none is in
an index, so both servers add them at once, without a copy of the table. While releases are
mixed, the older one does not clear the password of a document that it ends.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _count(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=sa.text("0"))


def upgrade() -> None:
    """Expands `document`."""
    ascii_words = mysql.VARCHAR(64, charset="ascii", collation="ascii_bin")
    for column in (
        sa.Column("options", ascii_words),
        _count("depth", mysql.SMALLINT),
        _count("pages_done", mysql.INTEGER),
        _count("pages_total", mysql.INTEGER),
        sa.Column("sealed_password", mysql.VARBINARY(1024)),
    ):
        op.add_column("document", column)


def downgrade() -> None:
    """There is none: see the package."""
    raise NotImplementedError
