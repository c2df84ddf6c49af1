"""Idempotency keys: who holds one, and what a request under one was about. No I/O."""

import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sheaf_gateway.form import FormEvent, PartEnd, PartStart

KEY_IN_FLIGHT: Final = "IDEMPOTENCY_KEY_IN_FLIGHT"
KEY_LOST: Final = "IDEMPOTENCY_KEY_LOST"

_SCHEME: Final = b"sheaf upload 1\n"
_FILE: Final = b"file"
_FIELD: Final = b"text"
_NO_NAME: Final = 2**32 - 1
_SECRETS: Final = frozenset({"password"})


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A key in the hands of one holder, who is made for one request."""

    key: str
    holder_id: UUID


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """How the work on a key ends: what it was about (32 bytes), and what answers it again."""

    held: HeldKey
    fingerprint: bytes
    answer: bytes


class Fingerprint:
    """What an upload is about, from its parts as they are parsed.

    It covers, in their order, each file's name, size and SHA-256, and each text field's name and
    value; not how the body is framed or cut. The value of a secret goes in under a key that only
    services have, so that whoever reads a fingerprint can try out no passwords.
    """

    def __init__(self, secret_hash: Callable[[], Any]) -> None:
        """`secret_hash` makes what hashes a secret: it has `update` and `digest`."""
        self._secret_hash = secret_hash
        self._whole = hashlib.sha256(_SCHEME)
        self._head = b""
        self._part: Any = hashlib.sha256()
        self._size_bytes = 0

    def take(self, event: FormEvent) -> None:
        """Takes the next event of the form."""
        if isinstance(event, bytes):
            self._part.update(event)
            self._size_bytes += len(event)
        elif isinstance(event, PartStart):
            self._begin(event)
        else:
            self._end(event)

    def digest(self) -> bytes:
        """Of the parts that have ended, 32 bytes."""
        return self._whole.digest()

    def _begin(self, start: PartStart) -> None:
        name = start.filename if start.is_file else start.name
        named = b"" if name is None else name.encode(errors="surrogatepass")
        length = _NO_NAME if name is None else len(named)
        self._head = (_FILE if start.is_file else _FIELD) + struct.pack(">I", length) + named
        is_secret = not start.is_file and start.name in _SECRETS
        self._part = self._secret_hash() if is_secret else hashlib.sha256()
        self._size_bytes = 0

    def _end(self, _: PartEnd) -> None:
        size = struct.pack(">Q", self._size_bytes)
        self._whole.update(self._head + size + self._part.digest())
