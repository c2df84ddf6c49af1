"""A request's body and connection, as the use cases see them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final, TypeVar

import msgspec
from litestar.types import Receive

from sheaf_common.errors import InvalidInput
from sheaf_gateway.service.waiting import CallerGone

_JSON_MAX_BYTES: Final = 16 * 1024
_JSON_TIMEOUT_S: Final = 15.0

BodyT = TypeVar("BodyT", bound=msgspec.Struct)


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


async def read_json(receive: Receive, body_type: type[BodyT]) -> BodyT:
    """A small body of JSON; one that is empty is an empty object.

    Raises:
        InvalidInput: `BODY_TOO_LARGE`, `UPLOAD_TIMEOUT`, `JSON_INVALID`; `BODY_INVALID`, naming
            what is wrong in it without its value.
        CallerGone: the client left before the body was complete.
    """
    content = bytearray()
    try:
        async with asyncio.timeout(_JSON_TIMEOUT_S):
            async for piece in read_body(receive, _JSON_TIMEOUT_S):
                content += piece
                if len(content) > _JSON_MAX_BYTES:
                    raise InvalidInput(
                        "BODY_TOO_LARGE",
                        f"the body is larger than {_JSON_MAX_BYTES} bytes",
                        evidence={"limit_bytes": str(_JSON_MAX_BYTES)},
                    )
    except TimeoutError as error:
        raise InvalidInput(
            "UPLOAD_TIMEOUT", f"the body was not complete within {_JSON_TIMEOUT_S:g} s"
        ) from error
    try:
        return msgspec.json.decode(bytes(content) or b"{}", type=body_type)
    except msgspec.ValidationError as error:
        raise InvalidInput("BODY_INVALID", f"the body is not as described: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("JSON_INVALID", "the body is not JSON") from None


async def until_gone(receive: Receive) -> None:
    """Returns when the client has closed the connection. For requests without a body."""
    while (await receive())["type"] == "http.request":
        pass


def check_not_encoded(headers: Mapping[str, str]) -> None:
    """Raises InvalidInput `UNSUPPORTED_MEDIA_TYPE`: the body is compressed."""
    encoding = headers.get("content-encoding", "")
    if encoding.strip().lower() not in {"", "identity"}:
        raise InvalidInput(
            "UNSUPPORTED_MEDIA_TYPE",
            "the body must not be compressed",
            evidence={"content_encoding": encoding[:64], "accepted": "identity"},
        )


def content_length(headers: Mapping[str, str]) -> int | None:
    """The announced size of the body; None if it is not announced."""
    announced = headers.get("content-length", "")
    return int(announced) if announced.isascii() and announced.isdigit() else None
