"""`sheaf-orchestrator [--role ROLE]`: runs one role, or all in one process."""

import argparse
import sys
from contextlib import AbstractAsyncContextManager
from typing import get_args

from sheaf_common.lifecycle import Lifecycle
from sheaf_common.process import ServiceProcess
from sheaf_orchestrator.settings import OrchestratorSettings, Role
from sheaf_orchestrator.wiring.process import orchestrator


def _add_role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role",
        choices=get_args(Role),
        default="all",
        help="what this process does; each scales by itself (default: all, for development)",
    )
    parser.add_argument(
        "--tied-to",
        type=int,
        metavar="PID",
        help="end with the process that started this one, which has this id (a scaler's)",
    )


def _open(
    settings: OrchestratorSettings, arguments: argparse.Namespace, lifecycle: Lifecycle
) -> AbstractAsyncContextManager[object]:
    return orchestrator(settings, arguments.role, lifecycle, tied_to_pid=arguments.tied_to)


PROCESS = ServiceProcess("sheaf-orchestrator", OrchestratorSettings, _open, _add_role)


def main() -> None:
    """Runs the command line."""
    sys.exit(PROCESS.main())


if __name__ == "__main__":
    main()
