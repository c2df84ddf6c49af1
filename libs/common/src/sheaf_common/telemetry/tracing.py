"""Spans of traces: what a request or a document went through, and how long each part took.

    with tracing.span("redis get", Kind.CLIENT, {"db.system.name": "redis"}) as span:
        ...
        span.set("sheaf.cache.hit", True)

Traces begin at the gateway's requests, and nowhere else. A span is made only below another one
that is sampled: what belongs to no sampled request (health probes, long polls that found nothing,
sweeps) makes none. While tracing is off, or nothing is sampled, every span is the same object
that does nothing; OpenTelemetry is imported by `exporting` alone, when it is switched on.

Never put content, file names, passwords or keys into names or attributes; ids may be there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum
from types import TracebackType
from typing import Final, Protocol, Self

from sheaf_common.telemetry.trace_context import TraceContext

Value = str | bool | int | float
Attributes = Mapping[str, Value]


class Kind(Enum):
    """What a span is to its neighbours, as OpenTelemetry has it."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


class Span:
    """A piece of work, from `with` to the end of the block. This one does nothing, and is shared.

    An error that leaves the block makes the span one that failed, by the error's class or reason:
    never by its text, which may quote what a stranger sent.
    """

    __slots__ = ()

    @property
    def context(self) -> TraceContext | None:
        """What its children and its links name; None if it is not recorded."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        return

    def name(self, name: str) -> None:
        """Gives it another name."""

    def set(self, key: str, value: Value) -> None:
        """Sets an attribute."""

    def fail(self, error_type: str) -> None:
        """Says that it failed, and by what."""

    def end(self, error: BaseException | None = None) -> None:
        """Ends a span that is used without `with`: it was nobody's parent by itself."""


class Tracer(Protocol):
    """Makes spans that are recorded, if they are sampled."""

    def start(
        self,
        name: str,
        kind: Kind,
        parent: TraceContext | None,
        attributes: Attributes | None,
        links: Sequence[TraceContext],
        started_ns: int | None,
    ) -> Span:
        """A span that has begun, now or at a time of `time.time_ns()`."""
        ...

    def record(
        self,
        name: str,
        kind: Kind,
        parent: TraceContext,
        attributes: Attributes,
        begin_ns: int,
        end_ns: int,
    ) -> None:
        """A span that has ended already, at times as of `time.time_ns()`."""
        ...


NO_SPAN: Final = Span()
_tracer: Tracer | None = None
_current: ContextVar[TraceContext | None] = ContextVar("sheaf_span", default=None)


def install(tracer: Tracer | None) -> None:
    """Switches tracing on for this process, or off."""
    global _tracer  # noqa: PLW0603 - one a process, as there is one of each log and registry
    _tracer = tracer


def enabled() -> bool:
    """Whether this process traces at all."""
    return _tracer is not None


def current() -> TraceContext | None:
    """The span that this task works under; None if there is none, or tracing is off."""
    return None if _tracer is None else _current.get()


def traceparent() -> str:
    """The current span for those who are called; empty if there is none."""
    context = current()
    return "" if context is None else str(context)


def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Attributes | None = None,
    links: Sequence[TraceContext] = (),
) -> Span:
    """A span below the current one; one that does nothing if there is none."""
    if _tracer is None or (parent := _current.get()) is None:
        return NO_SPAN
    return _tracer.start(name, kind, parent, attributes, links, None)


def root(name: str, traceparent: str, attributes: Attributes | None = None) -> Span:
    """A server's span that continues a caller's trace, or begins one if `traceparent` is none.

    Whether it is sampled is the caller's decision where there is one, and the sampler's else.
    """
    if _tracer is None:
        return NO_SPAN
    parent = TraceContext.parse(traceparent) if traceparent else None
    return _tracer.start(name, Kind.SERVER, parent, attributes, (), None)


def continued(
    traceparent: str,
    name: str,
    kind: Kind,
    attributes: Attributes | None = None,
) -> Span:
    """A span below another process's; one that does nothing unless that one is sampled."""
    if _tracer is None or (parent := TraceContext.sampled_or_none(traceparent)) is None:
        return NO_SPAN
    return _tracer.start(name, kind, parent, attributes, (), None)


def record(
    parent: TraceContext | None,
    name: str,
    kind: Kind,
    attributes: Attributes,
    *,
    begin_ns: int,
    end_ns: int,
) -> None:
    """A span whose times are known only when all is over, as of `time.time_ns()`."""
    if _tracer is not None and parent is not None:
        _tracer.record(name, kind, parent, attributes, begin_ns, max(begin_ns, end_ns))


@contextmanager
def under(parent: TraceContext | None) -> Iterator[None]:
    """Spans of the block are below `parent`; None: it makes no spans, nor do tasks it starts."""
    token = _current.set(parent)
    try:
        yield
    finally:
        _current.reset(token)


def enter(context: TraceContext) -> "Entered":
    """For tracers: makes a span the current one until `Entered.leave`."""
    return Entered(context)


class Entered:
    """A span as the current one."""

    __slots__ = ("_token",)

    def __init__(self, context: TraceContext) -> None:
        self._token = _current.set(context)

    def leave(self) -> None:
        """The span before is the current one again."""
        try:
            _current.reset(self._token)
        except ValueError:
            # An abandoned generator is closed by a task of its own, whose span is none of ours.
            return
