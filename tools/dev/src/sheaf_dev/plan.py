"""What a stack consists of: every process, its ports, its environment and what it needs."""

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence

from sheaf_dev import credentials, embedded, environment, leftovers
from sheaf_dev.embedded import SERVERS, EmbeddedServer
from sheaf_dev.layout import Layout
from sheaf_dev.ports import HOST, PortBook
from sheaf_dev.services import SERVICES, Service

_SEALING_KEYS = "DOCUMENT_PASSWORD_KEYS"
_SEALING = frozenset({"gateway", "orchestrator"})
"""Who seals and opens passwords of documents. Who keeps them sealed must not have the keys."""


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What is wanted. `external` services get an address and are run by hand."""

    services: tuple[str, ...]
    servers: tuple[str, ...]
    external: tuple[str, ...]
    env_overrides: Mapping[str, Mapping[str, str]]
    environ: Mapping[str, str]
    prefer_default_ports: bool = True
    table: Mapping[str, Service] = dataclasses.field(default_factory=lambda: SERVICES)


@dataclasses.dataclass(frozen=True, slots=True)
class Instance:
    """One process of the stack. `kind` names its server or service."""

    name: str
    kind: str
    ports: Mapping[str, int]
    needs: tuple[str, ...]
    command: Callable[[], list[str]]
    ask: Callable[[], Awaitable[None]]
    start_deadline_s: float
    stop_grace_s: float
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    server: EmbeddedServer | None = None

    @property
    def port(self) -> int:
        """Where it serves."""
        return next(iter(self.ports.values()))


class Plan:
    """The processes of a stack by name. Choosing ports is all that it does to the system."""

    def __init__(self, layout: Layout, options: Options) -> None:
        self._layout = layout
        self._options = options
        self._ports = PortBook(layout.ports, prefer_defaults=options.prefer_default_ports)
        self.credentials = credentials.load(layout.credentials)
        self.instances: dict[str, Instance] = {}
        self.external: dict[str, Mapping[str, int]] = {}
        replaced = environment.replaced(options.environ)
        for name in options.servers:
            if name not in replaced:
                ports = self._ports.choose(name, SERVERS[name].default_ports)
                self._add_server(name, ports)
        for name in options.external:
            self.external[name] = self._ports.choose(name, options.table[name].ports)
        for name in options.services:
            ports = self._ports.choose(name, options.table[name].ports)
            self._add_service(name, name, ports, ())

    @property
    def env(self) -> dict[str, str]:
        """Every variable that the services need, by name."""
        env = {"GRPC_TOKEN": self.credentials.grpc_token, "LOG_FORMAT": "json"}
        options = self._options
        for name in options.servers:
            instance = self.instances.get(name)
            if instance is not None and instance.server is not None:
                env |= instance.server.exports()
            else:
                env |= SERVERS[name].exports_of_user(options.environ)
        for name in (*options.services, *options.external):
            service, ports = options.table[name], self.ports(name)
            env |= service.environment(ports) | service.exports(ports)
        if options.services or options.external:
            env["SHEAF_API_KEY"] = self.credentials.api_key
            env[_SEALING_KEYS] = self.credentials.document_password_keys
        return env

    def ports(self, name: str) -> Mapping[str, int]:
        """The ports of a process by purpose, the one where it serves first."""
        return self.instances[name].ports if name in self.instances else self.external[name]

    def environment_of(self, name: str, extra: Mapping[str, str]) -> dict[str, str]:
        """The whole environment of a process, `extra` included."""
        instance = self.instances[name]
        env = environment.inherited(self._options.environ)
        if instance.server is not None:
            env = instance.server.environment(env)
        else:
            overrides = self._options.env_overrides.get(instance.kind, {})
            env = {**env, **self.env, **instance.env, **overrides}
            if instance.kind not in _SEALING:
                env.pop(_SEALING_KEYS, None)
        return {**env, **extra, leftovers.MARKER: str(self._layout.state_dir)}

    def add(self, name: str, service: str, args: Sequence[str]) -> None:
        """One more instance of a service, on ports of its own."""
        ports = self._ports.choose(name, dict.fromkeys(self._options.table[service].ports))
        self._add_service(name, service, ports, args)

    def set_arguments(self, name: str, args: Sequence[str]) -> None:
        """Other arguments for an instance of a service, from its next start on."""
        instance = self.instances[name]
        self._add_service(name, instance.kind, instance.ports, args)

    def move(self, name: str) -> None:
        """Other ports for a process, where those it has are taken by somebody else."""
        instance = self.instances[name]
        ports = self._ports.choose_again(name)
        if instance.server is not None:
            self._add_server(name, ports)
        else:
            self._add_service(name, instance.kind, ports, ())

    def addresses(self) -> dict[str, str]:
        """Where a person or a program finds what is in the stack, by name."""
        found = {name: f"{HOST}:{i.port}" for name, i in self.instances.items()}
        for name, ports in self.external.items():
            found[name] = f"{HOST}:{next(iter(ports.values()))}"
        env = self.env
        if "SHEAF_URL" in env:
            found |= {"api": env["SHEAF_URL"], "docs": f"{env['SHEAF_URL']}/docs"}
        if "temporal" in self.instances:
            found["temporal_ui"] = f"http://{HOST}:{self.ports('temporal')['ui']}"
        return found

    def close(self) -> None:
        """Gives up the ports."""
        self._ports.close()

    def _add_server(self, name: str, ports: Mapping[str, int]) -> None:
        server = embedded.build(name, self._layout.state_dir, ports, self.credentials)
        self.instances[name] = Instance(
            name=name,
            kind=name,
            ports=ports,
            needs=(),
            command=server.command,
            ask=server.ask,
            start_deadline_s=server.start_deadline_s,
            stop_grace_s=server.stop_grace_s,
            server=server,
        )

    def _add_service(
        self, name: str, kind: str, ports: Mapping[str, int], args: Sequence[str]
    ) -> None:
        service = self._options.table[kind]
        self.instances[name] = Instance(
            name=name,
            kind=kind,
            ports=ports,
            needs=service.needs,
            command=functools.partial(service.command, tuple(args)),
            ask=functools.partial(
                service.probe(self._options.external), ports[service.port_variable]
            ),
            start_deadline_s=service.start_deadline_s,
            stop_grace_s=service.stop_grace_s,
            env=service.environment(ports),
        )
