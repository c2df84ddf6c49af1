"""Lists: what they are filtered by, along which index they go, and how far a page looks.

A list is newest first, by a key that an index gives: the upload time and the id, or the id
alone, whose UUIDv7 time is that of its making. Which of them depends on the filters only,
so it is the same for every page of a list. What the index does not answer is checked row by
row, and since few rows may pass, a page then looks at `MAX_EXAMINED` of them and no further.
"""

import re
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final
from uuid import UUID

from sheaf_common.errors import InvalidInput
from sheaf_metadata.domain.documents import Status
from sheaf_metadata.domain.registration import MAX_ID_AGE, MAX_ID_LEAD

MAX_EXAMINED: Final = 5000
"""Index entries that one page looks at, where not every one of them is a match."""

_FAMILY: Final = "/*"
_LABEL: Final = re.compile(r"[ -~]{0,64}")
_CONTENT_TYPE: Final = re.compile(r"(?:[!-)+-~][ -)+-~]{2,126}|[!-)+-.0-~]{1,126}/\*|)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_TIMESTAMP_SHIFT_BITS: Final = 80
_MAX_TIMESTAMP: Final = 2**48 - 1


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What a list holds; None and empty mean any. `user_id` is None for internal callers.

    `content_type` is one type, or a family as `image/*`. What was found in `parent_id` is in its
    batch. `uploaded_from` belongs to the list,
    `uploaded_before` does not.
    """

    user_id: str | None = None
    status: Status | None = None
    product: str = ""
    batch_id: UUID | None = None
    workflow_id: str = ""
    document_class: str = ""
    content_type: str = ""
    uploaded_from: datetime | None = None
    uploaded_before: datetime | None = None
    parent_id: UUID | None = None

    @property
    def given(self) -> frozenset[str]:
        """The names of the filters that say something."""
        return frozenset(
            field.name for field in fields(self) if getattr(self, field.name) not in (None, "")
        )

    @property
    def content_family(self) -> str | None:
        """What every content type of the family begins with; None if one type is meant."""
        family = self.content_type.endswith(_FAMILY)
        return self.content_type.removesuffix("*") if family else None


def check(wanted: ListFilter) -> None:
    """Checks the texts: beyond ASCII the database could not look them up in an index.

    Raises:
        InvalidInput: `FIELD_INVALID`, naming the field.
    """
    for field in ("product", "workflow_id", "document_class"):
        if not _LABEL.fullmatch(getattr(wanted, field)):
            raise _invalid(field, "must be at most 64 printable ASCII characters")
    if not _CONTENT_TYPE.fullmatch(wanted.content_type):
        raise _invalid("content_type", "must be a content type, or a family such as image/*")


class ScanPlan(Enum):
    """The index that a list goes along."""

    BATCH = "batch_idx"
    WORKFLOW = "workflow_id_idx"
    USER_STATUS = "user_status_idx"
    USER_TIME = "user_time_idx"
    PRODUCT_STATUS = "product_status_idx"
    STATUS_TIME = "status_time_idx"
    ALL = "PRIMARY"

    @property
    def by_time(self) -> bool:
        """Whether the list goes by upload time and id, not by id alone."""
        return self in (ScanPlan.USER_TIME, ScanPlan.STATUS_TIME)

    @property
    def answers(self) -> frozenset[str]:
        """The filters that the index answers; others are checked by row."""
        return _ANSWERS[self]

    def is_sparse(self, wanted: ListFilter) -> bool:
        """Whether any number of index entries may lie between two documents of the list.

        A batch and a workflow are small enough to be looked through whole.
        """
        small = self in (ScanPlan.BATCH, ScanPlan.WORKFLOW)
        return not small and not wanted.given <= self.answers


_TIMES: Final = frozenset({"uploaded_from", "uploaded_before"})
_ANSWERS: Final = {
    ScanPlan.BATCH: frozenset({"batch_id"}),
    ScanPlan.WORKFLOW: frozenset({"workflow_id"}),
    ScanPlan.USER_STATUS: frozenset({"user_id", "status"}),
    ScanPlan.USER_TIME: frozenset({"user_id"}) | _TIMES,
    ScanPlan.PRODUCT_STATUS: frozenset({"product", "status"}),
    ScanPlan.STATUS_TIME: frozenset({"status"}) | _TIMES,
    ScanPlan.ALL: frozenset[str](),
}


def plan_of(wanted: ListFilter) -> ScanPlan:
    """The index that gives the list in order with the fewest rows examined."""
    if wanted.batch_id is not None or wanted.parent_id is not None:
        return ScanPlan.BATCH
    if wanted.workflow_id:
        return ScanPlan.WORKFLOW
    if wanted.user_id is not None:
        return ScanPlan.USER_TIME if wanted.status is None else ScanPlan.USER_STATUS
    if wanted.status is not None:
        return ScanPlan.PRODUCT_STATUS if wanted.product else ScanPlan.STATUS_TIME
    return ScanPlan.ALL


def first_id(uploaded_from: datetime) -> UUID:
    """No document that was uploaded then or later has a lesser id.

    An id is made up to `MAX_ID_AGE` before its document is registered.
    """
    return _id_of(uploaded_from - _EPOCH - MAX_ID_AGE)


def end_id(uploaded_before: datetime) -> UUID:
    """Every document that was uploaded earlier has a lesser id.

    An id may be of a clock that is up to `MAX_ID_LEAD` ahead.
    """
    return _id_of(uploaded_before - _EPOCH + MAX_ID_LEAD + _MILLISECOND)


def _id_of(since_epoch: timedelta) -> UUID:
    """The least id of that millisecond, or of the nearest that an id can have."""
    milliseconds = min(max(since_epoch // _MILLISECOND, 0), _MAX_TIMESTAMP)
    return UUID(int=milliseconds << _TIMESTAMP_SHIFT_BITS)


def _invalid(field: str, problem: str) -> InvalidInput:
    return InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
