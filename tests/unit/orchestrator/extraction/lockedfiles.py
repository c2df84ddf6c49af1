"""Office files locked with a password, for tests; the ciphers are not those of our own readers."""

import base64
import hashlib
import hmac
import io
import os
import struct

import olefile
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msoffcrypto.method.ecma376_agile import ECMA376Agile
from msoffcrypto.method.ecma376_standard import ECMA376Standard
from msoffcrypto.method.rc4 import DocumentRC4
from msoffcrypto.method.rc4_cryptoapi import DocumentRC4CryptoAPI
from unit.orchestrator.extraction import officefiles
from unit.orchestrator.extraction.oles import ole

_ENCRYPTION = "http://schemas.microsoft.com/office/2006/encryption"
_SALT = bytes(range(16))
_VERIFIER = bytes(range(16, 32))


def agile(package: bytes | bytearray, password: str, rounds: int = 1_000) -> bytearray:
    """As Office writes it since 2013: AES-256, SHA-512; written by msoffcrypto.

    Its container holds a package only if it has 4,096 bytes or more.
    """
    assert len(package) >= 4096  # as said
    return bytearray(ECMA376Agile.encrypt(password, io.BytesIO(package), spin_count=rounds))


def agile_2010(package: bytes | bytearray, password: str, rounds: object = 1_000) -> bytes:
    """As Office 2010 writes it: AES-128, SHA-1, whose hash is shorter than two blocks."""
    done = rounds if isinstance(rounds, int) and rounds <= 1_000 else 0  # not a bomb here
    digest = _sha1(_SALT + password.encode("utf-16-le"))
    for number in range(done):
        digest = _sha1(struct.pack("<I", number) + digest)
    key, salt = os.urandom(16), os.urandom(16)
    body = struct.pack("<Q", len(package))
    for number, at in enumerate(range(0, len(package), 4096)):
        segment = bytes(package[at : at + 4096])
        start = _sha1(salt + struct.pack("<I", number))
        body += _cbc(key, start, segment)
    seal = os.urandom(20)
    wrap = [
        _cbc(_sha1(digest + bytes.fromhex(purpose))[:16], _SALT, value)
        for purpose, value in (
            ("fea7d2763b4b9e79", _VERIFIER),
            ("d7aa0f6d3061344e", _sha1(_VERIFIER)),
            ("146e0be7abacd0d6", key),
        )
    ]
    sealed = [
        _cbc(key, _sha1(salt + bytes.fromhex(purpose)), value)
        for purpose, value in (
            ("5fb2ad010cb9e1f6", seal),
            ("a0677f02b22c8433", hmac.digest(seal, body, "sha1")),
        )
    ]
    method = (
        'saltSize="16" blockSize="16" keyBits="128" hashSize="20" cipherAlgorithm="AES"'
        ' cipherChaining="ChainingModeCBC" hashAlgorithm="SHA1"'
    )
    info = (
        f'<encryption xmlns="{_ENCRYPTION}"><keyData {method} saltValue="{_b64(salt)}"/>'
        f'<dataIntegrity encryptedHmacKey="{_b64(sealed[0])}"'
        f' encryptedHmacValue="{_b64(sealed[1])}"/><keyEncryptors><keyEncryptor>'
        f'<p:encryptedKey xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"'
        f' spinCount="{rounds}" {method} saltValue="{_b64(_SALT)}"'
        f' encryptedVerifierHashInput="{_b64(wrap[0])}"'
        f' encryptedVerifierHashValue="{_b64(wrap[1])}" encryptedKeyValue="{_b64(wrap[2])}"/>'
        "</keyEncryptor></keyEncryptors></encryption>"
    )
    return container(struct.pack("<HHI", 4, 4, 0x40) + info.encode(), body)


def standard(package: bytes | bytearray, password: str) -> bytes:
    """As Office 2007 writes it: AES-128 block by block."""
    key = ECMA376Standard.makekey_from_password(
        password, 0x660E, 0x8004, 0x18, 128, len(_SALT), _SALT
    )
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 # the method's
    told = ecb.update(_sha1(_VERIFIER).ljust(32, b"\0"))
    header = struct.pack("<8I", 0x24, 0, 0x660E, 0x8004, 128, 0x18, 0, 0) + b"A\0\0\0"
    info = struct.pack("<HHII", 4, 2, 0x24, len(header)) + header
    info += struct.pack("<I16s16sI32s", 16, _SALT, ecb.update(_VERIFIER), 20, told)
    body = struct.pack("<Q", len(package)) + ecb.update(_filled(bytes(package)))
    return container(info, body)


def container(info: bytes, package: bytes) -> bytes:
    """The OLE container of a locked package."""
    return ole({"EncryptionInfo": info, "EncryptedPackage": package})


