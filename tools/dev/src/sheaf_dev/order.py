"""In which order processes start and stop: each after what it needs, stopped before it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping


async def start_each(
    needs: Mapping[str, tuple[str, ...]], start: Callable[[str], Awaitable[None]]
) -> None:
    """Calls `start` for every name, each as soon as those that it needs have started.

    Needs that are no names in `needs` are taken as met. When one start fails the others
    are cancelled, and its error is raised.
    """
    started = {name: asyncio.Event() for name in needs}

    async def start_one(name: str) -> None:
        for need in needs[name]:
            if need in started:
                await started[need].wait()
        await start(name)
        started[name].set()

    try:
        async with asyncio.TaskGroup() as group:
            for name in needs:
                group.create_task(start_one(name), name=f"start {name}")
    except BaseExceptionGroup as errors:
        raise _first(errors) from None


def stop_levels(needs: Mapping[str, tuple[str, ...]]) -> list[list[str]]:
    """Groups of names that can be stopped at once; nothing comes after what it needs."""

    def depth(name: str) -> int:
        return 1 + max((depth(need) for need in needs[name] if need in needs), default=0)

    depths = {name: depth(name) for name in needs}
    return [
        [name for name in needs if depths[name] == level]
        for level in sorted(set(depths.values()), reverse=True)
    ]


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
