"""What the gateway counts."""

from typing import Final

from sheaf_common.telemetry import catalogue

HTTP_SECONDS: Final = catalogue.HTTP_REQUEST_SECONDS.histogram()
HTTP_IN_FLIGHT: Final = catalogue.HTTP_REQUESTS_IN_FLIGHT.gauge()
LONG_POLLS_WAITING: Final = catalogue.LONG_POLLS_WAITING.gauge()
LONG_POLLS_LIMIT: Final = catalogue.LONG_POLLS_LIMIT.gauge()
EVENT_STREAMS: Final = catalogue.EVENT_STREAMS.gauge()
EVENT_STREAMS_LIMIT: Final = catalogue.EVENT_STREAMS_LIMIT.gauge()
EVENTS_SENT: Final = catalogue.EVENTS_SENT.counter()
EVENT_CATCH_UPS: Final = catalogue.EVENT_CATCH_UPS.counter()
UPLOADS_IN_FLIGHT: Final = catalogue.UPLOADS_IN_FLIGHT.gauge()
UPLOADS_LIMIT: Final = catalogue.UPLOADS_LIMIT.gauge()
BUFFER_BYTES: Final = catalogue.UPLOAD_BUFFER_BYTES.gauge()
BUFFER_LIMIT: Final = catalogue.UPLOAD_BUFFER_LIMIT_BYTES.gauge()
PUTS_IN_FLIGHT: Final = catalogue.UPLOAD_PUTS_IN_FLIGHT.gauge()
PUT_CONCURRENCY: Final = catalogue.UPLOAD_PUT_CONCURRENCY.histogram()
ADMISSION_REFUSALS: Final = catalogue.ADMISSION_REFUSALS.counter()
FILES_ACCEPTED: Final = catalogue.FILES_ACCEPTED.counter()
FILES_REJECTED: Final = catalogue.FILES_REJECTED.counter()
DUPLICATES: Final = catalogue.DUPLICATES.counter()
CLEANUP_FAILURES: Final = catalogue.UPLOAD_CLEANUP_FAILURES.counter()
RATE_LIMITED: Final = catalogue.RATE_LIMITED_REQUESTS.counter()
BACKLOG_AGE: Final = catalogue.ADMISSION_BACKLOG_AGE.gauge()
HTTP_REFUSALS: Final = catalogue.HTTP_REFUSALS.counter()
PLACES_TAKEN: Final = catalogue.HTTP_PLACES_TAKEN.gauge()
PLACES_LIMIT: Final = catalogue.HTTP_PLACES_LIMIT.gauge()
CONNECTIONS: Final = catalogue.HTTP_CONNECTIONS.gauge()
CONNECTIONS_LIMIT: Final = catalogue.HTTP_CONNECTIONS_LIMIT.gauge()

# There from the start, so that the first of each is an increase.
for _cause in ("backlog", "dependency", "uploads", "buffer"):
    ADMISSION_REFUSALS.labels(_cause)
for _cause in ("requests", "connections", "stalled"):
    HTTP_REFUSALS.labels(_cause)
for _cause in ("resume", "slow"):
    EVENT_CATCH_UPS.labels(_cause)
