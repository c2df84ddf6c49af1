"""A member that leans on a dependency of a dependency is told where."""

from pathlib import Path

from sheaf_dev.checks.declared import undeclared

DISTRIBUTIONS = {"grpc": ["grpcio"], "yaml": ["PyYAML"], "own": ["own-package"], "redis": ["redis"]}


def member(folder: Path, source: str) -> Path:
    """A member with one module."""
    package = folder / "libs" / "own" / "src" / "own"
    package.mkdir(parents=True)
    (package / "module.py").write_text(source)
    (folder / "libs" / "own" / "pyproject.toml").write_text(
        '[project]\nname = "own-package"\ndependencies = ["grpcio>=1"]\n'
        '[project.optional-dependencies]\nextra = ["pyyaml"]\n'
    )
    return folder / "libs" / "own"


def test_named_dependencies_and_the_standard_library_are_fine(tmp_path: Path) -> None:
    """Also by an extra, by another spelling, by a relative import, or for types alone."""
    source = (
        "import os, grpc.aio\nimport yaml\nfrom . import x\nfrom own import y\n"
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import redis\n"
    )

    assert list(undeclared(member(tmp_path, source), DISTRIBUTIONS)) == []


def test_an_unnamed_dependency_is_shown_with_its_place(tmp_path: Path) -> None:
    """Wherever in the module it is imported."""
    folder = member(tmp_path, "def f():\n    from redis.asyncio import Redis\n")

    assert list(undeclared(folder, {"redis": ["redis"]})) == [
        "libs/own/src/own/module.py:2: imports redis, which needs redis"
    ]
