"""Runs the gateway."""

import sys

from sheaf_common.process import ServiceProcess
from sheaf_gateway.settings import GatewaySettings
from sheaf_gateway.wiring import gateway


def main() -> int:
    """The command line; returns the exit code."""
    return ServiceProcess(
        name="sheaf-gateway",
        settings_class=GatewaySettings,
        open_service=lambda settings, _arguments, lifecycle: gateway(settings, lifecycle),
    ).main()


if __name__ == "__main__":
    sys.exit(main())
