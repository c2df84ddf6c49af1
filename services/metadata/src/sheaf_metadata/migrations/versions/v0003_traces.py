"""The trace that a document belongs to, if its upload was sampled.

NULL by default and in no index, so the release before goes on writing, and both servers add it at
once. A document that the older one registers is in no trace.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Expands `document`."""
    op.add_column("document", sa.Column("traceparent", mysql.VARBINARY(24)))


def downgrade() -> None:
    """There is none: see the package."""
    raise NotImplementedError
