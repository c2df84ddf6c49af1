"""Asking the running system for a person: what it refuses is one clear line."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

import msgspec
from cyclopts import Parameter

from sheaf_client import (
    Client,
    ConnectionFailed,
    PermissionDeniedError,
    ProblemError,
    SheafClientError,
)
from sheaf_dev.connection import Connection, running, say
from sheaf_dev.errors import DevError

AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative=())]


@contextmanager
def asking() -> Iterator[Client]:
    """A client of the running system for the block; its errors are DevErrors.

    Raises:
        DevError: no system is known, it does not answer, or it says no.
    """
    connection = running()
    with told(connection), Client(connection.url, connection.api_key) as sheaf:
        yield sheaf


@contextmanager
def told(connection: Connection) -> Iterator[None]:
    """What goes wrong in the block, as a DevError of one line."""
    try:
        yield
    except SheafClientError as error:
        raise DevError(reason_of(error, connection.url)) from error
    except ValueError as error:  # an address, a key or an id that can be none
        raise DevError(str(error)) from error
    except BrokenPipeError:  # whoever read the output has had enough
        raise
    except OSError as error:
        raise DevError(f"{error.filename or 'a file'}: {error.strerror or error}") from error


def reason_of(error: SheafClientError, url: str = "the server") -> str:
    """What went wrong, in one line."""
    if isinstance(error, ConnectionFailed):
        return f"{url} does not answer: {error}"
    if not isinstance(error, ProblemError):
        return shown(str(error))
    parts = [shown(error.problem.detail or error.problem.title), f" ({error.status} {error.code})"]
    if isinstance(error, PermissionDeniedError):
        parts.append(": the API key does not allow it")
    if error.retry_after_s:
        parts.append(f"; come back in {error.retry_after_s:.0f} s")
    if error.status >= 500 and error.request_id:  # noqa: PLR2004 - the server's own
        parts.append(f"; its logs call it {error.request_id}")
    return "".join(parts)


def for_each(names: Iterable[str], act: Callable[[str], Any]) -> int:
    """Does it for each; those that are refused are told, and the others done all the same.

    Returns how many were refused. What concerns all, such as a server that is away, is raised.
    """
    refused = 0
    for name in names:
        try:
            act(name)
        except (ProblemError, ValueError) as error:
            if isinstance(error, ProblemError) and error.status in {401, 403}:
                raise
            refused += 1
            why = reason_of(error) if isinstance(error, ProblemError) else str(error)
            say(f"sheaf: {shown(name)}: {why}")
    return refused


def print_json(item: object) -> None:
    """One object on a line of its own, at once."""
    sys.stdout.write(msgspec.json.encode(item).decode() + "\n")
    sys.stdout.flush()


def shown(text: str) -> str:
    """A stranger's text as it may go to a terminal: what is not to be printed becomes `?`."""
    return "".join(each if each.isprintable() else "?" for each in text)