def doc(text: str, password: str) -> bytearray:
    """A document of Word 97 with RC4."""
    header, _ = _rc4(password)
    parts = streams(officefiles.doc(text, before=header))
    document = bytearray(_plain_rc4(parts["WordDocument"], password, 512))
    head = bytearray(parts["WordDocument"][:68])
    struct.pack_into("<H2xI", head, 10, 0x0100, len(header))
    document[:68] = head
    table = _plain_rc4(parts["0Table"], password, 512)
    return officefiles.ole({"WordDocument": bytes(document), "0Table": header + table[52:]})


def xls(text: str, password: str) -> bytearray:
    """A workbook of Excel 97 with RC4 by CryptoAPI."""
    header = _api(password)
    file_pass = struct.pack("<HHH", 0x2F, 2 + len(header), 1) + header
    plain = bytes(streams(officefiles.xls({(0, 0): text}))["Workbook"]).rstrip(b"\0") + bytes(3)
    plain = plain[:20] + file_pass + plain[20:]
    locked = bytearray(_by_api(plain, password, 1024))
    at = 0
    while at + 4 <= len(plain):
        kind, size = struct.unpack_from("<HH", plain, at)
        shown = 4 + (size if kind in {0x809, 0x2F} else 0)
        locked[at : at + shown] = plain[at : at + shown]
        if kind == 0x85:  # its place is not encrypted
            (place,) = struct.unpack_from("<I", plain, at + 4)
            struct.pack_into("<I", locked, at + 4, place + len(file_pass))
        at += 4 + size
    return officefiles.ole({"Workbook": bytes(locked)})


def ppt(title: str, text: str, password: str) -> bytearray:
    """A presentation of PowerPoint 97 with RC4 by CryptoAPI, each object a block."""
    plain = streams(officefiles.ppt(title, text))["PowerPoint Document"]
    first = 8 + int.from_bytes(plain[4:8], "little")
    second = first + 8 + int.from_bytes(plain[first + 4 : first + 8], "little")
    stream = _by_api(plain[:first], password, 1 << 20, 1)
    stream += _by_api(plain[first:second], password, 1 << 20, 2)
    stream += officefiles.ppt_record(0x2F14, _api(password), container=True)
    places = struct.pack("<IIII", 3 << 20 | 1, 0, first, second)
    directory = len(stream)
    stream += officefiles.ppt_record(6002, places)
    edit_at = len(stream)
    stream += officefiles.ppt_record(
        4085, struct.pack("<IIIIIIHHI", 256, 0, 0, directory, 1, 3, 0, 0, 3)
    )
    user = struct.pack("<HHIIII", 0, 4086, 20, 20, 0xF3D1C4DF, edit_at).ljust(40, b"\0")
    return officefiles.ole({"PowerPoint Document": stream, "Current User": user})


def streams(content: bytearray) -> dict[str, bytes]:
    """The streams at the root of a container."""
    with olefile.OleFileIO(io.BytesIO(content)) as opened:
        return {path[0]: opened.openstream(path).read() for path in opened.listdir()}


def _rc4(password: str) -> tuple[bytes, bytes]:
    """The header of RC4: version, salt, verifier and its hash."""
    told = _VERIFIER + hashlib.md5(_VERIFIER).digest()  # noqa: S324 # the method's
    header = struct.pack("<HH", 1, 1) + _SALT + _plain_rc4(told, password, 512)
    return header, told


def _plain_rc4(data: bytes, password: str, block_bytes: int) -> bytes:
    shown: bytes = DocumentRC4.decrypt(password, _SALT, io.BytesIO(data), block_bytes).read()
    return shown


def _api(password: str) -> bytes:
    """The header of RC4 by CryptoAPI with a key of 128 bits."""
    header = struct.pack("<8I", 4, 0, 0x6801, 0x8004, 128, 1, 0, 0) + b"A\0\0\0"
    shown = _by_api(_VERIFIER + _sha1(_VERIFIER), password, 512)
    return (
        struct.pack("<HHII", 4, 2, 4, len(header))
        + header
        + struct.pack("<I16s16sI20s", 16, _SALT, shown[:16], 20, shown[16:])
    )


def _by_api(data: bytes, password: str, block_bytes: int, block: int = 0) -> bytes:
    shown: bytes = DocumentRC4CryptoAPI.decrypt(
        password, _SALT, 128, io.BytesIO(data), block_bytes, block
    ).read()
    return shown


def _cbc(key: bytes, start: bytes, value: bytes) -> bytes:
    return Cipher(algorithms.AES(key), modes.CBC(start[:16])).encryptor().update(_filled(value))


def _filled(value: bytes) -> bytes:
    return value + bytes(-len(value) % 16)


def _sha1(value: bytes) -> bytes:
    return hashlib.sha1(value).digest()  # noqa: S324 # the method's


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
