"""Agile encryption of OOXML, as Office writes it since 2010. Source: [MS-OFFCRYPTO] 2.3.4.10-15."""

import base64
import hashlib
import hmac
from binascii import Error as Base64Error
from dataclasses import dataclass
from typing import Any, Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

from sheaf_orchestrator.extraction.errors import ExtractionError
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office.ole import damaged
from sheaf_orchestrator.extraction.office.refusing import unsupported
from sheaf_orchestrator.extraction.reasons import Reason

_KEY_DATA: Final = "{http://schemas.microsoft.com/office/2006/encryption}keyData"
_INTEGRITY: Final = "{http://schemas.microsoft.com/office/2006/encryption}dataIntegrity"
_PASSWORD: Final = "{http://schemas.microsoft.com/office/2006/keyEncryptor/password}encryptedKey"  # noqa: S105 # the name of an element
_HASHES: Final = {"SHA1": 20, "SHA256": 32, "SHA384": 48, "SHA512": 64}
_BLOCK_BYTES: Final = 16
_KEY_BITS: Final = frozenset({128, 192, 256})
_FIELD_BYTES: Final = 1_024
_SEGMENT_BYTES: Final = 4_096
_SIZE_BYTES: Final = 8

_FOR_VERIFIER: Final = b"\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79"
_FOR_VERIFIER_HASH: Final = b"\xd7\xaa\x0f\x6d\x30\x61\x34\x4e"
_FOR_KEY: Final = b"\x14\x6e\x0b\xe7\xab\xac\xd0\xd6"
_FOR_HMAC_KEY: Final = b"\x5f\xb2\xad\x01\x0c\xb9\xe1\xf6"
_FOR_HMAC_VALUE: Final = b"\xa0\x67\x7f\x02\xb2\x2c\x84\x33"


