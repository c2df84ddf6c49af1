"""Standard encryption of OOXML, as Office 2007 writes it. Source: [MS-OFFCRYPTO] 2.3.4.5-9."""

import hashlib
import hmac
import struct
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sheaf_orchestrator.extraction.office.agile import take_size
from sheaf_orchestrator.extraction.office.ole import damaged
from sheaf_orchestrator.extraction.office.refusing import unsupported

_HEADER: Final = struct.Struct("<II 8x I I I")
"""Flags of the stream, bytes of the header; of that: cipher, hash, bits of the key."""
_VERIFIER: Final = struct.Struct("<I16s16sI32s")
_BITS_OF: Final = {0x660E: 128, 0x660F: 192, 0x6610: 256}
_SHA1: Final = frozenset({0, 0x8004})
_SALT_BYTES, _SHA1_BYTES = 16, 20
_PIECE_BYTES: Final = 1024 * 1024
_ROUNDS: Final = 50_000
"""Rounds of hashing: always these."""


class StandardLock:
    """What the stream ``EncryptionInfo`` says of a package, after its version."""

    def __init__(self, description: bytes) -> None:
        """Read it. Raises ExtractionError: DAMAGED, ENCRYPTED (not a method that is read)."""
        try:
            _, header_bytes, cipher, digest, bits = _HEADER.unpack_from(description)
            salt_bytes, self._salt, self._verifier, _, self._verifier_hash = _VERIFIER.unpack_from(
                description, 8 + header_bytes
            )
        except struct.error as error:
            raise damaged("how it is encrypted cannot be read") from error
        expected = _BITS_OF.get(cipher)
        if expected is None or bits != expected or digest not in _SHA1:
            raise unsupported()
        if salt_bytes != _SALT_BYTES:
            raise damaged("how it is encrypted cannot be read")
        self._key_bytes = bits // 8

    def key(self, password: str) -> bytes | None:
        """The key of the package; None if it is not the password."""
        digest = _sha1(self._salt + password.encode("utf-16-le"))
        for number in range(_ROUNDS):
            digest = _sha1(number.to_bytes(4, "little") + digest)
        digest = _sha1(digest + bytes(4))
        halves = (_sha1(bytes(a ^ fill for a in digest.ljust(64, b"\0"))) for fill in (0x36, 0x5C))
        key = b"".join(halves)[: self._key_bytes]
        told = _ecb(key, self._verifier_hash)[:_SHA1_BYTES]
        return key if hmac.compare_digest(_sha1(_ecb(key, self._verifier)), told) else None

    def is_whole(self, key: bytes, encrypted: bytearray) -> bool:
        """Yes: this method has nothing by which a change could be seen."""
        del key, encrypted
        return True

    def decrypt(self, key: bytes, package: bytearray) -> None:
        """Turn the stream into the package, in place. Raises ExtractionError: DAMAGED."""
        size = take_size(package)
        with memoryview(package) as view:
            for at in range(0, len(view), _PIECE_BYTES):
                piece = view[at : at + _PIECE_BYTES]
                piece[:] = _ecb(key, piece)
                piece.release()
        del package[size:]


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()  # noqa: S324 # the method's, not our choice


def _ecb(key: bytes, data: bytes | memoryview) -> bytes:
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(data)  # noqa: S305 # as above
