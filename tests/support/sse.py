"""Server-sent events as a client reads them."""

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Told:
    """One event that was received."""

    id: int
    type: str
    data: dict[str, Any]


def events_of(body: bytes) -> list[Told]:
    """The whole events of what was received."""
    return [told for block in body.split(b"\n\n")[:-1] if (told := _told(block)) is not None]


def _told(block: bytes) -> Told | None:
    """An event; None for a comment, or for the time after which one comes back."""
    fields: dict[str, str] = {}
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
    if "data" not in fields:
        return None
    return Told(int(fields["id"]), fields["event"], json.loads(fields["data"]))


async def received(answer: httpx.Response) -> AsyncIterator[Told]:
    """The events of an answer as they come."""
    buffer = b""
    async for piece in answer.aiter_raw():
        *blocks, buffer = (buffer + piece).split(b"\n\n")
        for block in blocks:
            if (told := _told(block)) is not None:
                yield told


def types(told: Iterable[Told]) -> list[str]:
    """What happened."""
    return [each.type for each in told]
