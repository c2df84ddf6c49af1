"""What calls to every peer have in common."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from sheaf_common.errors import PermissionDenied, Unauthenticated, Unavailable

log = structlog.get_logger()

_USER_REASON_PREFIX = "API_KEY_"


@contextmanager
def peer_errors(peer: str) -> Iterator[None]:
    """Turns a peer's refusal of the gateway itself into what the user sees of it: no service.

    Only a refusal of the user's key is the user's own.
    """
    try:
        yield
    except (Unauthenticated, PermissionDenied) as error:
        if error.reason.startswith(_USER_REASON_PREFIX):
            raise
        log.error("a peer refuses the gateway", peer=peer, reason=error.reason)  # noqa: TRY400
        raise Unavailable(
            "PEER_UNAVAILABLE", f"{peer} cannot be used", evidence={"peer": peer}
        ) from error
