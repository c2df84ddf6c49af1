"""The command line that every service has: run it, or print its configuration.

    sheaf-storage                    runs the service until SIGTERM
    sheaf-storage config [--json]    prints what is in force, by variable name

Exit codes: 0 after an orderly stop, 1 after a failure, 2 for a configuration or a command
line that cannot be used.
"""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from sheaf_common import failpoints, lifecycle, logs
from sheaf_common.lifecycle import Lifecycle
from sheaf_common.settings import SettingsGroup, SettingsInvalid, describe, load, variable
from sheaf_common.telemetry.exporting import TracingSettings, process_tracing
from sheaf_common.telemetry.process import process_metrics

log = structlog.get_logger()

EXIT_USAGE: Final = 2


class ProcessSettings(SettingsGroup):
    """What every service process has."""

    log_level: logs.LogLevel = variable("LOG_LEVEL", "info", "least severe level that is logged")
    log_format: logs.LogFormat = variable("LOG_FORMAT", "json", "json, or console for people")
    shutdown_grace_s: float = variable(
        "SHUTDOWN_GRACE_S", 30.0, "seconds that draining and closing may take", gt=0, le=600
    )


class ServiceSettings(Protocol):
    """What a service's settings have beside its own groups."""

    @property
    def process(self) -> ProcessSettings:
        """What every process has."""
        ...

    @property
    def tracing(self) -> TracingSettings:
        """Where its traces go."""
        ...


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


@dataclasses.dataclass(frozen=True)
class ServiceProcess(Generic[SettingsT]):
    """A service as a process: its name, its settings and what opens it.

    `add_arguments` may add arguments to the command line; what they hold reaches
    `open_service` as the namespace.
    """

    name: str
    settings_class: type[SettingsT]
    open_service: Callable[
        [SettingsT, argparse.Namespace, Lifecycle], AbstractAsyncContextManager[object]
    ]
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Runs the command line and returns the exit code."""
        parser = argparse.ArgumentParser(prog=self.name)
        if self.add_arguments is not None:
            self.add_arguments(parser)
        commands = parser.add_subparsers(dest="command")
        config = commands.add_parser("config", help="print the configuration in force")
        config.add_argument("--json", action="store_true", help="as one JSON object")
        arguments = parser.parse_args(argv)
        try:
            settings = load(self.settings_class)
            armed = failpoints.arm(os.environ)
        except (SettingsInvalid, ValueError) as error:
            print(f"{self.name}: {error}", file=sys.stderr)  # noqa: T201 - no log yet
            return EXIT_USAGE
        if arguments.command == "config":
            print_settings(settings, as_json=arguments.json)
            return 0
        process = settings.process
        logs.configure(self.name, level=process.log_level, log_format=process.log_format)
        log.info("starting", settings={item.name: item.value for item in describe(settings)})
        if armed:
            log.warning("failpoints are armed: this process may kill itself", failpoints=armed)
        return lifecycle.run(
            lambda life: self._observed(settings, arguments, life),
            grace_s=process.shutdown_grace_s,
        )

    @asynccontextmanager
    async def _observed(
        self, settings: SettingsT, arguments: argparse.Namespace, life: Lifecycle
    ) -> AsyncIterator[None]:
        """The service, and around it its metrics and what sends its traces: the last spans."""
        async with (
            process_metrics(self.name),
            process_tracing(settings.tracing, self.name),
            self.open_service(settings, arguments, life),
        ):
            yield


def print_settings(settings: Any, *, as_json: bool) -> None:
    """Prints every variable in force on standard output, secrets masked."""
    items = list(describe(settings))
    if as_json:
        listing = {item.name: dataclasses.asdict(item) for item in items}
        print(json.dumps(listing, indent=2))  # noqa: T201 - the command's output
        return
    width = max(len(item.name) for item in items)
    for item in items:
        print(f"{item.name:<{width}}  {item.value!s:<24} {item.origin:<11} {item.description}")  # noqa: T201
