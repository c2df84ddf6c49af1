"""Where leased S3 clients come from: a fixed number, shared; or one made for each lease."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Make = Callable[[], "Awaitable[S3Client]"]
"""Makes a client."""


class Clients(Protocol):
    """Gives a client for a lease, and takes it back."""

    @property
    def count(self) -> int:
        """How many clients there are now."""
        ...

    async def take(self) -> "S3Client":
        """A client, at once if it need not be made."""
        ...

    def give_back(self, client: "S3Client") -> None:
        """The lease is over."""
        ...

    def close(self) -> None:
        """Closes those that there are."""
        ...


class SharedClients:
    """`Clients` that exist already; the least loaded one is taken first."""

    def __init__(self, clients: "Sequence[S3Client]") -> None:
        self._clients = clients
        self._leases = [0] * len(clients)
        self._index = {id(client): index for index, client in enumerate(clients)}

    @property
    def count(self) -> int:
        """See `Clients`."""
        return len(self._clients)

    async def take(self) -> "S3Client":
        """See `Clients`."""
        index = min(range(len(self._leases)), key=self._leases.__getitem__)
        self._leases[index] += 1
        return self._clients[index]

    def give_back(self, client: "S3Client") -> None:
        """See `Clients`."""
        self._leases[self._index[id(client)]] -= 1

    def close(self) -> None:
        """See `Clients`."""
        for client in self._clients:
            client.close()


class ClientPerLease:
    """A new client, with connections of its own, for each lease; closed after it."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self._clients: list[S3Client] = []

    @property
    def count(self) -> int:
        """See `Clients`."""
        return len(self._clients)

    async def take(self) -> "S3Client":
        """See `Clients`. If the caller is cancelled meanwhile, the client is closed when made."""
        making = asyncio.ensure_future(self._make())
        try:
            client = await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(_close_unused)
            raise
        self._clients.append(client)
        return client

    def give_back(self, client: "S3Client") -> None:
        """See `Clients`."""
        self._clients.remove(client)
        client.close()

    def close(self) -> None:
        """See `Clients`."""
        for client in self._clients:
            client.close()


def _close_unused(making: "asyncio.Future[S3Client]") -> None:
    with contextlib.suppress(asyncio.CancelledError):
        if making.exception() is None:
            making.result().close()
