"""`./sheaf watch`: what happens, as it happens."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from sheaf_client import AsyncClient, Event, NotFoundError
from sheaf_dev.asking import AsJson, print_json, shown, told
from sheaf_dev.connection import Connection, running

_MAX_IDENTIFIERS: Final = 50


def watch(
    *identifiers: Annotated[str, Parameter(name="ID")],
    after: Annotated[int | None, Parameter(validator=Number(gte=0))] = None,
    timeout: Annotated[float | None, Parameter(validator=Number(gt=0))] = None,
    json_: AsJson = False,
) -> int:
    """Follow documents and batches until they have ended, or everything until interrupted.

    A lost connection is taken up again where it was. Exits with 1 if it could not be, or if the
    time is over.

    Args:
        identifiers: Documents or batches; without any, all documents, from now on.
        after: Begin after this position, which --json shows.
        timeout: How many seconds to follow at most.
        json_: Print each event, one JSON object a line.
    """
    if len(identifiers) > _MAX_IDENTIFIERS:
        raise CycloptsError(f"at most {_MAX_IDENTIFIERS} can be watched by name: give none for all")
    connection = running()
    with told(connection):
        asyncio.run(_watch(connection, identifiers, after, timeout, as_json=json_))
    return 0


async def _watch(
    connection: Connection,
    identifiers: tuple[str, ...],
    after: int | None,
    timeout_s: float | None,
    *,
    as_json: bool,
) -> None:
    async with AsyncClient(connection.url, connection.api_key) as sheaf:

        async def follow(identifier: str | None) -> None:
            async with aclosing(_events(sheaf, identifier, after, timeout_s)) as events:
                async for event in events:
                    print_json(event) if as_json else print(await _line(sheaf, event), flush=True)

        followed = [asyncio.ensure_future(follow(each)) for each in identifiers or (None,)]
        try:
            await asyncio.gather(*followed)
        finally:
            for each in followed:
                each.cancel()
            await asyncio.gather(*followed, return_exceptions=True)


async def _events(
    sheaf: AsyncClient, identifier: str | None, after: int | None, timeout_s: float | None
) -> AsyncGenerator[Event, None]:
    """What happens to a document, or to a batch of that id, or to all."""
    if identifier is None:
        streams = [sheaf.events_of_all(after=after, timeout_s=timeout_s)]
    else:
        streams = [
            sheaf.events_of_document(identifier, after=after, timeout_s=timeout_s),
            sheaf.events_of_batch(identifier, after=after, timeout_s=timeout_s),
        ]
    unknown: NotFoundError | None = None
    for stream in streams:
        try:
            async for event in stream:
                yield event
        except NotFoundError as error:
            unknown = unknown or error
        else:
            return
    if unknown is not None:
        raise unknown


async def _line(sheaf: AsyncClient, event: Event) -> str:
    """An event for a person; with what came out, once a document has ended."""
    at = f"{event.created_at.astimezone():%H:%M:%S}" if event.created_at else ""
    parts = [at, f"{event.type:<22}", event.document_id or event.batch_id]
    if event.ends_document and event.document_id and event.type != "document.deleted":
        try:
            document = await sheaf.get_document(event.document_id)
        except NotFoundError:
            pass  # it has been deleted since
        else:
            parts.append(shown(document.filename))
            if document.pages is not None:
                parts.append(f"{document.pages} page{'' if document.pages == 1 else 's'}")
    if event.reason:
        parts.append(event.reason)
    return "  ".join(parts).rstrip()
