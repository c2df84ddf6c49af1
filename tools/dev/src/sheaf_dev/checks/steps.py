"""The table of checks. A step is a command, or several; all of them run, whatever fails."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from sheaf_dev import checkout
from sheaf_dev.checks import isolation


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One check: it passes if its command exits with 0. `folder` is below the root."""

    name: str
    command: tuple[str, ...]
    folder: str = "."
    timeout_s: float = 600.0


def steps() -> list[Step]:
    """Every step, the slow ones first: they run side by side."""
    root = checkout.root()
    return [
        Step("types", (_tool("mypy"), *_typed_folders(root))),
        *(
            Step(f"isolation: {member.package}", _isolated(member))
            for member in isolation.members(root)
        ),
        Step("format", (_tool("ruff"), "format", "--check", ".")),
        Step("lint", (_tool("ruff"), "check", "--quiet", ".")),
        Step("import rules", (_tool("lint-imports"),)),
        Step("proto lint", (_tool("buf"), "lint"), folder="proto"),
        Step("proto format", (_tool("buf"), "format", "--diff", "--exit-code"), folder="proto"),
        Step("declared imports", (sys.executable, "-m", "sheaf_dev.checks.declared")),
        Step("generated code", (sys.executable, "-m", "sheaf_dev.checks.drift")),
        Step("alert rules", (sys.executable, "-m", "sheaf_dev.checks.monitoring")),
        Step("lock file", (str(checkout.uv()), "lock", "--check", "--quiet")),
        Step("shell syntax", ("sh", "-n", "sheaf")),
    ]


def _tool(name: str) -> str:
    return str(checkout.program(name))


def _typed_folders(root: Path) -> Sequence[str]:
    folders = [*root.glob("libs/*/src"), *root.glob("services/*/src")]
    folders += [root / "tools" / "dev" / "src", root / "tests"]
    return [str(folder.relative_to(root)) for folder in sorted(folders) if folder.is_dir()]


def _isolated(member: isolation.Member) -> tuple[str, ...]:
    """In an environment of nothing but its own dependencies, every module can be imported."""
    return (
        str(checkout.uv()),
        "run",
        "--isolated",
        "--no-dev",
        "--all-extras",
        "--frozen",
        "--quiet",
        *("--package", member.package),
        *("python", "-c", isolation.IMPORT_ALL, member.module),
    )
