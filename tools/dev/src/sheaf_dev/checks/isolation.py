"""Which members are imported alone, and how: a shared environment hides what one lacks."""

import dataclasses
import tomllib
from pathlib import Path

# Run by the member's own interpreter, so it can rely on nothing but the standard library.
# Migration scripts run when they are imported; Alembic is what imports them.
IMPORT_ALL = """
import importlib, pkgutil, sys, traceback
failed = 0
package = importlib.import_module(sys.argv[1])
names = [m.name for m in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
for name in names:
    if ".migrations." in name:
        continue
    try:
        importlib.import_module(name)
    except Exception:
        failed += 1
        print(name, traceback.format_exc(limit=-2), sep=": ")
sys.exit(1 if failed else 0)
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A member of the workspace: the name of its distribution, and of its package."""

    package: str
    module: str


def members(root: Path) -> list[Member]:
    """The libraries, the contracts and the services; not the dev tool."""
    files = [
        *root.glob("libs/*/pyproject.toml"),
        root / "proto" / "pyproject.toml",
        *root.glob("services/*/pyproject.toml"),
    ]
    return [_member(file) for file in sorted(files)]


def _member(file: Path) -> Member:
    project = tomllib.loads(file.read_text(encoding="utf-8"))
    package = project["project"]["name"]
    backend = project.get("tool", {}).get("uv", {}).get("build-backend", {})
    return Member(package, backend.get("module-name", package.replace("-", "_")))
