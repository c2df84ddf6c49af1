"""A request's body and connection, as the use cases see them."""

import asyncio
from collections.abc import AsyncIterator, Mapping

from litestar.types import Receive

from sheaf_common.errors import InvalidInput
from sheaf_gateway.service.waiting import CallerGone


async def read_body(receive: Receive, idle_timeout_s: float) -> AsyncIterator[bytes]:
    """The body as it arrives; the client is not read faster than this is consumed.

    Raises:
        InvalidInput: `UPLOAD_IDLE`, no byte came for `idle_timeout_s`.
        CallerGone: the client left before the body was complete.
    """
    more = True
    while more:
        try:
            async with asyncio.timeout(idle_timeout_s):
                message = await receive()
        except TimeoutError as error:
            raise InvalidInput(
                "UPLOAD_IDLE",
                f"no byte of the body came for {idle_timeout_s:g} s",
                evidence={"limit_s": f"{idle_timeout_s:g}"},
            ) from error
        if message["type"] != "http.request":
            raise CallerGone
        more = message.get("more_body", False)
        if body := message.get("body", b""):
            yield body


async def until_gone(receive: Receive) -> None:
    """Returns when the client has closed the connection. For requests without a body."""
    while (await receive())["type"] == "http.request":
        pass


def content_length(headers: Mapping[str, str]) -> int | None:
    """The announced size of the body; None if it is not announced."""
    announced = headers.get("content-length", "")
    return int(announced) if announced.isascii() and announced.isdigit() else None
