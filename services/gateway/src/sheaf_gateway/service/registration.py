"""Registering a batch: from its commit on the documents cannot be lost."""

import asyncio
import time
from dataclasses import replace
from typing import Final

import structlog

from sheaf_common import context
from sheaf_common.backoff import backoff_s
from sheaf_common.errors import ErrorKind, SheafError
from sheaf_gateway.domain.registration import NewBatch, Registered
from sheaf_gateway.idempotency import KEY_LOST
from sheaf_gateway.ports.records import Records

log = structlog.get_logger()

_BACKOFF_BASE_S: Final = 0.05
_BACKOFF_LIMIT_S: Final = 1.0
_TRY_S: Final = 4.0
_REFUSED_BEFORE_WORK: Final = frozenset({ErrorKind.OVER_CAPACITY})


class RegistrationRefused(Exception):
    """The batch is definitely not registered; `error` says why."""

    def __init__(self, error: SheafError) -> None:
        super().__init__(str(error))
        self.error = error


class Registrar:
    """Registers batches; calls again after a transient error or an unknown outcome.

    Registering is idempotent by document id, so to call again is also how a commit whose
    outcome is unknown is read.
    """

    def __init__(self, records: Records, timeout_s: float) -> None:
        self._records = records
        self._timeout_s = timeout_s

    async def register(self, batch: NewBatch) -> Registered:
        """What is recorded, or can be reused. Has its own deadline, whatever the request's is.

        Raises:
            RegistrationRefused: nothing is registered.
            SheafError: whether the batch is registered could not be learned.
        """
        deadline = time.monotonic() + self._timeout_s
        request = context.current() or context.RequestContext(context.new_request_id())
        outcome_unknown = False
        tries = 0
        with context.bound(replace(request, deadline=deadline)):
            while True:
                try:
                    return await self._records.register(
                        batch, timeout_s=min(_TRY_S, self._timeout_s)
                    )
                except SheafError as error:
                    if error.reason == KEY_LOST:
                        # Had an earlier try been committed, this one would have found it.
                        raise RegistrationRefused(error) from error
                    refused = not error.retryable or error.kind in _REFUSED_BEFORE_WORK
                    outcome_unknown = outcome_unknown or not refused
                    pause_s = backoff_s(tries, base_s=_BACKOFF_BASE_S, limit_s=_BACKOFF_LIMIT_S)
                    late = time.monotonic() + pause_s >= deadline
                    if late or not error.retryable:
                        if outcome_unknown:
                            log.exception(
                                "registration has no known outcome", batch_id=str(batch.batch_id)
                            )
                            raise
                        raise RegistrationRefused(error) from error
                    tries += 1
                    log.warning("registration is tried again", reason=error.reason, tries=tries)
                    await asyncio.sleep(pause_s)
