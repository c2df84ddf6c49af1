"""Whose a variable is: what a comparison sets must be read by a service, and be valid there."""

import asyncio
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sheaf_dev import environment
from sheaf_dev.bench.load.variants import Variant
from sheaf_dev.embedded import SERVERS
from sheaf_dev.layout import Layout
from sheaf_dev.plan import Options, Plan
from sheaf_dev.services import SERVICES
from sheaf_dev.settings_in_force import settings_of


async def owners_of(variants: Sequence[Variant]) -> Mapping[str, Sequence[str]]:
    """The services that read each variable which the variants set besides the switches.

    Starts nothing, but asks every service what it reads.

    Raises:
        ValueError: no service reads a variable, or its value is not valid.
        DevError: a service cannot be asked.
    """
    wanted = sorted({name for variant in variants for name in variant.variables})
    if not wanted:
        return {}
    environments = _environments()
    known = {
        service: {setting["name"] for setting in answer.get("settings", ())}
        for service, answer in (await _ask(environments)).items()
    }
    owners = {
        variable: [service for service, names in known.items() if variable in names]
        for variable in wanted
    }
    if unread := [variable for variable, services in owners.items() if not services]:
        raise ValueError(f"no service reads {', '.join(unread)}")
    for variant in variants:
        await _check(variant, variant.overrides(owners), environments)
    return owners


async def _check(
    variant: Variant,
    overrides: Mapping[str, Mapping[str, str]],
    environments: Mapping[str, Mapping[str, str]],
) -> None:
    answers = await _ask(
        {service: {**environments[service], **given} for service, given in overrides.items()}
    )
    for service, answer in answers.items():
        for variable, problem in answer.get("problems", {}).items():
            raise ValueError(f"{variant.name}: {variable} of {service}: {problem}")


async def _ask(environments: Mapping[str, Mapping[str, str]]) -> Mapping[str, dict[str, Any]]:
    answers = await asyncio.gather(*(settings_of(name, env) for name, env in environments.items()))
    return dict(zip(environments, answers, strict=True))


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
