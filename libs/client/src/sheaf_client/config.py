"""Where the server is and how patient the client is."""

import os
from dataclasses import dataclass, field
from typing import Final, Self

import httpx

_CONNECT_S: Final = 5.0
_MAX_CONNECTIONS: Final = 200
_PRINTABLE: Final = range(0x21, 0x7F)


@dataclass(frozen=True, slots=True)
class Config:
    """What both clients need to know."""

    base_url: str
    api_key: str = field(repr=False)
    timeout_s: float
    upload_timeout_s: float
    max_tries: int
    max_elapsed_s: float

    @classmethod
    def of(
        cls,
        base_url: str | None,
        api_key: str | None,
        *,
        timeout_s: float,
        upload_timeout_s: float,
        max_tries: int,
        max_elapsed_s: float,
    ) -> Self:
        """What is not given comes from SHEAF_URL and SHEAF_API_KEY. Raises ValueError."""
        url = base_url or os.environ.get("SHEAF_URL")
        key = api_key or os.environ.get("SHEAF_API_KEY")
        if not url or not key:
            raise ValueError("base_url and api_key are needed (or SHEAF_URL and SHEAF_API_KEY)")
        if not all(ord(character) in _PRINTABLE for character in key):
            raise ValueError("the API key has characters that no key has")
        for name, value in (
            ("timeout_s", timeout_s),
            ("upload_timeout_s", upload_timeout_s),
            ("max_tries", max_tries),
        ):
            if value <= 0:
                raise ValueError(f"{name} must be above 0")
        return cls(_address(url), key, timeout_s, upload_timeout_s, max_tries, max_elapsed_s)

    @property
    def headers(self) -> dict[str, str]:
        """Sent with every request."""
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def limits(self) -> httpx.Limits:
        """Connections at once."""
        return httpx.Limits(max_connections=_MAX_CONNECTIONS)

    @property
    def shown(self) -> str:
        """The address as it may be shown: without what may stand before an `@` in it."""
        return str(httpx.URL(self.base_url).copy_with(username=None, password=None))

    def timeout(self, wait_s: float) -> httpx.Timeout:
        """Of each wait for the network, in a call whose answer may be `wait_s` in coming."""
        return httpx.Timeout(self.timeout_s + wait_s, connect=min(_CONNECT_S, self.timeout_s))


def _address(url: str) -> str:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"base_url is no address: {error}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError("base_url must be an address that begins with http:// or https://")
    return url.rstrip("/")
