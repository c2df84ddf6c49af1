"""The statements that a document's life, its readers and the operators ask, over any table.

Each names the index that it must go along and how many index entries and rows it may read,
however many documents there are: what it needs, not what there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import TextClause, bindparam, text

from sheaf_common.pools.database import DatabasePool, begin
from sheaf_common.pools.database_connection import DatabaseConnection
from sheaf_metadata.adapters.mysql import (
    backlog,
    batches,
    claims,
    leases,
    slots,
    sweeping,
    writing,
)
from sheaf_metadata.adapters.mysql.listing import list_statement
from sheaf_metadata.adapters.mysql.reading import (
    batch_statement,
    document_statement,
    workflow_statement,
)
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.fields import ALL_FIELDS
from sheaf_metadata.domain.listing import ListFilter

_PAGE: Final = 51
_TIES: Final = 20
"""Documents of one upload time, at most: a page by time looks again at those of its cursor."""
_HELD: Final = 1000
"""Documents that workflows hold, at most: what asks for them reads so many."""
_READ_SO_FAR: Final = (
    "SELECT SUM(variable_value) FROM information_schema.session_status WHERE variable_name IN"
    " ('Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next',"
    " 'Handler_read_prev', 'Handler_read_rnd', 'Handler_read_rnd_next')"
)


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its parameters; it reads at most `most_read` entries along `index`."""

    name: str
    statement: TextClause
    parameters: Mapping[str, Any]
    index: str
    most_read: int


@dataclass(frozen=True, slots=True)
class Run:
    """How the server ran a query."""

    query: Query
    indexes: Sequence[str]
    extra: str
    read: int

    @property
    def ok(self) -> bool:
        """Along its index, without a sort, and no further than it may."""
        along = self.query.index in self.indexes and "filesort" not in self.extra
        return along and self.read <= self.query.most_read

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "index": self.query.index,
            "used": list(self.indexes),
            "read": self.read,
            "read_limit": self.query.most_read,
            "ok": self.ok,
        }


async def run_all(pool: DatabasePool, user_id: str) -> list[Run]:
    """Explains and runs every hot query over what is there of a user; changes nothing.

    Raises:
        LookupError: the user has no documents.
    """
    async with pool.connection() as connection:
        return [await _run(connection, query) for query in await _queries(connection, user_id)]


async def _queries(connection: DatabaseConnection, user_id: str) -> list[Query]:
    found = await connection.exec_driver_sql(
        "SELECT id, batch_id, workflow_id FROM document WHERE user_id = %s"
        " AND status = 'completed' LIMIT 50",
        (user_id,),
    )
    rows = found.all()
    if not rows:
        raise LookupError(f"{user_id} has no documents")
    ids, one = sorted(row.id for row in rows), rows[0]
    lane = {"lane": "text"}
    workflow = {"workflow_id": one.workflow_id}
    of_user = {"user_id": user_id}
    lists = {
        "list of a user": (ListFilter(user_id), "user_time_idx"),
        "list of a user in a state": (ListFilter(user_id, Status.FAILED), "user_status_idx"),
        "list of all in a state": (ListFilter(status=Status.FAILED), "status_time_idx"),
        "list of a product": (
            ListFilter(product="tax", status=Status.FAILED),
            "product_status_idx",
        ),
    }
    return [
        Query("documents next in line", claims.CANDIDATES, {**lane, "limit": 64}, "claim_idx", 200),
        Query("places of workflows", slots.SURVEY, {**lane, "slots": 4}, "workflow_id_idx", 200),
        Query("a place is free", slots.HELD_BY, workflow, "workflow_id_idx", 64),
        Query("a document", document_statement(ALL_FIELDS, scoped=True),
            {"id": one.id, **of_user}, "PRIMARY", 2),
        Query("a batch", batch_statement(ALL_FIELDS, scoped=True),
            {"id": one.batch_id, **of_user}, "batch_idx", 100),
        Query("a workflow", workflow_statement(ALL_FIELDS, scoped=True),
            {**workflow, **of_user, "limit": 500}, "workflow_id_idx", 100),
        *(
            Query(name, *list_statement(wanted, ALL_FIELDS, None, None, _PAGE), index,
                _PAGE + _TIES)
            for name, (wanted, index) in lists.items()
        ),
        Query("a lease is renewed", leases.OWNED, {"ids": ids, **workflow}, "PRIMARY", 100),
        Query("expired leases", leases.EXPIRED, {"limit": 50}, "status_time_idx", _HELD),
        Query("outcomes are locked", writing.LOCK_DOCUMENTS, {"ids": ids}, "PRIMARY", 100),
        Query("a workflow is done", writing.HOLDS, workflow, "workflow_id_idx", 64),
        Query("a batch is done", batches.DONE, {"ids": [one.batch_id]}, "batch_idx", 100),
        Query("backlog", backlog.BACKLOG, {**lane, "most": backlog.MAX_COUNTED, "head": _HELD},
            "claim_idx", 3 * _HELD),
        Query("references of objects", sweeping.REFERENCES, {"ids": ids}, "PRIMARY", 100),
        Query("oldest events", sweeping.OLDEST_EVENTS, {"min_age_us": 1, "limit": 100},
            "PRIMARY", 101),
    ]  # fmt: skip


async def _run(connection: DatabaseConnection, query: Query) -> Run:
    """In a transaction that is rolled back: some of them lock rows."""
    parameters = dict(query.parameters)
    lists = [name for name, value in parameters.items() if isinstance(value, list)]
    explain = text(f"EXPLAIN {query.statement.text}").bindparams(
        *(bindparam(name, expanding=True) for name in lists)
    )
    await begin(connection)
    try:
        plan = (await connection.execute(explain, parameters)).all()
        await connection.exec_driver_sql("FLUSH STATUS")
        (await connection.execute(query.statement, parameters)).all()
        read = await _reads(connection)
    finally:
        await connection.exec_driver_sql("ROLLBACK")
    indexes = [row.key for row in plan if row.key is not None]
    return Run(query, indexes, "; ".join(row.Extra or "" for row in plan), read)


async def _reads(connection: DatabaseConnection) -> int:
    """Index entries and rows that the session has read since its status was flushed."""
    return int((await connection.exec_driver_sql(_READ_SO_FAR)).scalar_one())
