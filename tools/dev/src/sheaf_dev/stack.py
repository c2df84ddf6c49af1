"""The embedded stack as an object: real servers and the services, in one state folder."""

import asyncio
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from sheaf_dev import api_key, envfile, environment, leftovers, order, state
from sheaf_dev.embedded import SERVERS, Report
from sheaf_dev.errors import AlreadyRunningError
from sheaf_dev.files import FileLock
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Options, Plan
from sheaf_dev.ports import HOST
from sheaf_dev.runner import Crash, Runner
from sheaf_dev.services import SERVICES, Service

_LOCK_ATTEMPTS = 10
_LOCK_PAUSE_S = 0.03


class Stack:
    """Servers and services under one state folder, started and stopped as one.

    Use it as an async context manager, or call `start` and `stop`. Only one stack can run
    in a state folder at a time. All processes are children of the caller's process.

        async with Stack(state_dir, services=(), servers=("mariadb", "valkey")) as stack:
            url = stack.env["DATABASE_URL"]
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        services: Collection[str] = tuple(SERVICES),
        servers: Collection[str] = tuple(SERVERS),
        external: Collection[str] = (),
        env_overrides: Mapping[str, Mapping[str, str]] | None = None,
        environ: Mapping[str, str] | None = None,
        prefer_default_ports: bool = True,
        report: Report = lambda _: None,
        table: Mapping[str, Service] = SERVICES,
    ) -> None:
        """`external` services get an address and are not started: they are run by hand.

        `env_overrides` holds extra variables by service. `environ` is what processes
        inherit, by default this process's; a variable such as DATABASE_URL in it replaces
        the embedded server. `report` is told what takes long, from any thread.
        """
        self.layout = Layout(state_dir.absolute())
        self._options = Options(
            services=tuple(name for name in table if name in services and name not in external),
            servers=tuple(name for name in SERVERS if name in servers),
            external=tuple(name for name in table if name in external),
            env_overrides=env_overrides or {},
            environ=dict(os.environ if environ is None else environ),
            prefer_default_ports=prefer_default_ports,
            table=table,
        )
        self._report = report
        self._lock = FileLock(self.layout.lock)
        self._phase: state.Phase = "stopped"
        self._error: str | None = None
        self._plan: Plan | None = None
        self._runner: Runner | None = None
        self._late_key: asyncio.Task[None] | None = None

    @classmethod
    def private(
        cls,
        state_dir: Path,
        *,
        services: Collection[str] = tuple(SERVICES),
        servers: Collection[str] = tuple(SERVERS),
        env_overrides: Mapping[str, Mapping[str, str]] | None = None,
        table: Mapping[str, Service] = SERVICES,
    ) -> Self:
        """A stack for a test: it leaves default ports to others and uses no user's server."""
        return cls(
            state_dir,
            services=services,
            servers=servers,
            env_overrides=env_overrides,
            environ=environment.private(os.environ),
            prefer_default_ports=False,
            table=table,
        )

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # As a whole

    async def start(self) -> None:
        """Starts everything, each process as soon as what it needs is ready.

        Processes that a killed supervisor left behind are stopped first. If one cannot be
        started, all are stopped.

        Raises:
            AlreadyRunningError: if a stack runs in this folder already.
            StartError: if a process ended or was not ready in time.
            DevError: if something that is needed is missing.
        """
        await self._take_lock()
        try:
            await self._start_locked()
        except BaseException as error:
            await self.stop(error=str(error) or "interrupted while starting")
            raise

    async def stop(self, error: str | None = None) -> None:
        """Stops everything, what needs others first, and keeps the data. Idempotent.

        `error` is recorded as the reason if there is one.
        """
        if not self._lock.held:
            return
        self._phase = "stopping"
        self._error = error
        if self._late_key is not None:
            self._late_key.cancel()
            self._late_key = None
        self.layout.env.unlink(missing_ok=True)
        if self._runner is not None:
            self._record()
            for level in self._stop_levels():
                await asyncio.gather(*(self.stop_process(name) for name in level))
        await leftovers.stop(self.layout.state_dir, None)
        self._phase = "failed" if error else "stopped"
        if self._runner is not None:
            await self._runner.settle()
        self._record()
        if self._plan is not None:
            self._plan.close()
        self._lock.release()

    async def crashed(self) -> Crash:
        """Waits until a process that was ready ends without having been asked to."""
        return await self._running.crashes.get()

    # One process

    async def start_process(
        self,
        name: str,
        *,
        service: str | None = None,
        args: Sequence[str] | None = None,
        extra_env: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> None:
        """Starts a process again, or one more instance of `service` under a new name.

        A known name keeps its ports and arguments; another instance has ports of its own.
        `extra_env` holds for this start only. Returns when it is ready; at once if `wait`
        is false.

        Raises:
            StartError: if it ended or was not ready in time.
        """
        if name not in self._planned.instances:
            self._planned.add(name, service or name, args or ())
        elif args is not None:
            self._planned.set_arguments(name, args)
        await self._running.start(name, extra_env or {}, wait=wait)

    async def stop_process(self, name: str, grace_s: float | None = None) -> None:
        """Stops a process: SIGTERM, after `grace_s` SIGKILL. Returns when it is gone."""
        await self._running.stop(name, grace_s)

    async def kill_process(self, name: str) -> None:
        """Kills a process and its group with SIGKILL. Returns when it is reaped."""
        await self._running.kill(name)

    async def wait_exit(self, name: str, timeout_s: float) -> int:
        """Waits for a process to end by itself; returns its exit code, negative for a signal.

        Raises:
            TimeoutError: if it still runs after `timeout_s`.
        """
        async with asyncio.timeout(timeout_s):
            return await self._running.children[name].wait()

    async def wait_ready(self, name: str) -> None:
        """Waits until a process that was started with `wait=False` is ready."""
        await self._running.until_ready(name)

    async def ask(self, name: str) -> None:
        """Asks a process whether it serves; raises `NotReadyError` if not."""
        await self._planned.instances[name].ask()

    # What others need to know

    @property
    def env(self) -> dict[str, str]:
        """Every variable of the stack, as in its `env` file."""
        return self._planned.env

    def env_for(self, name: str) -> dict[str, str]:
        """The whole environment of a process."""
        return self._planned.environment_of(name, {})

    def address(self, name: str) -> str:
        """`host:port` where a server or service serves."""
        return f"{HOST}:{self.port(name)}"

    def port(self, name: str, purpose: str | None = None) -> int:
        """The port where a process serves, or that of a purpose (a service's variable)."""
        ports = self._planned.ports(name)
        return ports[purpose] if purpose else next(iter(ports.values()))

    def addresses(self) -> dict[str, str]:
        """Where a person or a program finds what is in the stack, by name."""
        return self._planned.addresses()

    def processes(self) -> Mapping[str, int]:
        """The process ids of all that has been started and has not ended, by name."""
        return {name: self.pid(name) for name in self._running.children if self.is_running(name)}

    def pid(self, name: str) -> int:
        """The process id of a process, also after its end."""
        return self._running.children[name].pid

    @property
    def running(self) -> tuple[str, ...]:
        """The names of the processes that run now."""
        return tuple(name for name in self._running.children if self.is_running(name))

    def is_running(self, name: str) -> bool:
        """Whether a process has been started and has not ended."""
        child = self._running.children.get(name)
        return child is not None and child.returncode is None

    def log(self, name: str) -> Path:
        """The log file of a process; that of its run before has `.1` behind it."""
        return self.layout.log(name)

    # Inside

    @property
    def _planned(self) -> Plan:
        if self._plan is None:
            raise RuntimeError("the stack has not been started")
        return self._plan

    @property
    def _running(self) -> Runner:
        if self._runner is None:
            raise RuntimeError("the stack has not been started")
        return self._runner

    async def _take_lock(self) -> None:
        """Tries for a moment: somebody who only looks whether it is held has it briefly."""
        for _ in range(_LOCK_ATTEMPTS):
            if self._lock.try_acquire():
                return
            await asyncio.sleep(_LOCK_PAUSE_S)
        raise AlreadyRunningError(self.layout.state_dir)

    async def _start_locked(self) -> None:
        await leftovers.stop(self.layout.state_dir, state.read(self.layout.state))
        self._phase, self._error = "starting", None
        self._plan = plan = Plan(self.layout, self._options)
        self._runner = runner = Runner(plan, self.layout, self._report, self._record)
        self._record()
        needs = {name: instance.needs for name, instance in plan.instances.items()}
        await order.start_each(needs, runner.start_first)
        if "metadata" in plan.instances:
            await self._register_api_key(plan)
        elif "metadata" in plan.external:
            self._late_key = asyncio.create_task(self._register_api_key_later(plan))
        envfile.write(self.layout.env, self.env)
        self._phase = "up"
        self._record()

    async def _register_api_key(self, plan: Plan) -> None:
        secrets = plan.credentials
        await api_key.register(self.port("metadata"), secrets.grpc_token, secrets.api_key)

    async def _register_api_key_later(self, plan: Plan) -> None:
        await api_key.served(self.port("metadata"))
        await self._register_api_key(plan)
        self._report("metadata serves and knows the API key")

    def _stop_levels(self) -> list[list[str]]:
        instances = self._planned.instances
        running = [name for name in self._running.children if self.is_running(name)]
        return order.stop_levels({name: instances[name].needs for name in running})

    def _record(self) -> None:
        """Writes down what runs, so that the next supervisor finds it if this one is killed."""
        over = self._phase in {"stopped", "failed"}
        plan, runner = (None, None) if over else (self._plan, self._runner)
        supervisor = psutil.Process()
        state.write(
            self.layout.state,
            state.State(
                phase=self._phase,
                supervisor=state.ProcessRef(supervisor.pid, supervisor.create_time()),
                error=self._error,
                processes=runner.records() if runner else (),
                external=_first_ports(plan.external) if plan else {},
                addresses=plan.addresses() if plan else {},
            ),
        )


def _first_ports(ports: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {name: next(iter(by_purpose.values())) for name, by_purpose in ports.items()}
