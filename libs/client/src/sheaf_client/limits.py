"""What a server's headers say of when to come back."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_ITEM: Final = re.compile(r'\s*"?(?P<name>[^";,]*)"?\s*(?P<parameters>(?:;[^,]*)?)')
_PARAMETER: Final = re.compile(r";\s*([a-z]+)=([0-9]{1,9})")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The rate that the key has, and what is left of it; None where it was not told.

    `quota` requests in each `window_s`; `remaining` of them, for the next `reset_s`.
    """

    quota: int | None
    window_s: int | None
    remaining: int | None
    reset_s: int | None


def retry_after_s(value: str | None, *, now: datetime | None = None) -> float | None:
    """Seconds to wait by a Retry-After header: a number of seconds, or an HTTP date.

    A date that is past means no wait; None if there is no header, or it is neither.
    """
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def rate_limit_of(headers: Mapping[str, str]) -> RateLimit | None:
    """The RateLimit and RateLimit-Policy headers (draft-ietf-httpapi-ratelimit-headers)."""
    policy = _first_item(headers.get("ratelimit-policy"))
    state = _first_item(headers.get("ratelimit"))
    if not policy and not state:
        return None
    return RateLimit(policy.get("q"), policy.get("w"), state.get("r"), state.get("t"))


def _first_item(value: str | None) -> dict[str, int]:
    found = _ITEM.match(value or "")
    parameters = found.group("parameters") if found else ""
    return {name: int(number) for name, number in _PARAMETER.findall(parameters)}
