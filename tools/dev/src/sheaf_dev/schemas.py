"""The published JSON Schema of results and its page: made in place, or compared.

The gateway serves the schema and knows nothing of the orchestrator, which owns it: so the gateway
ships a copy.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sheaf_dev import checkout
from sheaf_dev.errors import DevError

_MODULE: Final = "sheaf_orchestrator.extraction.schema"
_TIMEOUT_S: Final = 60.0
_COPIES: Final[Mapping[str, str]] = {
    "services/gateway/src/sheaf_gateway/result.schema.json": "json",
    "docs/result-schema.md": "markdown",
}


def write() -> list[Path]:
    """Makes every copy; returns their paths.

    Raises:
        DevError: with the words of the program that makes them.
    """
    paths = []
    for name, form in _COPIES.items():
        path = checkout.root() / name
        path.write_text(_made(form), encoding="utf-8")
        paths.append(path)
    return paths


def drift() -> list[str]:
    """Which copies differ from what the code says now.

    Raises:
        DevError: as `write`.
    """
    return [f"{name} differs" for name, form in _COPIES.items() if _read(name) != _made(form)]


def _read(name: str) -> str | None:
    path = checkout.root() / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _made(form: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", _MODULE, form],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise DevError(f"the schema of results cannot be made:\n{done.stderr.strip()}")
    return done.stdout
