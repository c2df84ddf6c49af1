"""The variables of admission: how much is taken on at once."""

from sheaf_common.settings import SettingsGroup, variable


class AdmissionSettings(SettingsGroup):
    """When uploads are refused because of what waits, and what one gateway takes on at once."""

    max_backlog_age_s: float = variable(
        "ADMISSION_MAX_BACKLOG_AGE_S",
        300.0,
        "seconds that the oldest queued text document may wait; beyond, uploads are answered 429",
        gt=0,
        le=86_400,
    )
    max_ocr_backlog_age_s: float | None = variable(
        "ADMISSION_MAX_OCR_BACKLOG_AGE_S",
        None,
        "the same of the OCR lane; unset, a flood of scans shuts nobody out",
        gt=0,
        le=86_400,
    )
    max_requests: int = variable(
        "GATEWAY_MAX_REQUESTS",
        2048,
        "requests worked on at once, but for uploads and those that wait; more are answered 429",
        ge=1,
        le=100_000,
    )
    max_connections: int = variable(
        "GATEWAY_MAX_CONNECTIONS",
        8192,
        "connections at once; on more only /ht/, /livez and /metrics are answered, else 503",
        ge=1,
        le=1_000_000,
    )
    write_timeout_s: float = variable(
        "GATEWAY_WRITE_TIMEOUT_S",
        60.0,
        "seconds in which a client must take some of the answer that waits for it",
        gt=0,
        le=3600,
    )

    def limits_s(self) -> dict[str, float]:
        """The lanes that are bounded, with the highest age in seconds."""
        limits = {"text": self.max_backlog_age_s, "ocr": self.max_ocr_backlog_age_s}
        return {lane: limit for lane, limit in limits.items() if limit is not None}
