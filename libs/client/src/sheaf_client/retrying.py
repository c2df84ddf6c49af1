"""When a call is sent again."""

import random
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from sheaf_client.config import Config
from sheaf_client.errors import ConnectionFailed, ProblemError, problem_error
from sheaf_client.steps import Answer, Flow, Request, exchange, pause

IN_FLIGHT: Final = "IDEMPOTENCY_KEY_IN_FLIGHT"
_RETRIED: Final = frozenset({429, 502, 503, 504})
_BACKOFF_BASE_S: Final = 0.1
_BACKOFF_LIMIT_S: Final = 5.0

Failure = ProblemError | ConnectionFailed


@dataclass
class Attempts:
    """The tries of one call, bounded in number and in time.

    `repeatable` says whether the call may be sent again though it may have been done.
    """

    max_tries: int
    max_elapsed_s: float
    repeatable: bool = True
    made: int = 0

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    @classmethod
    def of(cls, config: Config, *, repeatable: bool = True) -> "Attempts":
        """As the client is set up."""
        return cls(config.max_tries, config.max_elapsed_s, repeatable)

    def pause_s(self, failure: Failure) -> float | None:
        """How long to wait before the next try, after one that failed; None: there is none."""
        self.made += 1
        if self.made >= self.max_tries or not self._may_help(failure):
            return None
        asked = failure.retry_after_s if isinstance(failure, ProblemError) else None
        pause_s = (asked or 0.0) + jitter_s(self.made)
        elapsed_s = time.monotonic() - self._began
        return pause_s if elapsed_s + pause_s <= self.max_elapsed_s else None

    def _may_help(self, failure: Failure) -> bool:
        """A 429, and a connection that never came about, mean that nothing was done."""
        if isinstance(failure, ConnectionFailed):
            return self.repeatable or not failure.was_sent
        if failure.status == HTTPStatus.TOO_MANY_REQUESTS:
            return True
        passes = failure.status in _RETRIED or failure.code == IN_FLIGHT
        return self.repeatable and passes


def jitter_s(tries: int) -> float:
    """A random pause whose bound doubles with each try, so that callers do not come together."""
    ceiling = min(_BACKOFF_LIMIT_S, _BACKOFF_BASE_S * 2.0 ** min(tries, 16))
    return random.uniform(0.0, ceiling)  # noqa: S311 - jitter, not a secret


def tried(request: Request, attempts: Attempts) -> Flow[Answer]:
    """A good answer to a request, which is sent as often as it may be.

    A form is sent again only if each of its files can be read again. Raises ProblemError or
    ConnectionFailed: what the last try ended with.
    """
    while True:
        failure: Failure | None
        try:
            answer = yield from exchange(request)
        except ConnectionFailed as error:
            failure = error
        else:
            if (failure := error_of(answer)) is None:
                return answer
        pause_s = attempts.pause_s(failure)
        if pause_s is None:
            raise failure
        if request.form is not None and (spent := request.form.spent) is not None:
            raise _not_again(failure, spent.name)
        yield from pause(pause_s)


def _not_again(failure: Failure, name: str) -> Failure:
    why = f"it cannot be sent again, since {name} can be read only once"
    if isinstance(failure, ConnectionFailed):
        return ConnectionFailed(f"{failure}; {why}", was_sent=failure.was_sent)
    failure.add_note(why)
    return failure


def error_of(answer: Answer) -> ProblemError | None:
    """The error that an answer stands for, None if it is none. Its body has been read."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return None
    return problem_error(answer.status, answer.body, answer.headers)
