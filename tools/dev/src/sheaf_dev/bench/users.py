"""A stack of its own for a scenario, with users that each have an API key."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from sheaf_client import AsyncClient, Document, Duplicates, OverCapacityError, Upload
from sheaf_dev import api_key
from sheaf_dev.errors import DevError
from sheaf_dev.services import SERVICES, Service
from sheaf_dev.stack import Stack

END_WITHIN_S: Final = 600.0
_BUSY_TRIES: Final = 60
_CANCEL_TIMEOUT_S: Final = 30.0

Content = tuple[str, bytes]
"""A file's name and its bytes."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who sends documents."""

    name: str
    url: str
    key: str
    client: AsyncClient

    async def send(self, *files: Content) -> Upload:
        """Sends one batch, to be processed whatever was sent before.

        Waits and tries again when told that there is no room.
        """
        for tries in range(_BUSY_TRIES):
            try:
                return await self.client.upload(*files, duplicates=Duplicates.PROCESS)
            except OverCapacityError as error:
                if tries == _BUSY_TRIES - 1:
                    raise
                await asyncio.sleep(error.retry_after_s or 1.0)
        raise AssertionError  # the last try returns or raises

    async def result_of(self, file: Content) -> Document:
        """Sends one file and waits for its end."""
        upload = await self.send(file)
        (accepted,) = upload.accepted
        return await self.client.wait_for_document(str(accepted.id), timeout_s=END_WITHIN_S)

    async def cancel(self, document_id: str) -> None:
        """Asks for the end of a document's processing; one that has ended stays as it is.

        Raises:
            DevError: that is refused.
        """
        path = f"{self.url}/v1/documents/{document_id}/cancel"
        headers = {"Authorization": f"Bearer {self.key}"}
        async with httpx.AsyncClient(trust_env=False, timeout=_CANCEL_TIMEOUT_S) as http:
            answer = await http.post(path, headers=headers)
        if answer.is_error and answer.status_code != httpx.codes.CONFLICT:
            raise DevError(f"cancel was answered {answer.status_code}: {answer.text[:500]}")


@asynccontextmanager
async def stack_with_users(
    *names: str,
    env_overrides: Mapping[str, Mapping[str, str]] | None = None,
    table: Mapping[str, Service] = SERVICES,
    **parts: Collection[str],
) -> AsyncIterator[tuple[Stack, Sequence[User]]]:
    """A fresh stack and a client for each of the users; variables and services as `Stack` has them.

    `parts` are its `services` and `servers`, if not all.

    Raises:
        DevError: the stack could not be started.
    """
    with tempfile.TemporaryDirectory(prefix="sheaf-bench-") as folder:
        async with AsyncExitStack() as opened:
            fresh = Stack.private(Path(folder), env_overrides=env_overrides, table=table, **parts)
            stack = await opened.enter_async_context(fresh)
            users = []
            for name in names:
                key = f"sk_{secrets.token_urlsafe(32)}"
                await api_key.register(
                    stack.port("metadata"), stack.env["GRPC_TOKEN"], key, user_id=name
                )
                url = f"http://{stack.address('gateway')}"
                client = await opened.enter_async_context(AsyncClient(url, key))
                users.append(User(name, url, key, client))
            yield stack, users


def completed(document: Document) -> Document:
    """The document. Raises DevError if it did not complete: then nothing was measured."""
    if document.status.value != "completed":
        raise DevError(
            f"{document.filename} is {document.status.value} ({document.reason}): it should be"
            " completed"
        )
    return document
