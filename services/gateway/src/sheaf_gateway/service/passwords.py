"""Passwords of documents: sealed before they leave this process, or not taken at all."""

import hashlib
from typing import Any
from uuid import UUID

import structlog

from sheaf_common.errors import InvalidInput
from sheaf_common.sealing import SealingKeys
from sheaf_gateway.options import Password

log = structlog.get_logger()


class PasswordSealer:
    """Seals passwords under the configured keys; None means that there are none."""

    def __init__(self, keys: SealingKeys | None) -> None:
        self._keys = keys

    def check_accepted(self) -> None:
        """Raises InvalidInput `PASSWORDS_NOT_ACCEPTED` where no key is configured."""
        if self._keys is None:
            raise _not_accepted()

    def hasher(self) -> Any:
        """What hashes a password; it has `update` and `digest`. Of use to no one without the keys.

        Where there are none no password is taken, so it hashes none that is kept.
        """
        return hashlib.sha256() if self._keys is None else self._keys.keyed_hash()

    def sealed(self, password: Password | None, document_id: UUID) -> bytes:
        """The password, sealed for the document that it opens; empty if there is none."""
        if password is None:
            return b""
        if self._keys is None:
            raise _not_accepted()
        return self._keys.seal(password.utf8, belongs_to=str(document_id))


def _not_accepted() -> InvalidInput:
    log.warning("a password is refused: DOCUMENT_PASSWORD_KEYS is not set")
    return InvalidInput("PASSWORDS_NOT_ACCEPTED", "this server does not take passwords")
