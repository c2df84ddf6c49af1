"""RC4 of the binary Office formats, plain and by CryptoAPI. Source: [MS-OFFCRYPTO] 2.3.5, 2.3.6.

Weak by design: it tells who has the password from who has not, and shows no change.
"""

import hashlib
import hmac
import struct
from collections.abc import Callable
from typing import Final, Self

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from sheaf_orchestrator.extraction.office.ole import damaged
from sheaf_orchestrator.extraction.office.refusing import locked, unsupported

_PLAIN: Final = (1, 1)
_CRYPTO_API: Final = frozenset({(2, 2), (3, 2), (4, 2)})
_PLAIN_HEADER: Final = struct.Struct("<4x16s16s16s")
_API_HEADER: Final = struct.Struct("<4x4xI8xIII")
"""After the version: bytes of the header; in it: cipher, hash, bits of the key."""
_API_VERIFIER: Final = struct.Struct("<I16s16sI20s")
_RC4, _SHA1 = 0x6801, 0x8004
_LEAST_BITS, _MOST_BITS = 40, 128
_KEY_BYTES: Final = 16


class Rc4Key:
    """Decrypts the streams of one document; ``key_of`` gives the key of a block."""

    def __init__(self, key_of: Callable[[int], bytes]) -> None:
        self._key_of = key_of

    @classmethod
    def opened(cls, header: bytes, password: bytes | None) -> Self:
        """By the header of the encryption, its version first.

        Raises ExtractionError: ENCRYPTED (no password, a wrong one, a method that is not read),
        DAMAGED.
        """
        if not password:
            raise locked(None)
        spelled = password.decode(errors="replace").encode("utf-16-le")
        try:
            version = struct.unpack_from("<HH", header)
            if version == _PLAIN:
                salt, verifier, told = _PLAIN_HEADER.unpack_from(header)
                key, digest = cls(_plain_keys(spelled, salt)), hashlib.md5
            elif version in _CRYPTO_API:
                salt, verifier, told, key_bytes = _api_header(header)
                key, digest = cls(_api_keys(spelled, salt, key_bytes)), hashlib.sha1
            else:
                raise unsupported()
        except struct.error as error:
            raise damaged("how it is encrypted cannot be read") from error
        shown = key.object(verifier + told, 0)
        if not hmac.compare_digest(digest(shown[:16]).digest(), shown[16:]):
            raise locked(password)
        return key

    def object(self, data: bytes | memoryview, block: int) -> bytes:
        """Bytes that are one block, whatever their number."""
        return Cipher(ARC4(self._key_of(block)), None).decryptor().update(data)

    def stream(self, data: bytes, block_bytes: int) -> bytearray:
        """A stream whose key changes after so many bytes."""
        view, out = memoryview(data), bytearray()
        for block, at in enumerate(range(0, len(view), block_bytes)):
            out += self.object(view[at : at + block_bytes], block)
        return out


def _plain_keys(password: bytes, salt: bytes) -> Callable[[int], bytes]:
    base = _md5((_md5(password)[:5] + salt) * 16)[:5]
    return lambda block: _md5(base + block.to_bytes(4, "little"))


def _api_keys(password: bytes, salt: bytes, key_bytes: int) -> Callable[[int], bytes]:
    base = _sha1(salt + password)

    def key_of(block: int) -> bytes:
        key = _sha1(base + block.to_bytes(4, "little"))[:key_bytes]
        return key.ljust(_KEY_BYTES, b"\0") if key_bytes * 8 == _LEAST_BITS else key

    return key_of


def _api_header(header: bytes) -> tuple[bytes, bytes, bytes, int]:
    """Salt, verifier, its hash, bytes of the key."""
    size, cipher, digest, bits = _API_HEADER.unpack_from(header)
    salt_bytes, salt, verifier, _, told = _API_VERIFIER.unpack_from(header, 12 + size)
    bits = bits or _LEAST_BITS
    if cipher not in {0, _RC4} or digest not in {0, _SHA1}:
        raise unsupported()
    if not _LEAST_BITS <= bits <= _MOST_BITS or bits % 8 or salt_bytes != len(salt):
        raise damaged("how it is encrypted cannot be read")
    return salt, verifier, told, bits // 8


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data).digest()  # noqa: S324 # the method's, not our choice


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()  # noqa: S324 # the method's, not our choice
