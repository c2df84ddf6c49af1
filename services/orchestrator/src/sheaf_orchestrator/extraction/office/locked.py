"""OOXML locked with a password: the package in its OLE container, read as what it is.

Source: [MS-OFFCRYPTO] 2.3.4. Only such a file loads this, and the ciphers with it.
"""

import struct
from typing import Final

import msgspec

from sheaf_orchestrator.extraction import detection, registry, types
from sheaf_orchestrator.extraction.limits import Limits
from sheaf_orchestrator.extraction.office.agile import AgileLock
from sheaf_orchestrator.extraction.office.ole import PARSING_ERRORS, damaged
from sheaf_orchestrator.extraction.office.refusing import locked, unsupported
from sheaf_orchestrator.extraction.office.standard import StandardLock
from sheaf_orchestrator.extraction.ole import open_ole, read_stream
from sheaf_orchestrator.extraction.options import Options
from sheaf_orchestrator.extraction.result import Extracted, ResultWarning
from sheaf_orchestrator.extraction.zips import MAGIC

_INFO, _PACKAGE = "EncryptionInfo", "EncryptedPackage"
_MAX_INFO_BYTES: Final = 64 * 1024
_MIN_PACKAGE_BYTES: Final = 8
_AGILE: Final = (4, 4)
_STANDARD: Final = frozenset({(2, 2), (3, 2), (4, 2)})
_CHANGED: Final = ResultWarning(
    code="CHANGED",
    message="The document's seal does not match: it was changed or damaged after it was locked.",
)


def extract(content: bytearray, options: Options, limits: Limits) -> Extracted:
    """What the reader of the format inside extracts, with its content type.

    Raises ExtractionError: ENCRYPTED (no password, a wrong one, a method that is not read),
    TIME_LIMIT (more rounds of hashing than ``limits.password_rounds``), DAMAGED,
    UNSUPPORTED_FORMAT, and what that reader raises.
    """
    if not options.password:
        raise locked(None)
    package, whole = _opened(content, options.password, limits)
    if not package.startswith(MAGIC):
        raise damaged("what is encrypted in it is no Office document")
    content_type = detection.detect(package, types.LOCKED)
    extractor = registry.find_extractor(content_type)
    if extractor is None:
        raise damaged("what is encrypted in it is no Office document")
    extracted = extractor(package, options, limits)
    return msgspec.structs.replace(
        extracted,
        content_type=content_type,
        metadata=msgspec.structs.replace(extracted.metadata, encrypted=True),
        warnings=extracted.warnings if whole else [_CHANGED, *extracted.warnings],
    )


def _opened(content: bytearray, password: bytes, limits: Limits) -> tuple[bytearray, bool]:
    """The package, and whether it is what was locked."""
    info, package = _streams(content)
    lock = _lock(info, limits)
    key = lock.key(password.decode(errors="replace"))
    if key is None:
        raise locked(password)
    try:
        whole = lock.is_whole(key, package)
        lock.decrypt(key, package)
    except ValueError as error:  # a key of no length that the cipher has
        raise damaged("how it is encrypted cannot be read") from error
    return package, whole


def _streams(content: bytearray) -> tuple[bytes, bytearray]:
    """How the package is encrypted, and the package."""
    with open_ole(content) as container:
        try:
            if not container.exists(_INFO):
                raise unsupported()  # its rights are managed by a server, for example
            if container.get_size(_INFO) > _MAX_INFO_BYTES:
                raise damaged("how it is encrypted cannot be read")
            info = bytes(read_stream(container, content, _INFO))
            package = read_stream(container, content, _PACKAGE)
        except PARSING_ERRORS as error:
            raise damaged("its OLE streams cannot be read") from error
    if len(package) < _MIN_PACKAGE_BYTES:
        raise damaged("nothing is encrypted in it")
    return info, package


def _lock(info: bytes, limits: Limits) -> AgileLock | StandardLock:
    """By the version at the head of the description. Source: [MS-OFFCRYPTO] 2.3.4.1."""
    try:
        version = struct.unpack_from("<HH", info)
    except struct.error as error:
        raise damaged("how it is encrypted cannot be read") from error
    if version == _AGILE:
        return AgileLock(info[8:], limits)
    if version in _STANDARD:
        return StandardLock(info[4:])
    raise unsupported()
