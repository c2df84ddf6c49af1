"""What the gateway counts."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from sheaf_common.telemetry.metrics import LATENCY_BUCKETS_S

HTTP_SECONDS: Final = Histogram(
    "sheaf_http_request_seconds",
    "Time to answer an HTTP request, in seconds, by route, method and status.",
    ["route", "method", "status"],
    buckets=LATENCY_BUCKETS_S,
)
UPLOADS_IN_FLIGHT: Final = Gauge("sheaf_uploads_in_flight", "Uploads that are being received.")
UPLOADS_LIMIT: Final = Gauge("sheaf_uploads_limit", "Most uploads at once.")
BUFFER_BYTES: Final = Gauge("sheaf_upload_buffer_bytes", "Body bytes held for all uploads.")
BUFFER_LIMIT: Final = Gauge("sheaf_upload_buffer_limit_bytes", "Most body bytes held.")
PUTS_IN_FLIGHT: Final = Gauge("sheaf_upload_puts_in_flight", "Files that are being stored.")
PUT_CONCURRENCY: Final = Histogram(
    "sheaf_upload_put_concurrency",
    "Files of one upload that were stored at once, at its peak.",
    buckets=(1, 2, 4, 8, 16, 32, 50, 100),
)
ADMISSION_REFUSALS: Final = Counter(
    "sheaf_admission_refusals_total", "Uploads refused before they were read, by cause.", ["cause"]
)
FILES_ACCEPTED: Final = Counter("sheaf_files_accepted_total", "Files that were accepted.")
FILES_REJECTED: Final = Counter(
    "sheaf_files_rejected_total", "Files that were rejected, by reason.", ["reason"]
)
CLEANUP_FAILURES: Final = Counter(
    "sheaf_upload_cleanup_failures_total", "Failed uploads whose objects were left to the sweep."
)
