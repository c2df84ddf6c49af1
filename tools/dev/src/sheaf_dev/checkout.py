"""Where the checkout, its state and the programs of its environment are."""

import os
import shutil
import sys
from pathlib import Path

from sheaf_dev.errors import MissingProgramError


def root() -> Path:
    """The workspace root: `SHEAF_HOME`, else the nearest parent of this file with a lock file.

    Raises:
        MissingProgramError: if this package does not run from a checkout.
    """
    given = os.environ.get("SHEAF_HOME")
    if given:
        return Path(given).resolve()
    for parent in Path(__file__).resolve().parents:
        if (parent / "uv.lock").is_file():
            return parent
    raise MissingProgramError("not in a Sheaf checkout: set SHEAF_HOME to its folder")


def state_dir() -> Path:
    """The folder of the embedded stack: `SHEAF_STATE_DIR`, else `.sheaf` in the checkout."""
    given = os.environ.get("SHEAF_STATE_DIR")
    return Path(given).resolve() if given else root() / ".sheaf"


def program(name: str) -> Path:
    """A program of the environment that this interpreter belongs to.

    Raises:
        MissingProgramError: if it is not there.
    """
    path = Path(sys.executable).parent / name
    if not path.is_file():
        raise MissingProgramError(f"{path} is missing: run `uv sync --all-packages`")
    return path


def uv() -> Path:
    """The uv on PATH, else the one that `./sheaf` installed into `.tools/`.

    Raises:
        MissingProgramError: if there is neither.
    """
    own = root() / ".tools" / "uv"
    found = shutil.which("uv")
    if found:
        return Path(found)
    if own.is_file():
        return own
    raise MissingProgramError("uv is not on PATH: run this through ./sheaf, which installs it")
