"""What the client does, as steps that a blocking and an asynchronous driver both take.

A flow is a generator that yields steps and is sent what became of each. It decides what is
sent, when it is tried again and what is made of the answer; a driver only does it. So both
clients do the same, and it is written once.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from sheaf_client.form import Form

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `json` may hold a password, and is not shown.

    `timeout_s` is the longest silence; what the server may wait on purpose is part of it.
    """

    method: str
    path: str
    timeout_s: float
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Form | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; names of headers in lower case. `body` is empty while it is streamed."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send a request and read the whole answer. Raises ConnectionFailed in the flow."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """As `Exchange`, but a good answer's body is left to be read by `Read`."""

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of what is open, empty at its end. Raises ConnectionFailed in the flow.

    Without blocking, it takes no longer than `timeout_s`; blocking, than its request's.
    """

    timeout_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Do:
    """Call something that may block, such as a read of a disk; what it raises the flow gets."""

    call: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Emit(Generic[ItemT]):
    """Hand an item to whoever iterates."""

    item: ItemT


@dataclass(frozen=True, slots=True)
class Finished(Generic[ResultT]):
    """No step: a flow's end, with its result."""

    result: ResultT


Step: TypeAlias = Exchange | Open | Read | Pause | Do | Emit[Any]
Flow: TypeAlias = Generator[Step, Any, ResultT]


def exchange(request: Request) -> Flow[Answer]:
    """The answer to a request. Raises ConnectionFailed."""
    answer: Answer = yield Exchange(request)
    return answer


def opened(request: Request) -> Flow[Answer]:
    """The head of an answer, open to be read; of one that is an error, the whole."""
    answer: Answer = yield Open(request)
    return answer


def read(timeout_s: float | None = None) -> Flow[bytes]:
    """The next bytes of what is open, empty at its end. Raises ConnectionFailed."""
    data: bytes = yield Read(timeout_s)
    return data


def pause(seconds: float) -> Flow[None]:
    """Wait."""
    yield Pause(seconds)


def do(call: Callable[[], ResultT]) -> Flow[ResultT]:
    """What a call that may block returns."""
    result: ResultT = yield Do(call)
    return result
