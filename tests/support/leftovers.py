"""What is stored under a key, finished or not: that nothing half-written is left."""

import asyncio

from sheaf_common.errors import NotFound
from sheaf_storage.ports import ObjectStore


async def left_behind(store: ObjectStore, key: str) -> list[str]:
    """What is stored under a key: its unfinished uploads, and the object."""
    found = [
        f"upload {unfinished.upload.upload_id}"
        async for unfinished in store.unfinished_uploads()
        if unfinished.upload.key == key
    ]
    try:
        await store.head(key)
    except NotFound:
        return found
    return [*found, "object"]


async def until_left_behind(
    store: ObjectStore, key: str, *, count: int, timeout_s: float = 20.0
) -> None:
    """Returns once so many are stored under a key.

    Raises:
        TimeoutError: they were not in time.
    """
    async with asyncio.timeout(timeout_s):
        while len(await left_behind(store, key)) != count:  # noqa: ASYNC110 - in the server
            await asyncio.sleep(0.01)
