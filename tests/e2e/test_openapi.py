"""The live API against its own description."""

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from sheaf_common.ids import new_id
from support.api_keys import recorded_key
from support.system import System

_CONFIG = Path(__file__).with_name("schemathesis.toml")
_SCOPES = ("documents:read", "documents:write", "ops", "keys")


@pytest.mark.timeout(180)
async def test_the_live_api_is_as_it_describes_itself(system: System, tmp_path: Path) -> None:
    """No server error, nothing undescribed, no wrong input taken, no right one refused.

    Schemathesis makes about a thousand calls out of the description: examples, bounds of every
    parameter and field and what lies beyond them, random ones, and chains of calls that use what
    was answered before. As a user of its own, so that it meddles with nobody's documents.
    """
    key = await recorded_key(
        system.stack, f"described-{new_id().hex}", *_SCOPES, rate_limit_per_s=100_000
    )
    # Its streams end soon: the user's has no end of its own.
    async with system.second_gateway(GATEWAY_STREAM_MAX_S="0.02") as http:
        ended, report = await _tried(str(http.base_url), key, tmp_path)
    assert ended == 0, report[-20_000:]
    assert "Errors:" not in report, report[-20_000:]
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in report, report[-20_000:]


async def _tried(url: str, key: str, folder: Path) -> tuple[int | None, str]:
    """How Schemathesis ended, and its report."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("st")),
        *("--config-file", str(_CONFIG), "run", f"{url.rstrip('/')}/docs/openapi.json"),
        *("--header", f"Authorization: Bearer {key}"),
        *("--request-timeout", "20", "--continue-on-failure", "--no-color", "--seed", "1"),
        cwd=folder,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(150):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, output.decode(errors="replace")
