"""What travels with a request through every hop: its id, its user and its deadline.

Held in context variables, so that it follows a task without being passed. gRPC carries it
as call metadata: `x-request-id` and `x-sheaf-user-id`, and the deadline as the call's own.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from sheaf_common.ids import new_id

REQUEST_ID_KEY: Final = "x-request-id"
USER_ID_KEY: Final = "x-sheaf-user-id"


@dataclass(frozen=True, slots=True)
class RequestContext:
    """One request as seen by the hop that handles it.

    `user_id` is None for work that no user asked for. `deadline` is a time of
    `time.monotonic()` in seconds, None if the request has no end of its own.
    """

    request_id: str
    user_id: str | None = None
    deadline: float | None = None

    def remaining_s(self) -> float | None:
        """Seconds until the deadline, never negative; None without one."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())


_current: ContextVar[RequestContext | None] = ContextVar("sheaf_request", default=None)


def current() -> RequestContext | None:
    """The request that this task handles, if any."""
    return _current.get()


def current_user_id() -> str | None:
    """The user of the request that this task handles, if any."""
    request = _current.get()
    return None if request is None else request.user_id


@contextmanager
def bound(request: RequestContext) -> Iterator[RequestContext]:
    """Makes `request` the current one for the block."""
    token = _current.set(request)
    try:
        yield request
    finally:
        _current.reset(token)


def new_request_id() -> str:
    """An id for a request that came without one."""
    return str(new_id())


def time_left_s(limit_s: float) -> float:
    """The smaller of `limit_s` and what the current request has left, in seconds."""
    request = _current.get()
    remaining = None if request is None else request.remaining_s()
    return limit_s if remaining is None else min(limit_s, remaining)
