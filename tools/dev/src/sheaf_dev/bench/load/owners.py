"""Whose a variable is: what a comparison sets must be read by a service, and be valid there."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from sheaf_dev import environment
from sheaf_dev.bench.load.variants import Variant
from sheaf_dev.embedded import SERVERS
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Options, Plan
from sheaf_dev.services import SERVICES
from sheaf_dev.settings_in_force import settings_of


async def owners_of(variants: Sequence[Variant]) -> Mapping[str, Sequence[str]]:
    """The services that read each variable which the variants set besides the switches.

    Starts no service, but asks each what it reads, one after the other.

    Raises:
        ValueError: no service reads a variable, or its value is not valid.
        DevError: a service cannot be asked.
    """
    wanted = sorted({name for variant in variants for name in variant.variables})
    if not wanted:
        return {}
    environments = _environments()
    known: dict[str, set[str]] = {}
    for service, env in environments.items():
        answer = await settings_of(service, env)
        known[service] = {setting["name"] for setting in answer.get("settings", ())}
    owners = {
        variable: [service for service, names in known.items() if variable in names]
        for variable in wanted
    }
    if unread := [variable for variable, services in owners.items() if not services]:
        raise ValueError(f"no service reads {', '.join(unread)}")
    for variant in variants:
        await _check(variant, owners, environments)
    return owners


async def _check(
    variant: Variant,
    owners: Mapping[str, Sequence[str]],
    environments: Mapping[str, Mapping[str, str]],
) -> None:
    """Asks those that read what the variant sets besides switches; these are known to be valid."""
    given = variant.overrides(owners)
    for service in sorted({service for name in variant.variables for service in owners[name]}):
        answer = await settings_of(service, {**environments[service], **given[service]})
        for variable, problem in answer.get("problems", {}).items():
            raise ValueError(f"{variant.name}: {variable} of {service}: {problem}")


def _environments() -> dict[str, dict[str, str]]:
    """What each service of a fresh stack would be started with."""
    options = Options(
        services=tuple(SERVICES),
        servers=tuple(SERVERS),
        external=(),
        env_overrides={},
        environ=environment.private(os.environ),
        prefer_default_ports=False,
    )
    with tempfile.TemporaryDirectory(prefix="sheaf-bench-") as folder:
        plan = Plan(Layout(Path(folder)), options)
        try:
            return {name: plan.environment_of(name, {}) for name in SERVICES}
        finally:
            plan.close()
