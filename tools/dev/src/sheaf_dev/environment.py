"""The environment of the stack's processes: what is inherited, and what the stack sets."""

from collections.abc import Iterable, Mapping

from sheaf_dev.embedded import SERVERS
from sheaf_dev.ports import HOST
from sheaf_dev.services import SERVICES

FAILPOINTS = "SHEAF_FAILPOINTS"
_NO_PROXY = ("NO_PROXY", "no_proxy")


def replaced(environ: Mapping[str, str]) -> frozenset[str]:
    """The servers in whose place the user has put their own."""
    return frozenset(name for name, server in SERVERS.items() if environ.get(server.replaced_by))


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """What every process gets of the environment that the stack was given.

    Fail points are never inherited: they are given to one process by name. What goes to
    loopback goes there directly, whatever proxy is set.
    """
    env = {name: value for name, value in environ.items() if name != FAILPOINTS}
    env["PYTHONUNBUFFERED"] = "1"  # so a killed process's last lines are in its log
    for name in _NO_PROXY:
        env[name] = ",".join(filter(None, (env.get(name), HOST, "localhost")))
    return env


def private(environ: Mapping[str, str]) -> dict[str, str]:
    """`environ` without anything that points to servers or services outside the stack."""
    ours = _variables(SERVERS, SERVICES)
    prefixes = ("S3_", "AWS_", "SHEAF_", "OTEL_")
    return {k: v for k, v in environ.items() if k not in ours and not k.startswith(prefixes)}


def _variables(servers: Iterable[str], services: Iterable[str]) -> set[str]:
    names = {"TEMPORAL_NAMESPACE", "GRPC_TOKEN", "LOG_FORMAT", "DOCUMENT_PASSWORD_KEYS"}
    names.update(SERVERS[name].replaced_by for name in servers)
    for name in services:
        names.update(SERVICES[name].ports)
        names.update((f"{name.upper()}_HOST", f"{name.upper()}_ADDRESS"))
    return names
