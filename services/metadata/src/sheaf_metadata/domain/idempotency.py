"""Idempotency keys: who works on one, and what the work ended with."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sheaf_common.errors import Conflict, InvalidInput

MAX_LEASE_S: Final = 300
FINGERPRINT_BYTES: Final = 32
MAX_ANSWER_BYTES: Final = 2**20

# The database compares without spaces at the end, so there are none.
_KEY: Final = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A user's key in the hands of one holder, who is made for one request."""

    user_id: str
    key: str
    holder_id: UUID


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """How the work on a key ends: what it was about, and what its caller keeps to answer again."""

    held: HeldKey
    fingerprint: bytes
    answer: bytes


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What the work on a key has ended with; `registered` is as `Registrations` was given it."""

    fingerprint: bytes
    answer: bytes
    registered: bytes


class KeyAnswered(Exception):
    """What is to be registered was registered by its own holder already, under its key.

    `registered` is what was kept of that.
    """

    def __init__(self, registered: bytes) -> None:
        super().__init__("registered under its key already")
        self.registered = registered


def check_key(held: HeldKey) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if it can be no key."""
    if not _KEY.fullmatch(held.key):
        raise _invalid(
            "idempotency_key",
            "must be 1 to 255 printable ASCII characters, no space at its beginning or end",
        )


def check_lease(lease_ttl_s: float) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, if nobody may hold a key so long."""
    if not 0 < lease_ttl_s <= MAX_LEASE_S:
        raise _invalid("lease_ttl", f"must be more than 0 s and at most {MAX_LEASE_S} s")


def check_outcome(outcome: KeyOutcome) -> None:
    """Raises InvalidInput: `FIELD_INVALID`, naming the field."""
    check_key(outcome.held)
    if len(outcome.fingerprint) != FINGERPRINT_BYTES:
        raise _invalid("idempotency.fingerprint", f"must have {FINGERPRINT_BYTES} bytes")
    if len(outcome.answer) > MAX_ANSWER_BYTES:
        raise _invalid("idempotency.answer", f"must have at most {MAX_ANSWER_BYTES} bytes")


def in_flight(lease_left_s: float) -> Conflict:
    """Another holder works on the key."""
    return Conflict(
        "IDEMPOTENCY_KEY_IN_FLIGHT",
        "a request with this idempotency key is being worked on",
        retry_after_s=lease_left_s,
    )


def key_lost() -> Conflict:
    """The holder has the key no longer."""
    return Conflict("IDEMPOTENCY_KEY_LOST", "another request has taken over this idempotency key")


def _invalid(field: str, problem: str) -> InvalidInput:
    return InvalidInput("FIELD_INVALID", f"{field} {problem}", evidence={"field": field})
