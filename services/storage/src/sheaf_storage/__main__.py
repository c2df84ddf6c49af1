"""`sheaf-storage`: runs the service, or prints its configuration."""

import argparse
from contextlib import AbstractAsyncContextManager
from typing import NoReturn

from sheaf_common.lifecycle import Lifecycle
from sheaf_common.process import ServiceProcess
from sheaf_storage.settings import StorageSettings
from sheaf_storage.wiring import storage


def _open(
    settings: StorageSettings, _arguments: argparse.Namespace, lifecycle: Lifecycle
) -> AbstractAsyncContextManager[object]:
    return storage(settings, lifecycle)


PROCESS = ServiceProcess("sheaf-storage", StorageSettings, _open)


def main() -> NoReturn:
    """Runs the command line."""
    raise SystemExit(PROCESS.main())


if __name__ == "__main__":
    main()
