"""The ids of the documents that are made from what a document contains."""

from hashlib import sha256
from uuid import UUID

_VERSION_7 = 7 << 76
_VERSION_BITS = 0xF << 76
_VARIANT = 2 << 62
_VARIANT_BITS = 3 << 62


def attachment_label(index: int, content_sha256: str) -> str:
    """What tells an attached file from others: its place, from 0, and its content's hash.

    Places are counted among those that become documents.
    """
    return f"{index}:{content_sha256}"


def attachment_id(parent_id: str, index: int, content_sha256: str) -> str:
    """The id of the attached file at that place: the same in every attempt.

    The rule is that of ``derived_id`` in the common library, which the subprocess does not load;
    the parent derives the ids that count itself, and a test holds the two together.
    """
    parent = UUID(parent_id)
    label = attachment_label(index, content_sha256)
    digest = int.from_bytes(sha256(parent.bytes + label.encode()).digest()[:10])
    bits = (parent.int >> 80 << 80) | digest
    return str(UUID(int=bits & ~_VERSION_BITS & ~_VARIANT_BITS | _VERSION_7 | _VARIANT))
