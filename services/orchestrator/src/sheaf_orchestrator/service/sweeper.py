"""The sweep: removes objects that no row names, stale uploads and old events.

An object goes only when it is certain that nothing will name it: it is older than the
sweep's age, and either its document has no row (and, by its id's time, can have none any
more: registration refuses ids over an hour old) or the row is terminal and names another
result. What the sweep does not understand it leaves alone, and counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from sheaf_common.errors import InvalidInput
from sheaf_common.ids import time_of
from sheaf_orchestrator.domain import DocumentReferences, SweepReport
from sheaf_orchestrator.ports import ObjectListing, References, StoredObject

log = structlog.get_logger()

_PAGE: Final = 1000
_PREFIX: Final = "documents"
_RESULT_NAME: Final = "result.json.zst"
_BASE_NAME: Final = "base.msgpack.zst"
_PAGES_PREFIX: Final = "pages-"
_PAGES_SUFFIX: Final = ".msgpack.zst"
_ORIGINAL_NAME: Final = "original"

Progress = Callable[[str, SweepReport], None]
"""Told after each page: the last key dealt with, and the counts so far."""


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps the store. `event_retention_s` is how long events are kept."""

    objects: ObjectListing
    references: References
    event_retention_s: float

    async def sweep(
        self, *, min_age_s: float, after_key: str, report: SweepReport, progress: Progress
    ) -> SweepReport:
        """Sweeps everything older than `min_age_s` that comes after `after_key`.

        Raises:
            SheafError: a service does not answer; what was reported to `progress` is done.
        """
        before = datetime.now(UTC) - timedelta(seconds=min_age_s)
        while page := await self.objects.list(start_after=after_key, limit=_PAGE):
            await self._sweep_page(page, before, report)
            after_key = page[-1].key
            progress(after_key, report)
        report.uploads_aborted += await self.objects.abort_stale_uploads(min_age_s=min_age_s)
        while deleted := await self.references.prune_events(min_age_s=self.event_retention_s):
            report.events_deleted += deleted
            progress(after_key, report)
        return report

    async def _sweep_page(
        self, page: Sequence[StoredObject], before: datetime, report: SweepReport
    ) -> None:
        old = [
            (stored, document_id_of(stored.key)) for stored in page if stored.modified_at < before
        ]
        ids = sorted({identifier for _, identifier in old if identifier is not None})
        rows = await self.references.of(ids) if ids else {}
        orphans = [stored.key for stored, found in old if _is_orphan(found, rows, before)]
        losing = [stored.key for stored, found in old if _is_losing(stored.key, found, rows)]
        unknown = [stored.key for stored, found in old if found is None]
        if orphans or losing:
            await self.objects.delete([*orphans, *losing])
            log.info("swept", orphans=orphans[:20], losing_results=losing[:20])
        if unknown:
            log.warning("keys that no document has", count=len(unknown), examples=unknown[:5])
        report.objects_examined += len(page)
        report.orphans_deleted += len(orphans)
        report.losing_results_deleted += len(losing)
        report.unknown_keys += len(unknown)


def document_id_of(key: str) -> str | None:
    """The document that a key belongs to; None for a key that Sheaf did not make."""
    match key.split("/"):
        case [prefix, identifier, name] if prefix == _PREFIX and (
            name == _ORIGINAL_NAME or name.startswith("thumb-")
        ):
            return _canonical(identifier)
        case [prefix, identifier, _, name] if prefix == _PREFIX and _is_of_an_attempt(name):
            return _canonical(identifier)
        case _:
            return None


def _is_of_an_attempt(name: str) -> bool:
    """A result, or a part of one that was not put together yet."""
    pages = name.startswith(_PAGES_PREFIX) and name.endswith(_PAGES_SUFFIX)
    return pages or name in {_RESULT_NAME, _BASE_NAME}


def _canonical(text: str) -> str | None:
    try:
        identifier = UUID(text)
        time_of(identifier)
    except (ValueError, InvalidInput):
        return None
    return text if str(identifier) == text else None


def _is_orphan(
    document_id: str | None, rows: Mapping[str, DocumentReferences], before: datetime
) -> bool:
    """No row, and too late for one."""
    return (
        document_id is not None and document_id not in rows and time_of(UUID(document_id)) < before
    )


def _is_losing(key: str, document_id: str | None, rows: Mapping[str, DocumentReferences]) -> bool:
    """A result of a terminal document, or a part of one, that its row does not name."""
    if document_id is None or (row := rows.get(document_id)) is None:
        return False
    return row.terminal and _is_of_an_attempt(key.rpartition("/")[2]) and key not in row.keys
