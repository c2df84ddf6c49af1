"""Waiting for an end by long polls."""

import time
from collections.abc import Callable
from typing import Final

from sheaf_client.calls import Call, get_batch, get_document, sent
from sheaf_client.config import Config
from sheaf_client.errors import WaitTimeout
from sheaf_client.models import Batch, Document
from sheaf_client.steps import Flow, ResultT, pause

MAX_WAIT_S: Final = 60.0
MIN_POLL_INTERVAL_S: Final = 0.2
"""Between two long polls of which the first was answered early."""


def document(document_id: str, timeout_s: float, config: Config) -> Flow[Document]:
    """A document once it has ended. Raises WaitTimeout."""
    return _waited(
        lambda wait_s: get_document(document_id, wait_s),
        lambda found: found.status.is_terminal,
        timeout_s=timeout_s,
        what=f"document {document_id}",
        config=config,
    )


def batch(batch_id: str, timeout_s: float, config: Config) -> Flow[Batch]:
    """A batch once its last document has ended. Raises WaitTimeout."""
    return _waited(
        lambda wait_s: get_batch(batch_id, wait_s),
        lambda found: found.finished_at is not None,
        timeout_s=timeout_s,
        what=f"batch {batch_id}",
        config=config,
    )


def _waited(
    ask: Callable[[float], Call[ResultT]],
    is_over: Callable[[ResultT], bool],
    *,
    timeout_s: float,
    what: str,
    config: Config,
) -> Flow[ResultT]:
    deadline = time.monotonic() + timeout_s
    while True:
        began = time.monotonic()
        found = yield from sent(ask(max(0.0, min(MAX_WAIT_S, deadline - began))), config)
        if is_over(found):
            return found
        now = time.monotonic()
        if now >= deadline:
            raise WaitTimeout(f"{what} has not ended in time")
        yield from pause(max(0.0, MIN_POLL_INTERVAL_S - (now - began)))
