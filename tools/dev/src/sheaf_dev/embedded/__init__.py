"""The servers that the stack runs itself, by name."""

from collections.abc import Mapping
from pathlib import Path

from sheaf_dev.credentials import Credentials
from sheaf_dev.embedded.mariadb import MariaDB
from sheaf_dev.embedded.seaweedfs import SeaweedFS
from sheaf_dev.embedded.server import EmbeddedServer, Report
from sheaf_dev.embedded.temporal import Temporal
from sheaf_dev.embedded.valkey import Valkey

__all__ = ["SERVERS", "EmbeddedServer", "Report", "build"]

SERVERS: dict[str, type[EmbeddedServer]] = {
    server.name: server for server in (MariaDB, Valkey, SeaweedFS, Temporal)
}


def build(
    name: str, state_dir: Path, ports: Mapping[str, int], credentials: Credentials
) -> EmbeddedServer:
    """The server `name` with its data under `state_dir`."""
    return SERVERS[name](state_dir / name, ports, credentials)
