"""A page of a list: along one index, in its order, from where the page before ended.

Where most entries of the index may be no match, two statements bound what a page costs. The
first finds the entry at which the page ends at the latest, in the index alone; the second
looks for documents up to there. Of one statement neither MySQL nor MariaDB can be told how
many rows it may examine, except by a derived table of all of them.
"""

from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import TextClause, text

from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.rows import aware, columns, document_of, naive
from sheaf_metadata.domain.fields import Fields
from sheaf_metadata.domain.listing import (
    MAX_EXAMINED,
    ListFilter,
    ScanPlan,
    end_id,
    first_id,
    plan_of,
)
from sheaf_metadata.domain.paging import Position, Scan

Statement = tuple[TextClause, dict[str, Any]]

_CONDITIONS: Final = {
    "user_id": "d.user_id = :user_id",
    "status": "d.status = :status",
    "product": "d.product = :product",
    "batch_id": "d.batch_id = :batch_id",
    # By the index of batches: what was found in a document is in its batch.
    "parent_id": "d.batch_id = (SELECT p.batch_id FROM document p WHERE p.id = :parent_id)"
    " AND d.parent_id = :parent_id",
    "workflow_id": "d.workflow_id = :workflow_id",
    "document_class": "d.document_class = :document_class",
    "content_type": "d.content_type = :content_type",
    "content_family": "d.content_type >= :content_family AND d.content_type < :content_family_end",
    "uploaded_from": "d.uploaded_at >= :uploaded_from",
    "uploaded_before": "d.uploaded_at < :uploaded_before",
    "first_id": "d.id >= :first_id",
    "end_id": "d.id < :end_id",
    "after_id": "d.id < :after_id",
    "to_id": "d.id >= :to_id",
    # Not one OR: these shapes are ranges on the index.
    "after_time": "d.uploaded_at <= :after_time"
    " AND (d.uploaded_at < :after_time OR d.id < :after_id)",
    "to_time": "d.uploaded_at >= :to_time AND (d.uploaded_at > :to_time OR d.id >= :to_id)",
}


async def scan(
    connection: SqlConnection,
    wanted: ListFilter,
    fields: Fields,
    after: Position | None,
    limit: int,
) -> Scan:
    """At most `limit` documents after a position, newest first; see `Reads`."""
    plan, edge = plan_of(wanted), None
    if plan.is_sparse(wanted):
        row = (await connection.execute(*edge_statement(wanted, after))).one_or_none()
        if row is not None:
            edge = Position(UUID(bytes=row.id), aware(row.uploaded_at) if plan.by_time else None)
    rows = (await connection.execute(*list_statement(wanted, fields, after, edge, limit))).all()
    return Scan([document_of(fields, row) for row in rows], edge)


def edge_statement(
    wanted: ListFilter, after: Position | None, examined: int = MAX_EXAMINED
) -> Statement:
    """The last of so many entries after a position, from the index alone; none of fewer."""
    plan = plan_of(wanted)
    answered = {name: value for name, value in _filters(wanted).items() if name in plan.answers}
    values = answered | _range(wanted, plan) | _place("after", after)
    moment = ", d.uploaded_at" if plan.by_time else ""
    statement = _statement(plan, f"d.id{moment}", tuple(values), " OFFSET :offset")
    return statement, values | {"limit": 1, "offset": examined - 1}


def list_statement(
    wanted: ListFilter, fields: Fields, after: Position | None, to: Position | None, limit: int
) -> Statement:
    """The documents after a position, as far as another.

    What the index does not answer is checked by row.
    """
    plan = plan_of(wanted)
    values = _filters(wanted) | _range(wanted, plan) | _place("after", after) | _place("to", to)
    return _statement(plan, columns(fields), tuple(values)), values | {"limit": limit}


def _filters(wanted: ListFilter) -> dict[str, Any]:
    values: dict[str, Any] = {
        "user_id": wanted.user_id,
        "status": None if wanted.status is None else wanted.status.value,
        "product": wanted.product or None,
        "batch_id": None if wanted.batch_id is None else wanted.batch_id.bytes,
        "parent_id": None if wanted.parent_id is None else wanted.parent_id.bytes,
        "workflow_id": wanted.workflow_id or None,
        "document_class": wanted.document_class or None,
        "uploaded_from": None if wanted.uploaded_from is None else naive(wanted.uploaded_from),
        "uploaded_before": None
        if wanted.uploaded_before is None
        else naive(wanted.uploaded_before),
    }
    family = wanted.content_family
    if family is None:
        values["content_type"] = wanted.content_type or None
    else:
        # Not LIKE: nothing in it has to be escaped. The column is compared byte by byte.
        values["content_family"] = family
        values["content_family_end"] = family[:-1] + chr(ord(family[-1]) + 1)
    return {name: value for name, value in values.items() if value is not None}


def _range(wanted: ListFilter, plan: ScanPlan) -> dict[str, Any]:
    """Where a list by id begins and ends by its times; they themselves are checked by row."""
    if plan.by_time:
        return {}
    values: dict[str, Any] = {}
    if wanted.uploaded_from is not None:
        values["first_id"] = first_id(wanted.uploaded_from).bytes
    if wanted.uploaded_before is not None:
        values["end_id"] = end_id(wanted.uploaded_before).bytes
    return values


def _place(name: str, place: Position | None) -> dict[str, Any]:
    if place is None:
        return {}
    values: dict[str, Any] = {f"{name}_id": place.document_id.bytes}
    if place.uploaded_at is not None:
        values[f"{name}_time"] = naive(place.uploaded_at)
    return values


@lru_cache(maxsize=512)
def _statement(
    plan: ScanPlan, selected: str, names: tuple[str, ...], suffix: str = ""
) -> TextClause:
    # The condition on a time has the id of its place in it.
    within = {"after_id", "to_id"} if plan.by_time else set[str]()
    where = " AND ".join(
        _CONDITIONS[name] for name in names if name in _CONDITIONS and name not in within
    )
    order = "d.uploaded_at DESC, d.id DESC" if plan.by_time else "d.id DESC"
    return text(
        f"SELECT {selected} FROM document d FORCE INDEX ({plan.value})"  # noqa: S608 - our own names
        f"{' WHERE ' if where else ''}{where} ORDER BY {order} LIMIT :limit{suffix}"
    )
