"""The services of Sheaf, as the stack runs them: one table."""

import dataclasses
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from sheaf_dev import probes
from sheaf_dev.ports import HOST


async def _grpc_ready(port: int) -> None:
    await probes.grpc_serving(port)


async def _http_alive(port: int) -> None:
    await probes.http_ok(port, "/livez")


async def _http_ready(port: int) -> None:
    await _http_alive(port)
    await probes.nothing_down(port, "/ht/")


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """A service: how it is run, what it listens on, what it needs first.

    `module` is run with `python -m`. `ports` maps the variable of each port to its default;
    the first is where it serves.
    `arguments` are those of an instance that is given none.
    `needs` names servers and services that must be ready before it is started.
    `ask` is its readiness probe on the first port, `ask_alone` the one that does not count
    what it needs: used where that is run by hand, and may come later.
    """

    name: str
    module: str
    ports: Mapping[str, int]
    needs: tuple[str, ...]
    ask: Callable[[int], Awaitable[None]] = _grpc_ready
    ask_alone: Callable[[int], Awaitable[None]] = _grpc_ready
    arguments: tuple[str, ...] = ()
    start_deadline_s: float = 90.0
    stop_grace_s: float = 35.0  # a service gives itself 30 s

    def command(self, arguments: Sequence[str] = ()) -> list[str]:
        """The command line, in this interpreter's environment."""
        return [sys.executable, "-m", self.module, *(arguments or self.arguments)]

    @property
    def port_variable(self) -> str:
        """The variable of the port where it serves."""
        return next(iter(self.ports))

    def probe(self, external: Collection[str]) -> Callable[[int], Awaitable[None]]:
        """Its readiness probe when the services in `external` are run by hand."""
        return self.ask_alone if set(self.needs) & set(external) else self.ask

    def environment(self, ports: Mapping[str, int]) -> dict[str, str]:
        """Where it listens, by its own variables: one host, and each port."""
        listen = {f"{self.name.upper()}_HOST": HOST}
        return listen | {variable: str(port) for variable, port in ports.items()}

    def exports(self, ports: Mapping[str, int]) -> dict[str, str]:
        """The variables by which others find it."""
        port = ports[self.port_variable]
        if self.name == "gateway":
            return {"SHEAF_URL": f"http://{HOST}:{port}"}
        return {f"{self.name.upper()}_ADDRESS": f"{HOST}:{port}"}


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "storage",
            module="sheaf_storage",
            ports={"STORAGE_PORT": 50051, "STORAGE_METRICS_PORT": 9461},
            needs=("seaweedfs",),
        ),
        Service(
            "metadata",
            module="sheaf_metadata",
            ports={"METADATA_PORT": 50052, "METADATA_METRICS_PORT": 9462},
            needs=("mariadb", "valkey"),
        ),
        Service(
            "orchestrator",
            module="sheaf_orchestrator",
            ports={
                "ORCHESTRATOR_PORT": 50053,
                "ORCHESTRATOR_METRICS_PORT": 9463,
                "TEMPORAL_METRICS_PORT": 9464,
            },
            needs=("temporal", "storage", "metadata"),
        ),
        Service(
            "gateway",
            module="sheaf_gateway",
            ports={"GATEWAY_PORT": 8000},
            needs=("storage", "metadata", "valkey"),
            ask=_http_ready,
            ask_alone=_http_alive,
        ),
    )
}
