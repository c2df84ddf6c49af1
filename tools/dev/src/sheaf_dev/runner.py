"""Starts the processes of a plan, waits until they are ready, and notices when they end."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping

from sheaf_dev import state
from sheaf_dev.embedded import Report
from sheaf_dev.errors import DevError, NotReadyError, StartError
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Instance, Plan
from sheaf_dev.ports import is_free
from sheaf_dev.process import Child

_PORT_ATTEMPTS = 3
_UNREADY_GRACE_S = 5.0
_FIRST_PROBE_AFTER_S = 0.02
_SLOWEST_PROBE_S = 0.25


@dataclasses.dataclass(frozen=True, slots=True)
class Crash:
    """A process that was ready and ended without having been asked to."""

    name: str
    how: str
    tail: tuple[str, ...]

    def __str__(self) -> str:
        lines = "".join(f"\n  | {line}" for line in self.tail) or " (its log is empty)"
        return f"{self.name} {self.how}; last lines of its log:{lines}"


class Runner:
    """The running processes of a plan. `changed` is called after each start and end."""

    def __init__(
        self, plan: Plan, layout: Layout, report: Report, changed: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._layout = layout
        self._report = report
        self._changed = changed
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self.children: dict[str, Child] = {}
        self.crashes: asyncio.Queue[Crash] = asyncio.Queue()

    async def start_first(self, name: str) -> None:
        """Sets a process up and starts it; other ports if its own were taken meanwhile."""
        server = self._plan.instances[name].server
        if server is not None:
            await asyncio.to_thread(server.prepare, self._report)
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            try:
                await self.start(name, {})
            except StartError:
                if not attempts_left or not self._lost_a_port(name):
                    raise
                self._report(f"{name}: its port was taken, trying another")
                self._plan.move(name)
            else:
                return

    async def start(self, name: str, extra_env: Mapping[str, str], *, wait: bool = True) -> None:
        """Starts a process, on the ports that it has, and waits until it is ready.

        Raises:
            StartError: if it ended or was not ready in time; it is stopped then.
            DevError: if it runs already.
        """
        before = self.children.get(name)
        if before is not None and before.returncode is None:
            raise DevError(f"{name} is running already")
        instance = self._plan.instances[name]
        if instance.server is not None:
            instance.server.tidy()
        child = await Child.spawn(
            name,
            tuple(instance.command()),
            self._plan.environment_of(name, extra_env),
            self._layout.state_dir,
            self._layout.log(name),
        )
        self.children[name] = child
        self._watchers[name] = asyncio.create_task(self._watch(child), name=f"watch {name}")
        self._changed()
        if wait:
            try:
                await self.until_ready(name)
            except BaseException:
                await child.kill()
                raise

    async def until_ready(self, name: str) -> None:
        """Asks a process until it serves.

        Raises:
            StartError: if it ended, or is not ready at its deadline.
        """
        instance, child = self._plan.instances[name], self.children[name]
        loop = asyncio.get_running_loop()
        deadline = loop.time() + instance.start_deadline_s
        pause = _FIRST_PROBE_AFTER_S
        while True:
            if child.returncode is not None:
                raise self._failed(child, f"{child.describe_exit()} while starting")
            try:
                await instance.ask()
                if instance.server is not None:
                    await instance.server.finish()
            except NotReadyError as error:
                if loop.time() > deadline:
                    raise self._failed(
                        child, f"is not ready after {instance.start_deadline_s:.0f} s ({error})"
                    ) from error
            else:
                break
            await asyncio.wait({self._watchers[name]}, timeout=pause)
            pause = min(pause * 1.5, _SLOWEST_PROBE_S)
        child.ready = True
        self._changed()

    async def stop(self, name: str, grace_s: float | None) -> None:
        """Stops a process: SIGTERM, SIGKILL after `grace_s`. Returns when it is gone."""
        child, instance = self.children[name], self._plan.instances[name]
        if grace_s is None:
            grace_s = instance.stop_grace_s
            if not child.ready:
                grace_s = min(grace_s, _UNREADY_GRACE_S)
        await child.stop(grace_s)
        await self._gone(instance)

    async def kill(self, name: str) -> None:
        """Kills a process and its group. Returns when it is reaped."""
        await self.children[name].kill()
        await self._gone(self._plan.instances[name])

    async def settle(self) -> None:
        """Returns when the end of every process that has ended is on record."""
        ended = (name for name, child in self.children.items() if child.returncode is not None)
        await asyncio.gather(*(self._watchers[name] for name in ended))

    def records(self) -> tuple[state.ProcessRecord, ...]:
        """The processes that run now."""
        return tuple(
            state.ProcessRecord(
                name=name,
                kind=self._plan.instances[name].kind,
                ref=state.ProcessRef(child.pid, child.create_time),
                ports=dict(self._plan.ports(name)),
                command=child.argv,
                log=str(child.log),
                ready=child.ready,
                grace_s=self._plan.instances[name].stop_grace_s,
            )
            for name, child in self.children.items()
            if child.returncode is None
        )

    async def _gone(self, instance: Instance) -> None:
        await self._watchers[instance.name]
        if instance.server is not None:
            instance.server.tidy()

    async def _watch(self, child: Child) -> None:
        await child.wait()
        if child.ready and not child.stopping:
            self.crashes.put_nowait(Crash(child.name, child.describe_exit(), child.tail()))
        self._changed()

    def _failed(self, child: Child, reason: str) -> StartError:
        return StartError(child.name, reason, child.log, child.tail())

    def _lost_a_port(self, name: str) -> bool:
        taken = any(not is_free(port) for port in self._plan.ports(name).values())
        said_so = any("already in use" in line.lower() for line in self.children[name].tail())
        return taken or said_so
