"""Notice that a child process has ended, without collecting its status."""

import asyncio
import os
from collections.abc import Callable

_POLL_S = 0.005


class ExitWatch:
    """Watches one child: by pidfd where the system has it, else by asking every 5 ms.

    The child stays a zombie until its owner waits for it, so its process id and group stay
    valid to signal.
    """

    def __init__(self, pid: int, callback: Callable[[], None]) -> None:
        self._pid = pid
        self._callbacks = [callback]
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._pidfd = -1
        self._timer: asyncio.TimerHandle | None = None
        try:
            self._pidfd = os.pidfd_open(pid)
        except (AttributeError, OSError):
            self._poll()
        else:
            self._loop.add_reader(self._pidfd, self._end)

    @property
    def ended(self) -> bool:
        """Whether its end has been noticed."""
        return self._ended.done()

    def add_callback(self, callback: Callable[[], None]) -> None:
        """Call this too when it ends."""
        self._callbacks.append(callback)

    async def wait(self) -> None:
        """Return when the child has ended."""
        await asyncio.shield(self._ended)

    def close(self) -> None:
        """Free what the watch holds."""
        if self._timer is not None:
            self._timer.cancel()
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _poll(self) -> None:
        if os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            self._end()
        else:
            self._timer = self._loop.call_later(_POLL_S, self._poll)

    def _end(self) -> None:
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
        if not self._ended.done():
            self._ended.set_result(None)
            for callback in self._callbacks:
                callback()