@dataclass(frozen=True, slots=True)
class _Cipher:
    """How one of the two layers is encrypted: the key by the password, the package by the key."""

    salt: bytes
    hash_name: str
    key_bytes: int

    @classmethod
    def of(cls, element: Any) -> Self:
        """As the element says. Raises ExtractionError: ENCRYPTED (not a method that is read)."""
        name = element.get("hashAlgorithm", "").upper().replace("-", "")
        bits = _number(element, "keyBits")
        if (
            name not in _HASHES
            or element.get("cipherAlgorithm") != "AES"
            or element.get("cipherChaining") != "ChainingModeCBC"
            or _number(element, "blockSize") != _BLOCK_BYTES
            or bits not in _KEY_BITS
        ):
            raise unsupported()
        return cls(_bytes(element, "saltValue"), name.lower(), bits // 8)

    def hash(self, *parts: bytes) -> bytes:
        return hashlib.new(self.hash_name, b"".join(parts)).digest()

    def decrypt(self, key: bytes, start: bytes, data: bytes) -> bytes:
        """CBC; ``start`` is cut or filled to a block. Raises ExtractionError: DAMAGED."""
        if not data or len(data) % _BLOCK_BYTES:
            raise damaged("what opens it has not the length that it should have")
        vector = fitted(start, _BLOCK_BYTES)
        decryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor()
        return decryptor.update(data) + decryptor.finalize()


class AgileLock:
    """What the stream ``EncryptionInfo`` says of a package. Holds no password."""

    def __init__(self, description: bytes, limits: Limits) -> None:
        """Read it.

        Raises ExtractionError: DAMAGED, ENCRYPTED (not a method that is read), TIME_LIMIT (more
        rounds of hashing than are done).
        """
        root = _tree(description)
        data, wrapped = root.find(_KEY_DATA), next(root.iter(_PASSWORD), None)
        if data is None or wrapped is None:
            raise unsupported()
        self._data, self._wrapping = _Cipher.of(data), _Cipher.of(wrapped)
        self._integrity = root.find(_INTEGRITY)
        self._rounds = _number(wrapped, "spinCount")
        if self._rounds > limits.password_rounds:
            message = (
                f"Opening the document takes {self._rounds} rounds of hashing;"
                f" at most {limits.password_rounds} are done."
            )
            raise ExtractionError(Reason.TIME_LIMIT, message)
        self._verifier = _bytes(wrapped, "encryptedVerifierHashInput")
        self._verifier_hash = _bytes(wrapped, "encryptedVerifierHashValue")
        self._wrapped_key = _bytes(wrapped, "encryptedKeyValue")

    def key(self, password: str) -> bytes | None:
        """The key of the package; None if it is not the password. Raises as ``decrypt``."""
        digest = self._wrapping.hash(self._wrapping.salt, password.encode("utf-16-le"))
        new = getattr(hashlib, self._wrapping.hash_name)
        for number in range(self._rounds):
            digest = new(number.to_bytes(4, "little") + digest).digest()
        verifier = self._unwrap(digest, _FOR_VERIFIER, self._verifier)
        told = self._unwrap(digest, _FOR_VERIFIER_HASH, self._verifier_hash)
        expected = self._wrapping.hash(verifier[: len(self._wrapping.salt)])
        if not hmac.compare_digest(told[: len(expected)], expected):
            return None
        return self._unwrap(digest, _FOR_KEY, self._wrapped_key)[: self._data.key_bytes]

    def _unwrap(self, digest: bytes, purpose: bytes, data: bytes) -> bytes:
        key = fitted(self._wrapping.hash(digest, purpose), self._wrapping.key_bytes)
        return self._wrapping.decrypt(key, self._wrapping.salt, data)

    def is_whole(self, key: bytes, encrypted: bytearray) -> bool:
        """Whether the package is what was locked, by its HMAC; one without any is not."""
        if self._integrity is None:
            return False
        told = []
        for name, purpose in (
            ("encryptedHmacKey", _FOR_HMAC_KEY),
            ("encryptedHmacValue", _FOR_HMAC_VALUE),
        ):
            start = self._data.hash(self._data.salt, purpose)
            value = self._data.decrypt(key, start, _bytes(self._integrity, name))
            told.append(value[: _HASHES[self._data.hash_name.upper()]])
        return hmac.compare_digest(hmac.digest(told[0], encrypted, self._data.hash_name), told[1])

    def decrypt(self, key: bytes, package: bytearray) -> None:
        """Turn the stream into the package, in place. Raises ExtractionError: DAMAGED."""
        size = take_size(package)
        aes = algorithms.AES(key)
        with memoryview(package) as view:
            for number, at in enumerate(range(0, len(view), _SEGMENT_BYTES)):
                segment = view[at : at + _SEGMENT_BYTES]
                start = self._data.hash(self._data.salt, number.to_bytes(4, "little"))
                vector = fitted(start, _BLOCK_BYTES)
                segment[:] = Cipher(aes, modes.CBC(vector)).decryptor().update(segment)
                segment.release()
        del package[size:]


def take_size(stream: bytearray) -> int:
    """Cut the size of the package from the head of its stream, and half a block from the end.

    Raises ExtractionError: DAMAGED (less of it than it says).
    """
    size = int.from_bytes(stream[:_SIZE_BYTES], "little")
    del stream[:_SIZE_BYTES]
    del stream[len(stream) - len(stream) % _BLOCK_BYTES :]
    if size > len(stream):
        raise damaged("less is encrypted in it than it says")
    return size


def fitted(data: bytes, size: int) -> bytes:
    """Cut, or filled as [MS-OFFCRYPTO] 2.3.4.11 says."""
    return data[:size].ljust(size, b"\x36")


def _tree(description: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
    try:
        return etree.fromstring(description, parser)
    except etree.XMLSyntaxError as error:
        raise damaged("how it is encrypted cannot be read") from error


def _number(element: Any, name: str) -> int:
    text = element.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004 # of 32 bits
        raise damaged("how it is encrypted cannot be read")
    return int(text)


def _bytes(element: Any, name: str) -> bytes:
    text = element.get(name, "")
    try:
        value = base64.b64decode(text, validate=True) if len(text) <= _FIELD_BYTES else b""
    except (Base64Error, ValueError) as error:
        raise damaged("how it is encrypted cannot be read") from error
    if not value:
        raise damaged("how it is encrypted cannot be read")
    return value
