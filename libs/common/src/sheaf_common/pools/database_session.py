"""How every session with MySQL is set up: one statement, right after the log-in.

UTC, READ COMMITTED and strict mode, so that a value is stored as it was given or not at
all; autocommit, so that a read is one round trip; and limits that the server itself keeps,
since a statement whose caller has gone runs on there. The character set, utf8mb4, is part of
the log-in.
"""

from typing import Final

SQL_MODE: Final = (
    "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,"
    "NO_ENGINE_SUBSTITUTION"
)
_MILLISECONDS: Final = 1000


def session_statement(server_version: str, *, statement_timeout_s: int, lock_wait_s: int) -> str:
    """The statement for a server of that version.

    MariaDB limits any statement, in seconds; MySQL only SELECTs, in milliseconds. They name
    the isolation level differently.
    """
    if "mariadb" in server_version.lower():
        isolation, limit = "tx_isolation", f"max_statement_time = {statement_timeout_s}"
    else:
        isolation = "transaction_isolation"
        limit = f"max_execution_time = {statement_timeout_s * _MILLISECONDS}"
    return (
        f"SET SESSION autocommit = 1, {isolation} = 'READ-COMMITTED', sql_mode = '{SQL_MODE}',"
        f" time_zone = '+00:00', innodb_lock_wait_timeout = {lock_wait_s}, {limit}"
    )
