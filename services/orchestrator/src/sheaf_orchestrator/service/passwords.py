"""The password of an encrypted document: asked for just before it is needed, kept nowhere."""

from dataclasses import dataclass
from typing import Final

import structlog

from sheaf_common.errors import FailedPrecondition
from sheaf_common.sealing import SealingKeys
from sheaf_orchestrator.domain import DocumentTask, Failed
from sheaf_orchestrator.ports import SealedPasswords
from sheaf_orchestrator.service.steps import Steps

log = structlog.get_logger()

_UNAVAILABLE: Final = Failed(
    "PASSWORD_UNAVAILABLE", "The document's password cannot be opened any more; send it again."
)


@dataclass(frozen=True, slots=True)
class PasswordSafe:
    """Opens sealed passwords. `keys` is None where none is configured."""

    sealed: SealedPasswords
    keys: SealingKeys | None

    async def password_of(
        self, workflow_id: str, task: DocumentTask, steps: Steps
    ) -> bytes | Failed | None:
        """The document's password, None if it has none, or why it cannot be had.

        Raises:
            SheafError: the intake does not answer.
        """
        if not task.has_password:
            return None
        if self.keys is None:
            log.error("a document has a password, and DOCUMENT_PASSWORD_KEYS is not set")
            return _UNAVAILABLE
        sealed = await steps.run("password", lambda: self.sealed.of(workflow_id, task.document_id))
        if sealed is None:
            log.warning("the password is gone", document_id=task.document_id)
            return _UNAVAILABLE
        try:
            return self.keys.open(sealed, belongs_to=task.document_id)
        except FailedPrecondition as error:
            log.error(  # noqa: TRY400 - the reason says it all
                "a password does not open", document_id=task.document_id, reason=error.reason
            )
            return _UNAVAILABLE
