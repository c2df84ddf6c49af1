"""`sheaf-metadata`: runs the metadata service."""

import argparse
from contextlib import AbstractAsyncContextManager

from sheaf_common.lifecycle import Lifecycle
from sheaf_common.process import ServiceProcess
from sheaf_metadata.settings import MetadataSettings
from sheaf_metadata.wiring import metadata_service


def _open(
    settings: MetadataSettings, _arguments: argparse.Namespace, lifecycle: Lifecycle
) -> AbstractAsyncContextManager[object]:
    return metadata_service(settings, lifecycle)


PROCESS = ServiceProcess("sheaf-metadata", MetadataSettings, _open)


def main() -> None:
    """Runs the command line."""
    raise SystemExit(PROCESS.main())


if __name__ == "__main__":
    main()
