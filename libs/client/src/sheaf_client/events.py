"""Following documents by server-sent events, over as many connections as it takes."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

import msgspec

from sheaf_client.calls import batch_path, document_path, get_document, sent
from sheaf_client.config import Config
from sheaf_client.errors import (
    AnswerInvalid,
    ConnectionFailed,
    NotFoundError,
    ProblemError,
    WaitTimeout,
)
from sheaf_client.models import DocumentStatus
from sheaf_client.retrying import Attempts, Failure, error_of, jitter_s
from sheaf_client.sse import Message, SseParser
from sheaf_client.steps import Answer, Emit, Flow, Request, opened, pause, read

SILENCE_S: Final = 45.0
"""After so long without even a keep-alive (one comes each 15 s) a connection is taken as lost."""
_RECONNECT_TRIES: Final = 1000
_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0
_LEAST_S: Final = 0.001
_TERMINAL: Final = frozenset(
    f"document.{status}" for status in DocumentStatus if status.is_terminal
) | {"document.deleted"}


class Event(msgspec.Struct, frozen=True):
    """Something that happened, in the order of `position`, which is where to go on after.

    `type` is `document.queued`, `document.processing`, `document.` with a terminal status,
    `document.deleted` or `batch.finished`; a newer server may have others.
    """

    position: int
    type: str
    batch_id: str
    document_id: str | None = None
    status: str | None = None
    attempt: int | None = None
    reason: str | None = None
    created_at: datetime | None = None

    @property
    def ends_document(self) -> bool:
        """Whether nothing more happens to the document by itself."""
        return self.type in _TERMINAL

    @property
    def ends_batch(self) -> bool:
        """Whether every document of the batch has ended."""
        return self.type == "batch.finished"


_decoder = msgspec.json.Decoder(Event)


@dataclass(frozen=True, slots=True)
class Following:
    """What is followed, and how patiently.

    `after` is the position to begin after; `timeout_s` bounds the whole (None: no bound), and
    `reconnect_for_s` how long it is tried to get a connection back. `is_last` says of an event
    that the stream may end with it.
    """

    path: str
    is_last: Callable[[Event], bool]
    after: int | None = None
    timeout_s: float | None = None
    reconnect_for_s: float = 300.0


def of_document(document_id: str, after: int | None, timeout_s: float | None) -> Following:
    """What happens to a document."""
    path = document_path(document_id, "events")
    return Following(path, lambda event: event.ends_document, after, timeout_s)


def of_batch(batch_id: str, after: int | None, timeout_s: float | None) -> Following:
    """What happens to a batch's documents."""
    return Following(
        batch_path(batch_id, "events"), lambda event: event.ends_batch, after, timeout_s
    )


def of_all(after: int | None, timeout_s: float | None) -> Following:
    """What happens to all documents of the user; there is no last event."""
    return Following("/v1/events", lambda _: False, after, timeout_s)


def events(following: Following) -> Flow[None]:
    """Emits each event once, in order, until the server says that there will be no more.

    Raises ConnectionFailed or a ProblemError where the stream cannot be had any more, and
    WaitTimeout at the end of `timeout_s`.
    """
    return _followed(following, _as_it_is)


def ended(following: Following, config: Config) -> Flow[None]:
    """Emits each document as it ends, as it is then; one that is gone or goes on is not."""

    def emitted(event: Event) -> Flow[None]:
        if not event.ends_document or event.document_id is None:
            return
        try:
            document = yield from sent(get_document(event.document_id), config)
        except NotFoundError:
            return
        if document.status.is_terminal and event.attempt in {None, document.attempt}:
            yield Emit(document)

    return _followed(following, emitted)


def _as_it_is(event: Event) -> Flow[None]:
    yield Emit(event)


def _followed(following: Following, emitted: Callable[[Event], Flow[None]]) -> Flow[None]:
    """One connection after another, each from where the one before got to."""
    patience = _Patience(following)
    last_id = None if following.after is None else str(following.after)
    may_be_over = False
    while True:
        parser, is_alive, told = SseParser(), False, False
        failure: Failure | None = None
        try:
            answer = yield from opened(_request(following, last_id, patience.silence_s()))
            if answer.status == HTTPStatus.NO_CONTENT:
                return
            failure = _refusal(answer)
            while failure is None and (data := (yield from read(patience.silence_s()))):
                is_alive = True
                patience.renew()
                for message in parser.feed(data):
                    event = _decoded(message)
                    yield from emitted(event)
                    last_id, may_be_over = parser.last_id or last_id, following.is_last(event)
                    told = True
                last_id = parser.last_id or last_id
                patience.check()
        except ConnectionFailed as error:
            failure = error
        if may_be_over and isinstance(failure, NotFoundError):
            return  # its last event was that it was deleted
        if failure is None and not is_alive:
            failure = ConnectionFailed("the stream ended at once")
        if failure is not None or not (told and may_be_over):
            yield from pause(patience.pause_s(failure, parser.retry_s))


class _Patience:
    """When to give up, and how long to wait before the next connection."""

    def __init__(self, following: Following) -> None:
        self._following = following
        timeout_s = following.timeout_s
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._retry_s = _RETRY_S
        self.renew()

    def renew(self) -> None:
        """A connection works: the time to get it back begins anew."""
        self._attempts = Attempts(_RECONNECT_TRIES, self._following.reconnect_for_s)

    def check(self) -> None:
        """Raises WaitTimeout once the time is over."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise WaitTimeout(f"{self._following.path} has not ended in time")

    def silence_s(self) -> float:
        """How long the server may say nothing. Raises WaitTimeout."""
        return self._within(SILENCE_S)

    def pause_s(self, failure: Failure | None, asked_s: float | None) -> float:
        """Before the next connection. Raises what there is no point in trying again after."""
        if asked_s is not None:
            self._retry_s = min(asked_s, _MAX_RETRY_S)
        self.check()
        pause_s = self._retry_s + jitter_s(1)
        if failure is not None:
            longer_s = self._attempts.pause_s(failure)
            if longer_s is None:
                raise failure
            pause_s = max(pause_s, longer_s)
        return self._within(pause_s)

    def _within(self, seconds: float) -> float:
        self.check()
        left_s = math.inf if self._deadline is None else self._deadline - time.monotonic()
        return max(_LEAST_S, min(seconds, left_s))


def _request(following: Following, last_id: str | None, silence_s: float) -> Request:
    headers = {"Accept": "text/event-stream", "Cache-Control": "no-store"}
    if last_id is not None:
        headers["Last-Event-ID"] = last_id
    return Request("GET", following.path, silence_s, headers=headers)


def _refusal(answer: Answer) -> ProblemError | None:
    media_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status < HTTPStatus.BAD_REQUEST and media_type != "text/event-stream":
        raise AnswerInvalid(f"no event stream came, but {answer.status} {media_type}")
    return error_of(answer)


def _decoded(message: Message) -> Event:
    try:
        return _decoder.decode(message.data)
    except msgspec.MsgspecError as error:
        raise AnswerInvalid(f"an event is not what this API gives: {error}") from error
