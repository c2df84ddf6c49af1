"""Secrets at rest: sealed under a configured key, opened only where they are needed.

AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce; what a secret belongs to is bound to it
as associated data, so a sealed secret moved to another place does not open. A sealed secret is
`version (1) | key id (4) | nonce (12) | ciphertext and tag`. The key id is the beginning of the
SHA-256 of the key: keys are rotated by putting a new one first and dropping the old one later.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sheaf_common.errors import FailedPrecondition

_VERSION: Final = b"\x01"
_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEADER_BYTES: Final = 1 + _KEY_ID_BYTES + _NONCE_BYTES


class SealingKeys:
    """Keys that seal and open; the first seals, all of them open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """`keys` are of 32 bytes each. Raises `ValueError` for any other, or for none."""
        if not keys:
            raise ValueError("at least one key is needed")
        if any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError(f"a key must have {_KEY_BYTES} bytes")
        self._first = _id_of(keys[0])
        self._hash_key = hmac.digest(keys[-1], b"sheaf keyed hash 1", "sha256")
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys as a variable holds them: base64 of 32 bytes each, comma between.

        Raises `ValueError` without the text, which is secret.
        """
        try:
            keys = [base64.b64decode(part.strip(), validate=True) for part in text.split(",")]
        except binascii.Error:
            raise ValueError("keys must be base64, comma between them") from None
        return cls(keys)

    def seal(self, secret: bytes, *, belongs_to: str) -> bytes:
        """The secret, sealed under the first key for what it belongs to."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._first].encrypt(nonce, secret, belongs_to.encode())
        return _VERSION + self._first + nonce + sealed

    def keyed_hash(self) -> hmac.HMAC:
        """An HMAC with SHA-256, under a key that is made of the oldest of these.

        What it says of a secret stays the same while new keys are added.
        """
        return hmac.new(self._hash_key, digestmod=sha256)

    def open(self, sealed: bytes, *, belongs_to: str) -> bytes:
        """The secret.

        Raises:
            FailedPrecondition: `SEAL_UNKNOWN`, no key here sealed it; `SEAL_BROKEN`, it was
                changed, or belongs to something else.
        """
        cipher = self._ciphers.get(sealed[1 : 1 + _KEY_ID_BYTES])
        if sealed[:1] != _VERSION or cipher is None:
            raise FailedPrecondition("SEAL_UNKNOWN", "the secret was sealed under another key")
        nonce, rest = sealed[1 + _KEY_ID_BYTES : _HEADER_BYTES], sealed[_HEADER_BYTES:]
        try:
            return cipher.decrypt(nonce, rest, belongs_to.encode())
        except InvalidTag:
            raise FailedPrecondition(
                "SEAL_BROKEN", "the sealed secret was changed or belongs to something else"
            ) from None


def _id_of(key: bytes) -> bytes:
    return sha256(key).digest()[:_KEY_ID_BYTES]
