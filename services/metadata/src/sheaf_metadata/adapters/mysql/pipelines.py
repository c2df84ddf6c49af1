"""Which versions of the pipeline are in use: those that claim documents."""

import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import text

from sheaf_common.errors import SheafError
from sheaf_common.pools.database_connection import SqlConnection
from sheaf_metadata.adapters.mysql.database import Database

log = structlog.get_logger()

_NOTE_S: Final = 30.0
_REMEMBER_S: Final = 10.0

# PRIMARY. A row for each release that ever claimed.
_NOTE: Final = text(
    "INSERT INTO pipeline (version, seen_at) VALUES (:version, UTC_TIMESTAMP(6))"
    " ON DUPLICATE KEY UPDATE seen_at = UTC_TIMESTAMP(6)"
)
# All of it. During a rolling upgrade two versions claim; while none does, the last stays.
_CURRENT: Final = text(
    "SELECT version FROM pipeline"
    " WHERE seen_at >= (SELECT MAX(seen_at) FROM pipeline) - INTERVAL 2 MINUTE"
)


class MysqlPipelines:
    """`Pipelines` in MySQL. A version is written each 30 s, and the versions read each 10 s."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._noted: dict[str, float] = {}
        self._current: frozenset[str] = frozenset()
        self._read_at: float | None = None

    async def note(self, version: str) -> None:
        """See `Pipelines`."""
        now = self._clock()
        if now - self._noted.get(version, -_NOTE_S) < _NOTE_S:
            return
        # Only versions that are noted still: a claimer that changes its name makes no long list.
        self._noted = {each: at for each, at in self._noted.items() if now - at < _NOTE_S}
        self._noted[version] = now

        async def write(connection: SqlConnection) -> None:
            await connection.execute(_NOTE, {"version": version})

        try:
            await self._database.transaction("note_pipeline", write)
        except SheafError as error:
            del self._noted[version]
            log.warning("the pipeline's version is not noted", version=version, error=str(error))
        if version not in self._current:
            self._read_at = None

    async def current(self) -> frozenset[str]:
        """The versions seen within 2 minutes of the one seen last; none if none ever was.

        Raises:
            SheafError: as `Database.reading`.
        """
        now = self._clock()
        if self._read_at is None or now - self._read_at >= _REMEMBER_S:
            async with self._database.reading("current_pipelines") as connection:
                self._current = frozenset((await connection.execute(_CURRENT)).scalars())
            self._read_at = now
        return self._current
