"""SQLAlchemy's dialect for asyncmy, without round trips that change nothing.

SQLAlchemy ends every use of a connection with ROLLBACK, also after a read or a commit, when
nothing is open. The server says with each answer whether a transaction is open; if none is,
there is nothing to roll back.
"""

from typing import Any, Final

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy

DRIVER: Final = "mysql+asyncmy_sheaf"
_IN_TRANSACTION: Final = 0x0001
"""SERVER_STATUS_IN_TRANS of the MySQL protocol."""


class SheafDialect(MySQLDialect_asyncmy):
    """asyncmy, rolled back only where a transaction is open."""

    supports_statement_cache = True

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Rolls back what is open; nothing after a commit or where nothing was begun."""
        if in_transaction(dbapi_connection.driver_connection):
            super().do_rollback(dbapi_connection)  # type: ignore[no-untyped-call]


def in_transaction(connection: Any) -> bool:
    """Whether a transaction of an asyncmy connection is open, as its last answer said."""
    return bool(connection.server_status & _IN_TRANSACTION)


registry.register(DRIVER.replace("+", "."), __name__, SheafDialect.__name__)
