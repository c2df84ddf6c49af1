"""Between steps and httpx: nobody else knows its types and errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx

from sheaf_client.errors import AnswerInvalid, ConnectionFailed
from sheaf_client.steps import Answer, Request

_CONNECT_S: Final = 5.0
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def arguments(request: Request) -> dict[str, Any]:
    """A request as httpx takes it, but for a form's content."""
    form = request.form
    return {
        "method": request.method,
        "url": request.path,
        "params": request.params or None,
        "headers": {**request.headers, **(form.headers if form else {})},
        "json": request.json,
        "timeout": httpx.Timeout(request.timeout_s, connect=min(_CONNECT_S, request.timeout_s)),
    }


def answer_of(response: httpx.Response) -> Answer:
    """An answer whose body has been read, or is still to be read."""
    body = response.content if response.is_closed else b""
    return Answer(response.status_code, dict(response.headers.items()), body)


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the block as those of this client."""
    try:
        yield
    except httpx.TransportError as error:
        was_sent = not isinstance(error, _NEVER_SENT)
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise ConnectionFailed(text, was_sent=was_sent) from error
    except httpx.DecodingError as error:
        raise AnswerInvalid(f"the answer cannot be unpacked: {error}") from error
