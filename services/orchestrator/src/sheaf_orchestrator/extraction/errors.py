"""The errors of extraction.

::

    ExtractionError            raised by an extractor, inside the subprocess
    PoolError                  raised by ExtractionPool, in the parent
    ├── ExtractionFailed       the document's own fault; another attempt gives the same
    ├── WorkerDied             its subprocess was killed or died; worth one attempt alone
    ├── Quarantined            it died twice (raised by extract_with_retry)
    ├── PoolBusy               too many callers wait already, or the wait was too long
    ├── WorkersUnavailable     subprocesses do not start
    └── PoolClosed             the pool was closed before the document was done
"""

from sheaf_orchestrator.extraction.reasons import Reason


class ExtractionError(Exception):
    """An extractor's verdict: this document has no result, for ``reason``."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class PoolError(Exception):
    """Base of what ``ExtractionPool.extract`` raises."""

    retryable = False


class ExtractionFailed(PoolError):
    """The document cannot be extracted, noticed inside the subprocess; never worth a retry."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(f"{reason.value}: {message}")
        self.reason = reason
        self.message = message


class WorkerDied(PoolError):
    """The subprocess was killed or died while it worked on the document.

    ``reason`` is CRASHED, TIME_LIMIT or MEMORY_LIMIT; ``evidence`` tells how it ended and
    carries the tail of its standard error (bounded). It may hold parts of the document: for
    logs, not for clients.
    """

    retryable = True

    def __init__(self, reason: Reason, evidence: str) -> None:
        super().__init__(f"{reason.value}: {evidence}")
        self.reason = reason
        self.evidence = evidence


class Quarantined(PoolError):
    """The document ended two subprocesses, the second one fresh and with nothing else in it.

    ``reason`` is that of the second death; ``evidence`` holds both.
    """

    def __init__(self, reason: Reason, evidence: tuple[str, str]) -> None:
        super().__init__(f"{reason.value}: {evidence[1]}")
        self.reason = reason
        self.evidence = evidence


class PoolBusy(PoolError):
    """No subprocess came free in time, or the queue of callers is full. Try again later."""

    retryable = True


class WorkersUnavailable(PoolError):
    """Subprocesses fail to start; ``evidence`` is the last failure with its standard error."""

    retryable = True

    def __init__(self, evidence: str) -> None:
        super().__init__(f"extraction subprocesses do not start: {evidence}")
        self.evidence = evidence


class PoolClosed(PoolError):
    """The pool is closed. The document is innocent: it may run elsewhere."""

    retryable = True
