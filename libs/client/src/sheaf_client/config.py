"""Where the server is and how patient the client is."""

import os
from dataclasses import dataclass
from typing import Final, Self

import httpx

_UPLOAD_S: Final = 300.0
_CONNECT_S: Final = 5.0
_MAX_CONNECTIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Config:
    """What both clients need to know."""

    base_url: str
    api_key: str
    timeout_s: float
    max_tries: int

    @classmethod
    def of(
        cls, base_url: str | None, api_key: str | None, timeout_s: float, max_tries: int
    ) -> Self:
        """What is not given comes from SHEAF_URL and SHEAF_API_KEY. Raises ValueError."""
        url = base_url or os.environ.get("SHEAF_URL")
        key = api_key or os.environ.get("SHEAF_API_KEY")
        if not url or not key:
            raise ValueError("base_url and api_key are needed (or SHEAF_URL and SHEAF_API_KEY)")
        return cls(url.rstrip("/"), key, timeout_s, max_tries)

    @property
    def headers(self) -> dict[str, str]:
        """Sent with every request."""
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def limits(self) -> httpx.Limits:
        """Connections at once."""
        return httpx.Limits(max_connections=_MAX_CONNECTIONS)

    @property
    def upload_timeout(self) -> httpx.Timeout:
        """The answer to an upload comes when the last file is stored."""
        return httpx.Timeout(_UPLOAD_S, connect=_CONNECT_S)

    def timeout(self, wait_s: float) -> httpx.Timeout:
        """Of a read that may wait for `wait_s` on the server."""
        return httpx.Timeout(self.timeout_s + wait_s, connect=_CONNECT_S)
