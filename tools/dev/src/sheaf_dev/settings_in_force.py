"""The settings of a service in an environment, as the service itself reads them."""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from sheaf_dev.errors import DevError

_TIMEOUT_S: Final = 60.0


async def settings_of(name: str, env: Mapping[str, str]) -> dict[str, Any]:
    """`{"settings": [{"name", "value", …}]}`, or `{"problems": {…}}` if they are not valid.

    Asked of a process of its own: the dev tool imports no service.

    Raises:
        DevError: it did not answer in time, or something else.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sheaf_dev.effective_settings", name),
        env=dict(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            output, errors = await process.communicate()
    except TimeoutError as error:
        process.kill()
        raise DevError(f"reading the settings of {name} took over {_TIMEOUT_S:.0f} s") from error
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError as error:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise DevError(f"cannot read the settings of {name}: {last}") from error
    return answer
